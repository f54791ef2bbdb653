/** What is happening now: stage, attempt, seconds, money, and the way to stop it. */
import * as React from 'react';

import type { ITrans } from './trans';
import { duration, money } from './words';

/** What is at work. `started` is in seconds since 1970. */
export interface INow {
  line: string;
  started: number;
  usd?: number | null;
  said: readonly string[];
}

/** Seconds since a time, counted on the screen. */
function Elapsed({ since }: { since: number }): JSX.Element {
  const [now, setNow] = React.useState(() => Date.now());
  React.useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return <span>{duration(Math.max(0, Math.round(now / 1000 - since)))}</span>;
}

export function Now(props: {
  now: INow;
  stopping: boolean;
  trans: ITrans;
  onStop?: () => void;
}): JSX.Element {
  const { now, trans, stopping, onStop } = props;
  const spent = money(now.usd);
  return (
    <div className="jp-Selfcode-now">
      <div className="jp-Selfcode-bar" aria-hidden="true" />
      <div className="jp-Selfcode-nowLine">
        <span role="status" className="jp-Selfcode-nowWords">
          {now.line || trans.__('Working')}
        </span>
        <span className="jp-Selfcode-dim">
          {spent && `${spent} · `}
          <Elapsed since={now.started} />
        </span>
        {onStop && (
          <button className="jp-Selfcode-button" disabled={stopping} onClick={onStop}>
            {stopping ? trans.__('Stopping') : trans.__('Stop')}
          </button>
        )}
      </div>
      {now.said.length > 0 && (
        <ul className="jp-Selfcode-said">
          {now.said.map((line, i) => (
            <li key={i}>{line}</li>
          ))}
        </ul>
      )}
    </div>
  );
}
