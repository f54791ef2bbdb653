/** The versions of a notebook, newest first, with the lanes of their lineage. */
import * as React from 'react';

import { View } from './blocks';
import type { ITrans } from './trans';
import type { IDetail, IRow } from './wire';
import { ago, firstLine, kindWord, money } from './words';

/** Where the dot of a row stands, and how wide a lane is, in pixels. */
const DOT = 15;
const LANE = 12;
/** What the ring of the present version needs beside the first lane, in pixels. */
const RING = 3;

function middle(lane: number): number {
  return RING + lane * LANE + LANE / 2;
}

/** The lines of a row: from half-way to the row above down to its dot, and from there half-way to the row below. */
function Lanes(props: { row: IRow; above: [number, number][]; lanes: number }): JSX.Element {
  const { row, above, lanes } = props;
  const width = Math.max(1, lanes) * LANE + 2 * RING;
  return (
    <span className="jp-Selfcode-lanes" style={{ width }} aria-hidden="true">
      <svg width={width} height={DOT}>
        {above.map(([from, to], i) => (
          <line key={i} x1={(middle(from) + middle(to)) / 2} y1={0} x2={middle(to)} y2={DOT} />
        ))}
      </svg>
      <svg
        className="jp-mod-below"
        width={width}
        viewBox={`0 0 ${width} 100`}
        preserveAspectRatio="none"
      >
        {row.edges.map(([from, to], i) => (
          <line key={i} x1={middle(from)} y1={0} x2={(middle(from) + middle(to)) / 2} y2={100} />
        ))}
      </svg>
      <i
        className={`jp-Selfcode-dot${row.current ? ' jp-mod-current' : ''}`}
        data-kind={row.kind}
        style={{ left: middle(row.lane), top: DOT }}
      />
    </span>
  );
}

/** Who made a version, in words. */
function who(row: IRow, trans: ITrans): string {
  const model = row.model || (row.kind === 'adapt' ? row.proposer : '');
  const by =
    row.by === 'person' ? trans.__('you') : row.by === 'policy' ? trans.__('the policy') : row.by;
  return model ? trans.__('%1, accepted by %2', model, by) : trans.__('by %1', by);
}

interface IRowProps {
  row: IRow;
  above: [number, number][];
  lanes: number;
  open: boolean;
  detail: IDetail | null;
  disabled: boolean;
  trans: ITrans;
  /** The versions that this one can be compared with. */
  others: () => IRow[];
  onOpen: (row: IRow | null) => void;
  onRollback: (row: IRow) => void;
  onCompare?: (from: string, to: string) => void;
}

/** A version in a few words. */
function short(row: IRow, trans: ITrans): string {
  return firstLine(row.words) || firstLine(row.rationale) || kindWord(row.kind, trans);
}

function VersionOf(props: IRowProps): JSX.Element {
  const { row, open, detail, trans, disabled } = props;
  const words = short(row, trans);
  const spent = money(row.usd);
  const before = row.number > 1 ? String(row.number - 1) : null;
  const failed = row.outcome !== 'deployed';
  return (
    <li
      className={`jp-Selfcode-version${row.behind || failed ? ' jp-mod-behind' : ''}`}
      data-number={row.number}
    >
      <Lanes row={row} above={props.above} lanes={props.lanes} />
      <div className="jp-Selfcode-versionMain">
        <button
          className="jp-Selfcode-versionHead"
          aria-expanded={open}
          aria-current={row.current ? 'true' : undefined}
          onClick={() => props.onOpen(open ? null : row)}
        >
          <span className="jp-Selfcode-versionWords">{words}</span>
          <span className="jp-Selfcode-versionRemark">
            <b>{row.number}</b>
            <span>{kindWord(row.kind, trans)}</span>
            {failed && (
              <span className="jp-Selfcode-error">{row.outcome ?? trans.__('interrupted')}</span>
            )}
            <span className="jp-Selfcode-who">{who(row, trans)}</span>
            {spent && <span>{spent}</span>}
            <time dateTime={row.at} title={new Date(row.at).toLocaleString()}>
              {ago(row.at, trans)}
            </time>
          </span>
        </button>
        {open && (
          <div className="jp-Selfcode-versionBody">
            {detail ? (
              <View view={detail.view} trans={trans} untitled />
            ) : (
              <p className="jp-Selfcode-dim">{trans.__('Loading')}</p>
            )}
            <div className="jp-Selfcode-actions">
              {!row.current && !failed && (
                <button
                  className="jp-Selfcode-button"
                  disabled={disabled}
                  onClick={() => props.onRollback(row)}
                >
                  {trans.__('Roll back to %1', row.number)}
                </button>
              )}
              {props.onCompare && before && (
                <button
                  className="jp-Selfcode-button jp-mod-quiet"
                  onClick={() => props.onCompare?.(before, String(row.number))}
                >
                  {trans.__('Full size')}
                </button>
              )}
              {props.onCompare && !failed && (
                <select
                  className="jp-Selfcode-field"
                  value=""
                  aria-label={trans.__('Compare with')}
                  onChange={event =>
                    props.onCompare?.(String(row.number), event.currentTarget.value)
                  }
                >
                  <option value="">{trans.__('Compare with…')}</option>
                  <option value="now">{trans.__('now')}</option>
                  {props.others().map(other => (
                    <option key={other.id} value={other.number}>
                      {`${other.number}  ${short(other, trans)}`}
                    </option>
                  ))}
                </select>
              )}
            </div>
          </div>
        )}
      </div>
    </li>
  );
}

/** A row; one that has not changed is not drawn again. */
const Version = React.memo(VersionOf);

interface ITimelineProps {
  rows: IRow[];
  total: number;
  opened: string | null;
  detail: IDetail | null;
  disabled: boolean;
  trans: ITrans;
  onOpen: (row: IRow | null) => void;
  onRollback: (row: IRow) => void;
  onOlder?: () => void;
  onCompare?: (from: string, to: string) => void;
}

/** Whether a version is meant by what was typed into the search field. */
export function matches(row: IRow, query: string): boolean {
  const text = [row.number, row.kind, row.words, row.rationale, row.by, row.model, row.proposer];
  const all = text.join(' ').toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every(word => all.includes(word));
}

/** The sorts of versions that can be looked at alone. */
const SORTS = ['adapted', 'byHand', 'back', 'failed'] as const;
type Sort = '' | (typeof SORTS)[number];

function sortWord(sort: Sort, trans: ITrans): string {
  switch (sort) {
    case 'adapted':
      return trans.__('adapted');
    case 'byHand':
      return trans.__('by hand');
    case 'back':
      return trans.__('going back');
    case 'failed':
      return trans.__('not in force');
    default:
      return trans.__('all');
  }
}

/** Whether a version is of a sort. */
export function isOf(row: IRow, sort: Sort): boolean {
  switch (sort) {
    case 'adapted':
      return row.kind === 'adapt';
    case 'byHand':
      return ['edit', 'initial', 'check'].includes(row.kind);
    case 'back':
      return ['rollback', 'undo', 'redo'].includes(row.kind);
    case 'failed':
      return row.behind || row.outcome !== 'deployed';
    default:
      return true;
  }
}

/** The list; more of it comes as it is scrolled to its end. */
export function Timeline(props: ITimelineProps): JSX.Element {
  const { rows, total, opened, trans, onOlder } = props;
  const [query, setQuery] = React.useState('');
  const [sort, setSort] = React.useState<Sort>('');
  const end = React.useRef<HTMLLIElement>(null);
  const more = rows.length < total;
  React.useEffect(() => {
    if (!more || !onOlder || !end.current || typeof IntersectionObserver === 'undefined') {
      return;
    }
    const seen = new IntersectionObserver(entries => {
      if (entries.some(entry => entry.isIntersecting)) {
        onOlder();
      }
    });
    seen.observe(end.current);
    return () => seen.disconnect();
  }, [more, rows.length, onOlder, query, sort]);

  const words = query.trim();
  const shown =
    words || sort ? rows.filter(row => isOf(row, sort) && (!words || matches(row, words))) : rows;
  const latest = React.useRef(rows);
  latest.current = rows;
  const others = React.useCallback(
    () => latest.current.filter(row => row.outcome === 'deployed'),
    []
  );
  const whole = shown.length === rows.length;
  const lanes = Math.min(
    8,
    rows.reduce((most, row) => Math.max(most, row.lane, ...row.edges.flat()), 0) + 1
  );
  return (
    <>
      {total > 5 && (
        <div className="jp-Selfcode-actions">
          <input
            type="search"
            className="jp-Selfcode-field"
            value={query}
            placeholder={trans.__('Search words, models, people')}
            aria-label={trans.__('Search the versions')}
            onChange={event => setQuery(event.currentTarget.value)}
          />
          <select
            className="jp-Selfcode-field"
            value={sort}
            aria-label={trans.__('Show only')}
            onChange={event => setSort(event.currentTarget.value as Sort)}
          >
            {(['', ...SORTS] as Sort[]).map(one => (
              <option key={one} value={one}>
                {sortWord(one, trans)}
              </option>
            ))}
          </select>
        </div>
      )}
      <ol className="jp-Selfcode-timeline" reversed>
        {shown.map((row, i) => (
          <Version
            key={row.id}
            row={whole ? row : { ...row, lane: 0, edges: [] }}
            above={whole && i > 0 ? shown[i - 1].edges : []}
            lanes={whole ? lanes : 1}
            open={opened === row.id}
            detail={opened === row.id ? props.detail : null}
            disabled={props.disabled}
            trans={trans}
            others={others}
            onOpen={props.onOpen}
            onRollback={props.onRollback}
            onCompare={props.onCompare}
          />
        ))}
        {more && (
          <li ref={end} className="jp-Selfcode-more">
            <button className="jp-Selfcode-button jp-mod-quiet" onClick={onOlder}>
              {trans.__('%1 older versions', total - rows.length)}
            </button>
          </li>
        )}
      </ol>
      {shown.length === 0 && rows.length > 0 && !more && (
        <p className="jp-Selfcode-dim">{trans.__('No version is like this.')}</p>
      )}
    </>
  );
}
