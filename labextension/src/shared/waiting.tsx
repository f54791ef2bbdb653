/** What waits for a person's decision: the words, the diff, the evidence, and the two ways to decide. */
import * as React from 'react';

import { View } from './blocks';
import type { ITrans } from './trans';
import { Level } from './level';
import type { ICellDiff, IDetail, IView, IWaiting } from './wire';
import { duration, money, short } from './words';

type Sources = { [cell: string]: string };

interface IProps {
  waiting: IWaiting;
  detail: IDetail | null;
  open: boolean;
  disabled: boolean;
  trans: ITrans;
  onOpen: (open: boolean) => void;
  onAccept: (cells: string[] | null) => void;
  onReject: (why: string) => void;
  /** Try it with these sources, by cell id. */
  onRevise: (sources: Sources) => void;
  onCompare?: () => void;
}

/** The line that says what a proposal has cost. */
function spent(waiting: IWaiting, trans: ITrans): string {
  const parts = [
    waiting.model || waiting.proposer,
    money(waiting.usd),
    waiting.tokens ? trans.__('%1 tokens', short(waiting.tokens)) : '',
    duration(waiting.seconds)
  ];
  return parts.filter(Boolean).join(' · ');
}

/** The view without the words that stand above it already. */
function saidOnce(view: IView, words: string): IView {
  const blocks = view.blocks.map(block =>
    block.block === 'facts'
      ? {
          ...block,
          rows: block.rows.filter(([, spans]) => spans.map(s => s.text).join('') !== words.trim())
        }
      : block
  );
  return { blocks };
}

/** The sources of a proposal's cells, to be edited. */
function Editing(props: {
  cells: ICellDiff[];
  disabled: boolean;
  trans: ITrans;
  onDone: (sources: Sources | null) => void;
}): JSX.Element {
  const { cells, trans } = props;
  const [sources, setSources] = React.useState<Sources>({});
  return (
    <form
      className="jp-Selfcode-editing"
      onSubmit={event => {
        event.preventDefault();
        props.onDone(sources);
      }}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          props.onDone(null);
        }
      }}
    >
      {cells.map((cell, i) => {
        const source = sources[cell.cell_id] ?? cell.after;
        return (
          <label key={cell.cell_id}>
            {trans.__('Cell %1', cell.place)}
            <textarea
              className="jp-Selfcode-field jp-Selfcode-code"
              rows={Math.min(20, source.split('\n').length + 1)}
              autoFocus={i === 0}
              spellCheck={false}
              value={source}
              onChange={event =>
                setSources({ ...sources, [cell.cell_id]: event.currentTarget.value })
              }
            />
          </label>
        );
      })}
      <div className="jp-Selfcode-actions">
        <button
          className="jp-Selfcode-button jp-mod-accept"
          type="submit"
          disabled={props.disabled || cells.every(c => (sources[c.cell_id] ?? c.after) === c.after)}
          title={trans.__('It is tried as the proposal was, and waits as you wrote it')}
        >
          {trans.__('Try It')}
        </button>
        <button
          className="jp-Selfcode-button jp-mod-quiet"
          type="button"
          onClick={() => props.onDone(null)}
        >
          {trans.__('Cancel')}
        </button>
      </div>
    </form>
  );
}

/** One proposal. */
export function Proposal(props: IProps): JSX.Element {
  const { waiting, detail, open, disabled, trans } = props;
  const [why, setWhy] = React.useState<string | null>(null);
  const [editing, setEditing] = React.useState(false);
  const [left, setLeft] = React.useState<ReadonlySet<string>>(new Set());
  const cells = detail?.cells ?? [];
  const editable = cells.filter(c => c.change === 'changed' || c.change === 'inserted');
  const taken = cells.filter(cell => !left.has(cell.cell_id)).map(cell => cell.cell_id);
  const some = taken.length < cells.length;
  const field = React.useRef<HTMLInputElement>(null);
  React.useEffect(() => {
    if (why === '') {
      field.current?.focus();
    }
  }, [why === null]);

  const toggle = (id: string): void => {
    const next = new Set(left);
    if (!next.delete(id)) {
      next.add(id);
    }
    setLeft(next);
  };

  return (
    <article className="jp-Selfcode-card" data-name={waiting.name}>
      <button
        className="jp-Selfcode-cardHead"
        aria-expanded={open}
        onClick={() => props.onOpen(!open)}
      >
        <span className="jp-Selfcode-cardTitle">{waiting.words || waiting.title}</span>
        <span className="jp-Selfcode-cardRemark">
          <Level level={waiting.level} name={waiting.level_name} trans={trans} />
          <span>{trans._n('%1 cell', '%1 cells', waiting.cells.length)}</span>
          <span className="jp-Selfcode-dim">{spent(waiting, trans)}</span>
        </span>
      </button>
      {open && (
        <div className="jp-Selfcode-cardBody">
          {detail && editing ? (
            <Editing
              cells={editable}
              disabled={disabled}
              trans={trans}
              onDone={sources => {
                setEditing(false);
                if (sources) {
                  props.onRevise(sources);
                }
              }}
            />
          ) : detail ? (
            <View view={saidOnce(detail.view, waiting.words)} trans={trans} untitled />
          ) : (
            <p className="jp-Selfcode-dim">{trans.__('Loading')}</p>
          )}
          {cells.length > 1 && !editing && (
            <fieldset className="jp-Selfcode-choose">
              <legend>{trans.__('Take the change of')}</legend>
              {cells.map(cell => (
                <label key={cell.cell_id}>
                  <input
                    type="checkbox"
                    checked={!left.has(cell.cell_id)}
                    onChange={() => toggle(cell.cell_id)}
                  />
                  {trans.__('cell %1', cell.place)}
                </label>
              ))}
              {some && taken.length > 0 && (
                <small>{trans.__('What is left out was part of what was tried.')}</small>
              )}
            </fieldset>
          )}
        </div>
      )}
      {editing && open ? null : why === null ? (
        <div className="jp-Selfcode-actions">
          <button
            className="jp-Selfcode-button jp-mod-accept"
            disabled={disabled || (cells.length > 0 && taken.length === 0)}
            onClick={() => props.onAccept(some ? taken : null)}
          >
            {some ? trans.__('Accept %1 of %2', taken.length, cells.length) : trans.__('Accept')}
          </button>
          <button className="jp-Selfcode-button" disabled={disabled} onClick={() => setWhy('')}>
            {trans.__('Reject…')}
          </button>
          {open && editable.length > 0 && (
            <button
              className="jp-Selfcode-button"
              disabled={disabled}
              onClick={() => setEditing(true)}
            >
              {trans.__('Edit…')}
            </button>
          )}
          {props.onCompare && (
            <button
              className="jp-Selfcode-button jp-mod-quiet"
              title={trans.__('Open the change in full size')}
              onClick={props.onCompare}
            >
              {trans.__('Full size')}
            </button>
          )}
        </div>
      ) : (
        <form
          className="jp-Selfcode-actions"
          onSubmit={event => {
            event.preventDefault();
            props.onReject(why);
          }}
          onKeyDown={event => {
            if (event.key === 'Escape') {
              event.stopPropagation();
              setWhy(null);
            }
          }}
        >
          <input
            ref={field}
            className="jp-Selfcode-field"
            value={why}
            placeholder={trans.__('Why? Kept for later proposals.')}
            aria-label={trans.__('Reason')}
            onChange={event => setWhy(event.currentTarget.value)}
          />
          <button className="jp-Selfcode-button jp-mod-reject" type="submit" disabled={disabled}>
            {trans.__('Reject')}
          </button>
          <button
            className="jp-Selfcode-button jp-mod-quiet"
            type="button"
            onClick={() => setWhy(null)}
          >
            {trans.__('Cancel')}
          </button>
        </form>
      )}
    </article>
  );
}
