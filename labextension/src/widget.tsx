/**
 * The panel in a notebook's output, by anywidget. What it shows are traits of the kernel's widget; what a person presses
 * is sent there as a line of the grammar, so a button and a magic are the same.
 */
import * as React from 'react';
import { render as draw, unmountComponentAtNode } from 'react-dom';

import type { INow } from './shared/now';
import { type IOpened, type ITold, Panel } from './shared/panel';
import { asWritten } from './shared/trans';
import type { IDetail, IRow, IState } from './shared/wire';

/** The traits of the widget. `answers` counts the commands that were answered; `detail` names what it is of. */
interface ITraits {
  state: IState | null;
  rows: IRow[];
  now: INow | null;
  told: ITold | null;
  detail: (IDetail & IOpened) | null;
  answers: number;
}

/** What of anywidget's model is used (https://anywidget.dev/en/afm). */
interface IModel {
  get<K extends keyof ITraits>(name: K): ITraits[K];
  on(event: string, heard: () => void): void;
  off(event: string, heard: () => void): void;
  send(message: object): void;
}

function useTraits(model: IModel): void {
  const [, again] = React.useReducer((n: number) => n + 1, 0);
  React.useEffect(() => {
    model.on('change', again as () => void);
    return () => model.off('change', again as () => void);
  }, [model]);
}

function Hosted({ model }: { model: IModel }): JSX.Element {
  useTraits(model);
  const [opened, setOpened] = React.useState<IOpened | null>(null);
  const [asked, setAsked] = React.useState<number | null>(null);
  const [seen, setSeen] = React.useState<ITold | null>(null);
  const answers = model.get('answers');
  const told = model.get('told');
  const detail = model.get('detail');
  const fits = detail && opened && detail.kind === opened.kind && detail.name === opened.name;
  return (
    <Panel
      trans={asWritten}
      state={model.get('state')}
      rows={model.get('rows')}
      now={model.get('now')}
      busy={asked !== null && asked === answers}
      stopping={false}
      told={told === seen ? null : told}
      opened={opened}
      detail={fits ? detail : null}
      failure={null}
      idle={null}
      run={line => {
        setAsked(answers);
        model.send({ type: 'run', line });
      }}
      open={next => {
        setOpened(next);
        if (next) {
          model.send({ type: 'open', ...next });
        }
      }}
      older={() => model.send({ type: 'older' })}
      dismiss={() => setSeen(told)}
    />
  );
}

/** Draw the panel of a model into an element; returns what takes it away again. */
function render({ model, el }: { model: IModel; el: HTMLElement }): () => void {
  el.classList.add('jp-SelfcodePanel');
  draw(<Hosted model={model} />, el);
  return () => {
    unmountComponentAtNode(el);
  };
}

export default { render };
