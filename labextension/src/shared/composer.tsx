/** Where a person says what should change. */
import * as React from 'react';

import type { ITrans } from './trans';

interface IProps {
  trans: ITrans;
  disabled: boolean;
  idle: string | null;
  failure: string | null;
  run: (line: string) => void;
  preview?: (words: string) => void;
}

export function Composer(props: IProps): JSX.Element {
  const { trans, disabled, idle, failure } = props;
  const [words, setWords] = React.useState('');
  const off = disabled || idle !== null;
  const adapt = (): void => {
    if (!off && words.trim()) {
      props.run(`adapt ${words.trim()}`);
      setWords('');
    }
  };
  return (
    <form
      className="jp-Selfcode-composer"
      onSubmit={event => {
        event.preventDefault();
        adapt();
      }}
    >
      <textarea
        className="jp-Selfcode-field"
        rows={2}
        value={words}
        placeholder={trans.__('What should this notebook do differently?')}
        aria-label={trans.__('What should change, in words')}
        onChange={event => setWords(event.currentTarget.value)}
        onKeyDown={event => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
            event.preventDefault();
            event.stopPropagation();
            adapt();
          }
        }}
      />
      <div className="jp-Selfcode-actions">
        <button
          className="jp-Selfcode-button jp-mod-accept"
          type="submit"
          disabled={off || !words.trim()}
          title={trans.__('Propose a change (Ctrl Enter)')}
        >
          {trans.__('Adapt')}
        </button>
        {failure && (
          <button
            className="jp-Selfcode-button"
            type="button"
            disabled={off}
            title={failure}
            onClick={() => props.run('fix')}
          >
            {trans.__('Fix the last error')}
          </button>
        )}
        {props.preview && (
          <button
            className="jp-Selfcode-button jp-mod-quiet"
            type="button"
            disabled={off || !(words.trim() || failure)}
            title={trans.__('Show the very request that a model would be sent; nothing is sent')}
            onClick={() => props.preview?.(words.trim())}
          >
            {trans.__('What would be sent')}
          </button>
        )}
        {idle && <span className="jp-Selfcode-dim">{idle}</span>}
      </div>
    </form>
  );
}
