/** What was spent: totals, and a bar for each day. */
import * as React from 'react';

import type { ITrans } from './trans';
import type { ICosts, IDay } from './wire';
import { duration, money, short } from './words';

const HEIGHT = 36;
const BAR = 8;
const DAYS = 30;

/** A bar for each of the last days on which something was spent: money where prices are known, else tokens. */
function Bars(props: { days: IDay[]; trans: ITrans }): JSX.Element | null {
  const { trans } = props;
  const days = props.days.slice(-DAYS);
  if (days.length < 2) {
    return null;
  }
  const priced = days.some(day => day.usd);
  const of = (day: IDay): number => (priced ? (day.usd ?? 0) : day.tokens);
  const most = Math.max(...days.map(of), Number.EPSILON);
  const words = days
    .map(d => `${d.day}: ${money(d.usd) || trans.__('%1 tokens', short(d.tokens))}`)
    .join(', ');
  return (
    <svg
      className="jp-Selfcode-bars"
      viewBox={`0 0 ${days.length * (BAR + 2)} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={trans.__('Spent by day: %1', words)}
    >
      {days.map((day, i) => {
        const height = Math.max(1, (of(day) / most) * HEIGHT);
        return (
          <rect key={day.day} x={i * (BAR + 2)} y={HEIGHT - height} width={BAR} height={height}>
            <title>{`${day.day}: ${money(day.usd) || short(day.tokens)}`}</title>
          </rect>
        );
      })}
    </svg>
  );
}

export function Costs(props: { costs: ICosts; days: IDay[]; trans: ITrans }): JSX.Element {
  const { costs, trans } = props;
  const tokens = costs.prompt_tokens + costs.completion_tokens;
  const none = trans.__('nothing');
  const each = money(costs.usd_per_change_alive);
  return (
    <div className="jp-Selfcode-costs">
      <dl>
        <dt>{trans.__('spent')}</dt>
        <dd>
          {money(costs.usd) || (tokens ? trans.__('price not known') : none)}
          {tokens > 0 && ` · ${trans.__('%1 tokens', short(tokens))}`}
          {costs.calls > 0 && ` · ${trans._n('%1 call', '%1 calls', costs.calls)}`}
        </dd>
        <dt>{trans.__('time')}</dt>
        <dd>{duration(costs.seconds)}</dd>
        <dt>{trans.__('still alive')}</dt>
        <dd>
          {trans.__('%1 of %2 changes', costs.alive, costs.versions)}
          {each && ` · ${trans.__('%1 each', each)}`}
        </dd>
      </dl>
      <Bars days={props.days} trans={trans} />
    </div>
  );
}
