/**
 * The whole panel: the same in JupyterLab's sidebar and in a notebook's output. Data comes in, wishes go out; nothing here
 * knows where it is shown or who fetches what.
 */
import * as React from 'react';

import { View } from './blocks';
import { Composer } from './composer';
import { Costs } from './costs';
import { type INow, Now } from './now';
import { Timeline } from './timeline';
import type { ITrans } from './trans';
import { Proposal } from './waiting';
import type { IDetail, IRow, IState, IView } from './wire';

/** What is opened: a proposal by its name, or a version by its id. */
export interface IOpened {
  kind: 'waiting' | 'version';
  name: string;
}

/** A line for the person; it goes when it is closed or when the next command is given. */
export interface ITold {
  kind: 'ok' | 'warning' | 'error';
  text: string;
  /** What belongs to it: sources to paste. */
  view?: IView;
}

export interface IPanelProps {
  trans: ITrans;
  state: IState | null;
  rows: IRow[];
  now: INow | null;
  /** Whether a command of this panel is under way. */
  busy: boolean;
  stopping: boolean;
  told: ITold | null;
  opened: IOpened | null;
  detail: IDetail | null;
  /** The error that `fix` would repair, in words; null where nothing failed. */
  failure: string | null;
  /** Why nothing can be adapted here (no kernel); null where it can. */
  idle: string | null;
  run: (line: string) => void;
  open: (opened: IOpened | null) => void;
  dismiss: () => void;
  /** What the host draws of the costs besides the totals. */
  plots?: React.ReactNode;
  older?: () => void;
  stop?: () => void;
  compare?: (from: string, to: string) => void;
  compareWaiting?: (name: string) => void;
  /** Show what a model would be sent for these words. */
  preview?: (words: string) => void;
  exportHistory?: () => void;
  /** Sections of the host's own; the versions come last, for their list has no end. */
  foot?: React.ReactNode;
}

/** A part of the panel that can be folded away. What is folded away is not drawn, so nothing is fetched for it. */
export function Section(props: {
  title: string;
  count?: number;
  shown: boolean;
  children: React.ReactNode;
}): JSX.Element {
  const [open, setOpen] = React.useState(props.shown);
  return (
    <details
      className="jp-Selfcode-section"
      open={open}
      onToggle={event => setOpen(event.currentTarget.open)}
    >
      <summary>
        <h2>{props.title}</h2>
        {props.count !== undefined && <span className="jp-Selfcode-count">{props.count}</span>}
      </summary>
      {open && <div className="jp-Selfcode-sectionBody">{props.children}</div>}
    </details>
  );
}

function Told({
  told,
  trans,
  dismiss
}: {
  told: ITold;
  trans: ITrans;
  dismiss: () => void;
}): JSX.Element {
  return (
    <div
      className={`jp-Selfcode-told jp-mod-${told.kind}`}
      role={told.kind === 'ok' ? 'status' : 'alert'}
    >
      <span>{told.text}</span>
      {told.view && told.view.blocks.length > 0 && <View view={told.view} trans={trans} />}
      <button className="jp-Selfcode-close" aria-label={trans.__('Close')} onClick={dismiss}>
        ×
      </button>
    </div>
  );
}

/** The line that tries other sources for cells of a proposal. Nothing in it looks like a flag of the grammar. */
function revision(name: string, sources: { [cell: string]: string }): string {
  return `revise --name ${name} ${JSON.stringify(sources).replace(/--/g, '\\u002d\\u002d')}`;
}

function Waits(props: IPanelProps & { state: IState }): JSX.Element | null {
  const { state, trans, opened, run } = props;
  if (!state.waiting.length) {
    return null;
  }
  return (
    <Section title={trans.__('Waits for you')} count={state.waiting.length} shown>
      {[...state.waiting].reverse().map(waiting => {
        const open = opened?.kind === 'waiting' && opened.name === waiting.name;
        return (
          <Proposal
            key={waiting.name}
            waiting={waiting}
            detail={open ? props.detail : null}
            open={open}
            disabled={props.busy}
            trans={trans}
            onOpen={on => props.open(on ? { kind: 'waiting', name: waiting.name } : null)}
            onAccept={cells =>
              run(['accept', waiting.name, ...(cells ?? []).map(id => `--cell ${id}`)].join(' '))
            }
            onRevise={sources => run(revision(waiting.name, sources))}
            onReject={why => run(`reject --name ${waiting.name} ${why}`.trim())}
            onCompare={props.compareWaiting && (() => props.compareWaiting?.(waiting.name))}
          />
        );
      })}
    </Section>
  );
}

function Versions(props: IPanelProps & { state: IState }): JSX.Element {
  const { state, trans, opened, run } = props;
  return (
    <Section title={trans.__('Versions')} count={state.total} shown>
      <div className="jp-Selfcode-actions">
        <button
          className="jp-Selfcode-button"
          disabled={props.busy || !state.undo}
          onClick={() => run('undo')}
        >
          {trans.__('Undo')}
        </button>
        <button
          className="jp-Selfcode-button"
          disabled={props.busy || !state.redo}
          onClick={() => run('redo')}
        >
          {trans.__('Redo')}
        </button>
        {props.exportHistory && (
          <button
            className="jp-Selfcode-button jp-mod-quiet"
            title={trans.__('Download every version as JSON')}
            onClick={props.exportHistory}
          >
            {trans.__('Export')}
          </button>
        )}
      </div>
      <Timeline
        rows={props.rows}
        total={state.total}
        opened={opened?.kind === 'version' ? opened.name : null}
        detail={props.detail}
        disabled={props.busy}
        trans={trans}
        onOpen={row => props.open(row && { kind: 'version', name: row.id })}
        onRollback={row => run(`rollback ${row.number}`)}
        onOlder={props.older}
        onCompare={props.compare}
      />
    </Section>
  );
}

export function Panel(props: IPanelProps): JSX.Element {
  const { state, trans, now, told } = props;
  return (
    <div className="jp-Selfcode" aria-busy={props.busy}>
      {now && <Now now={now} stopping={props.stopping} trans={trans} onStop={props.stop} />}
      {told && <Told told={told} trans={trans} dismiss={props.dismiss} />}
      {state?.store === 'broken' && (
        <div className="jp-Selfcode-told jp-mod-error" role="alert">
          {state.message}
        </div>
      )}
      {state && (
        <Composer
          trans={trans}
          disabled={props.busy || now !== null}
          idle={props.idle}
          failure={props.failure}
          run={props.run}
          preview={props.preview}
        />
      )}
      {state && <Waits {...props} state={state} />}
      {state && state.store === 'none' && !state.waiting.length && (
        <p className="jp-Selfcode-empty">
          {trans.__(
            'No history yet. Say above what this notebook should do, or run a cell that starts with %1; every change is tried first, shown here, and can be undone.',
            '%%selfcode'
          )}
        </p>
      )}
      {state?.cost && state.cost.versions > 0 && (
        <Section title={trans.__('Cost')} shown={false}>
          <Costs costs={state.cost} trans={trans} />
          {props.plots}
        </Section>
      )}
      {state && props.foot}
      {state && state.total > 0 && <Versions {...props} state={state} />}
    </div>
  );
}
