/**
 * The panel in a notebook's output, by anywidget. What it shows are traits of the kernel's widget; what a person presses
 * is a line of the grammar, so a button and a magic are the same.
 */
import * as React from 'react';
import { render as draw, unmountComponentAtNode } from 'react-dom';

import { askPage, RUN, STOP } from './shared/ask';
import type { INow } from './shared/now';
import { type IOpened, type ITold, Panel } from './shared/panel';
import { proposed, told as toldOf } from './shared/told';
import { asWritten } from './shared/trans';
import type { IDetail, IReply, IRow, IState } from './shared/wire';

/** The traits of the widget. */
interface ITraits {
  state: IState | null;
  rows: IRow[];
  now: INow | null;
  failure: string | null;
  stoppable: boolean;
}

/** What the kernel sends besides. */
type Message =
  | { type: 'answer'; id: string; reply: IReply | null; refusal: string }
  | ({ type: 'detail'; refusal?: string } & IOpened & IDetail);

/** What of anywidget's model is used (https://anywidget.dev/en/afm). */
interface IModel {
  get<K extends keyof ITraits>(name: K): ITraits[K];
  on(event: string, heard: (message: any) => void): void;
  off(event: string, heard: (message: any) => void): void;
  send(message: object): void;
}

let asked = 0;

function Hosted({ model, el }: { model: IModel; el: HTMLElement }): JSX.Element {
  const [, again] = React.useReducer((n: number) => n + 1, 0);
  const [opened, setOpened] = React.useState<IOpened | null>(null);
  const [detail, setDetail] = React.useState<IDetail | null>(null);
  const [told, setTold] = React.useState<ITold | null>(null);
  const [busy, setBusy] = React.useState('');
  const [stopping, setStopping] = React.useState(false);
  const state = model.get('state');

  const complain = (text: string): void => setTold({ kind: 'error', text });
  const open = (next: IOpened | null): void => {
    setOpened(next);
    setDetail(null);
    if (next) {
      model.send({ type: 'open', ...next });
    }
  };
  const answered = (reply: IReply | null, refusal: string): void => {
    setBusy('');
    setStopping(false);
    if (!reply) {
      complain(refusal);
      return;
    }
    setTold(toldOf(reply));
    const made = proposed(reply);
    if (made) {
      open(made);
    }
  };

  React.useEffect(() => {
    model.on('change', again);
    model.send({ type: 'hello' });
    return () => model.off('change', again);
  }, [model]);
  React.useEffect(() => {
    const heard = (message: Message): void => {
      if (message.type === 'answer' && message.id === busy) {
        answered(message.reply, message.refusal);
      } else if (message.type === 'detail' && message.name === opened?.name) {
        if (message.refusal) {
          complain(message.refusal);
        } else {
          setDetail(message);
        }
      }
    };
    model.on('msg:custom', heard);
    return () => model.off('msg:custom', heard);
  });
  // what waits is opened by itself, and closed once it is decided
  const waits = state?.waiting.map(waiting => waiting.name) ?? [];
  React.useEffect(() => {
    if (waits.length && (!opened || (opened.kind === 'waiting' && !waits.includes(opened.name)))) {
      open({ kind: 'waiting', name: waits[waits.length - 1] });
    } else if (opened?.kind === 'waiting' && !waits.length) {
      open(null);
    }
  }, [waits.join()]);

  return (
    <Panel
      trans={asWritten}
      state={state}
      rows={model.get('rows')}
      now={model.get('now')}
      busy={busy !== ''}
      stopping={stopping}
      told={told}
      opened={opened}
      detail={detail}
      failure={model.get('failure')}
      idle={null}
      run={line => {
        const id = `${Date.now()}-${++asked}`;
        setBusy(id);
        setTold(null);
        if (!askPage(el, RUN, { line, answered })) {
          model.send({ type: 'run', id, line });
        }
      }}
      open={open}
      older={() => model.send({ type: 'older' })}
      dismiss={() => setTold(null)}
      stop={() => {
        if (askPage(el, STOP) || model.get('stoppable')) {
          setStopping(true);
          model.send({ type: 'stop' });
        } else {
          complain('Interrupt the kernel to stop this.');
        }
      }}
    />
  );
}

/** Whether the last of an element has left the top of anything that it is in. */
function leftAbove(el: HTMLElement): boolean {
  const { bottom } = el.getBoundingClientRect();
  let around = el.parentElement;
  while (around && around.getBoundingClientRect().top < bottom) {
    around = around.parentElement;
  }
  return around !== null;
}

/** Keep a panel in sight that grows shorter while a person is at work in it: JupyterLab scrolls past the end of a notebook. */
function keepInSight(el: HTMLElement): () => void {
  let seen = false;
  const sized = new ResizeObserver(() => {
    if (seen && leftAbove(el)) {
      el.scrollIntoView({ block: 'nearest' });
    }
  });
  const shown = new IntersectionObserver(entries => {
    seen = entries[entries.length - 1].isIntersecting;
  });
  sized.observe(el);
  shown.observe(el);
  return () => {
    sized.disconnect();
    shown.disconnect();
  };
}

/** What stands above the panel for front ends without widgets; null where it was taken away. */
function standIn(el: HTMLElement): HTMLElement | null {
  for (let around = el.parentElement; around; around = around.parentElement) {
    const found = around.querySelectorAll<HTMLElement>('.jp-SelfcodeStandIn');
    if (found.length) {
      return found[found.length - 1];
    }
  }
  return null;
}

/** Draw the panel of a model into an element; returns what takes it away again. */
function render({ model, el }: { model: IModel; el: HTMLElement }): () => void {
  el.classList.add('jp-SelfcodePanel');
  draw(<Hosted model={model} el={el} />, el);
  const left = keepInSight(el);
  let above: HTMLElement | null = null;
  const drawn = requestAnimationFrame(() => {
    above = standIn(el);
    above?.style.setProperty('display', 'none');
  });
  return () => {
    cancelAnimationFrame(drawn);
    left();
    above?.style.removeProperty('display');
    unmountComponentAtNode(el);
  };
}

export default { render };
