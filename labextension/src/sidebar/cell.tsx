/** The cell at the cursor: which version made each line, and why it is as it is. */
import * as React from 'react';

import { View } from '../shared/blocks';
import type { ITrans } from '../shared/trans';
import { type IFetched, useAnswer } from './answer';

function Answered({ found, trans }: { found: IFetched; trans: ITrans }): JSX.Element | null {
  if (found.error) {
    return <p className="jp-Selfcode-dim">{found.error}</p>;
  }
  return found.reply && <View view={found.reply.view} trans={trans} />;
}

export function AtCursor(props: {
  path: string;
  cell: string;
  stamp: string;
  trans: ITrans;
}): JSX.Element {
  const { path, cell, stamp, trans } = props;
  const why = useAnswer('why', { path, cell }, stamp);
  const blame = useAnswer('blame', { path, cell }, stamp);
  return (
    <div className="jp-Selfcode-atCursor">
      <Answered found={blame} trans={trans} />
      {!blame.error && <Answered found={why} trans={trans} />}
    </div>
  );
}
