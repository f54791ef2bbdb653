/** The settings in force, those that a panel may change as controls. */
import * as React from 'react';

import { View } from '../shared/blocks';
import type { ITrans } from '../shared/trans';
import { useAnswer } from './answer';

interface IProps {
  path: string;
  settings: { [name: string]: any };
  trans: ITrans;
  disabled: boolean;
  onChange?: (name: string, value: unknown) => void;
}

const CHOICES: { [name: string]: string[] } = {
  policy: ['report', 'propose', 'deploy'],
  context_level: ['auto', 'schema', 'summary', 'samples', 'full']
};

function label(name: string, trans: ITrans): string {
  switch (name) {
    case 'policy':
      return trans.__('policy');
    case 'context_level':
      return trans.__('what a model is shown');
    case 'budget_usd':
      return trans.__('budget of a request, $');
    case 'watch':
      return trans.__('watch: look for trouble by itself');
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
  /** Values to choose from; others may be typed. */
  choices?: string[];
  onDone: (value: string) => void;
}): JSX.Element {
  const [value, setValue] = React.useState(props.value);
  React.useEffect(() => setValue(props.value), [props.value]);
  const done = (): void => {
    if (value !== props.value) {
      props.onDone(value);
    }
  };
  const list = React.useId();
  return (
    <>
      <input
        className="jp-Selfcode-field"
        aria-label={props.label}
        list={props.choices && list}
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
      {props.choices && (
        <datalist id={list}>
          {props.choices.map(choice => (
            <option key={choice} value={choice} />
          ))}
        </datalist>
      )}
    </>
  );
}

interface IFoundModels {
  models: { found: { models: string[] }[] };
}

export function Settings(props: IProps): JSX.Element {
  const { settings, trans, disabled, onChange } = props;
  const doctor = useAnswer('doctor', { path: props.path }, String(settings.model ?? ''));
  const found = (doctor.reply?.data as IFoundModels | undefined)?.models.found ?? [];
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
          choices={found.flatMap(way => way.models)}
          onDone={value => onChange?.('model', value.trim())}
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
            {[...new Set([...choices, String(settings[name] ?? choices[0])])].map(choice => (
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
          placeholder={trans.__('no limit')}
          value={String(settings.budget_usd ?? '')}
          disabled={disabled || !onChange}
          onDone={value => onChange?.('budget_usd', value === '' ? null : Number(value))}
        />
      </label>
      {typeof settings.watch === 'boolean' && (
        <label>
          <span>{label('watch', trans)}</span>
          <input
            type="checkbox"
            checked={settings.watch}
            disabled={disabled || !onChange}
            onChange={event => onChange?.('watch', event.currentTarget.checked)}
          />
        </label>
      )}
      <details className="jp-Selfcode-machine">
        <summary>{trans.__('What was found on this machine')}</summary>
        {doctor.error && <p className="jp-Selfcode-dim">{doctor.error}</p>}
        {doctor.reply && <View view={doctor.reply.view} trans={trans} untitled />}
      </details>
    </div>
  );
}
