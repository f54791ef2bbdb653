/** What was spent, in all and for each change that is still there. */
import * as React from 'react';

import type { ITrans } from './trans';
import type { ICosts } from './wire';
import { duration, money, short } from './words';

export function Costs({ costs, trans }: { costs: ICosts; trans: ITrans }): JSX.Element {
  const tokens = costs.prompt_tokens + costs.completion_tokens;
  const none = trans.__('nothing');
  const each = money(costs.usd_per_change_alive);
  return (
    <dl className="jp-Selfcode-costs">
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
  );
}
