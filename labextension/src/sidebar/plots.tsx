/** What was spent as small plots: a bar for each day, a bar for each change. */
import * as React from 'react';

import type { ITrans } from '../shared/trans';
import type { IRow } from '../shared/wire';
import { firstLine, money, short } from '../shared/words';
import { useAnswer } from './answer';

const HEIGHT = 36;
const BAR = 8;
const MOST = 40;

/** What was spent on one thing. Dollars are null where no price is known. */
interface ISpent {
  name: string;
  usd: number | null;
  tokens: number;
  /** Whether it was spent on what is not there any more. */
  lost: boolean;
}

/** A bar for each of the newest: money where prices are known, else tokens. */
export function Bars(props: { title: string; spent: ISpent[]; trans: ITrans }): JSX.Element | null {
  const { title, trans } = props;
  const spent = props.spent.slice(-MOST);
  if (spent.length < 2) {
    return null;
  }
  const priced = spent.some(one => one.usd);
  const of = (one: ISpent): number => (priced ? (one.usd ?? 0) : one.tokens);
  const most = Math.max(...spent.map(of), Number.EPSILON);
  const say = (one: ISpent): string =>
    `${one.name}: ${money(one.usd) || trans.__('%1 tokens', short(one.tokens))}`;
  return (
    <figure className="jp-Selfcode-plot">
      <figcaption className="jp-Selfcode-dim">{title}</figcaption>
      <svg
        viewBox={`0 0 ${spent.length * (BAR + 2)} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${title}: ${spent.map(say).join(', ')}`}
      >
        {spent.map((one, i) => {
          const height = Math.max(1, (of(one) / most) * HEIGHT);
          return (
            <rect
              key={i}
              className={one.lost ? 'jp-mod-lost' : undefined}
              x={i * (BAR + 2)}
              y={HEIGHT - height}
              width={BAR}
              height={height}
            >
              <title>{say(one)}</title>
            </rect>
          );
        })}
      </svg>
    </figure>
  );
}

interface ICostData {
  by_day: { day: string; usd: number | null; tokens: number }[];
  by_version: (IRow & { alive: boolean })[];
}

/** The plots of a notebook, fetched when they are looked at. */
export function Plots(props: { path: string; rows: IRow[]; trans: ITrans }): JSX.Element | null {
  const { path, rows, trans } = props;
  const { reply } = useAnswer('cost', { path }, rows[0]?.id ?? '');
  if (!reply) {
    return null;
  }
  const { by_day, by_version } = reply.data as ICostData;
  return (
    <>
      <Bars
        title={trans.__('by day')}
        spent={by_day.map(day => ({ ...day, name: day.day, lost: false }))}
        trans={trans}
      />
      <Bars
        title={trans.__('by change; pale: not there any more')}
        spent={by_version.map(row => ({
          name: `${row.number} ${firstLine(row.words || row.rationale)}`,
          usd: row.usd,
          tokens: row.tokens,
          lost: !row.alive
        }))}
        trans={trans}
      />
    </>
  );
}
