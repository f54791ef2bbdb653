/** How far a change was proved, as a small mark. */
import * as React from 'react';

import type { ITrans } from './trans';

const HIGHEST = 4;

/** A mark of as many steps as the level has; the name says what was checked, the title that the rest was not. */
export function Level(props: {
  level: number | null;
  name: string;
  trans: ITrans;
}): JSX.Element | null {
  const { level, name, trans } = props;
  if (level === null) {
    return null;
  }
  const title = trans.__('Checked up to level %1 of %2: %3', level, HIGHEST, name);
  return (
    <span className="jp-Selfcode-level" data-level={level} title={title}>
      <span className="jp-Selfcode-steps" aria-hidden="true">
        {Array.from({ length: HIGHEST }, (_, i) => (
          <i key={i} className={i < level ? 'jp-mod-on' : ''} />
        ))}
      </span>
      <span>{trans.__('level %1', level)}</span>
    </span>
  );
}
