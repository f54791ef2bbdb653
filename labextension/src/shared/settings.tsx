/** The settings in force, those that a panel may change as controls. */
import * as React from 'react';

import type { ITrans } from './trans';

interface IProps {
  settings: { [name: string]: any };
  trans: ITrans;
  disabled: boolean;
  onChange?: (name: string, value: unknown) => void;
  onModel: (name: string) => void;
}

const CHOICES: { [name: string]: string[] } = {
  policy: ['report', 'propose', 'deploy'],
  context_level: ['schema', 'summary', 'samples', 'full']
};

function label(name: string, trans: ITrans): string {
  switch (name) {
    case 'policy':
      return trans.__('policy');
    case 'context_level':
      return trans.__('what a model is shown');
    case 'budget_usd':
      return trans.__('budget of a request, $');
    default:
      return name;
  }
}

/** A field that is sent when it is left or when Enter is pressed, not at each key. */
function Field(props: {
  label: string;
  value: string;
  type: 'text' | 'number';
  placeholder?: string;
  disabled: boolean;
  onDone: (value: string) => void;
}): JSX.Element {
  const [value, setValue] = React.useState(props.value);
  React.useEffect(() => setValue(props.value), [props.value]);
  const done = (): void => {
    if (value !== props.value) {
      props.onDone(value);
    }
  };
  return (
    <input
      className="jp-Selfcode-field"
      aria-label={props.label}
      type={props.type}
      min={0}
      step="any"
      value={value}
      placeholder={props.placeholder}
      disabled={props.disabled}
      onChange={event => setValue(event.currentTarget.value)}
      onBlur={done}
      onKeyDown={event => {
        if (event.key === 'Enter') {
          event.preventDefault();
          done();
        }
      }}
    />
  );
}

export function Settings(props: IProps): JSX.Element {
  const { settings, trans, disabled, onChange, onModel } = props;
  return (
    <div className="jp-Selfcode-settings">
      <label>
        <span>{trans.__('model')}</span>
        <Field
          label={trans.__('model')}
          type="text"
          value={String(settings.model ?? '')}
          placeholder={trans.__('none: free rules only')}
          disabled={disabled}
          onDone={value => value.trim() && onModel(value.trim())}
        />
      </label>
      {Object.entries(CHOICES).map(([name, choices]) => (
        <label key={name}>
          <span>{label(name, trans)}</span>
          <select
            className="jp-Selfcode-field"
            value={String(settings[name] ?? '')}
            disabled={disabled || !onChange}
            onChange={event => onChange?.(name, event.currentTarget.value)}
          >
            {choices.map(choice => (
              <option key={choice}>{choice}</option>
            ))}
          </select>
        </label>
      ))}
      <label>
        <span>{label('budget_usd', trans)}</span>
        <Field
          label={label('budget_usd', trans)}
          type="number"
          value={String(settings.budget_usd ?? '')}
          disabled={disabled || !onChange}
          onDone={value => value !== '' && onChange?.('budget_usd', Number(value))}
        />
      </label>
    </div>
  );
}
