import * as React from 'react';

import type { ISampling } from '../api/types';
import { useChanges } from '../use-changes';
import { useWords } from '../words';
import type { ConversationModel } from './conversation';

interface IField {
  readonly name: keyof ISampling;
  readonly label: string;
  readonly min: number;
  readonly max: number;
  readonly isWhole: boolean;
}

/** How the answers of a conversation are made: system prompt and sampling. */
export function MannerDrawer({
  conversation
}: {
  readonly conversation: ConversationModel;
}): React.ReactElement {
  const trans = useWords();
  useChanges(conversation.changed);
  const { system, options } = conversation.manner;
  // What is being written; null while the conversation's own is shown.
  const [draft, setDraft] = React.useState<string | null>(null);
  const fields: readonly IField[] = [
    {
      name: 'temperature',
      label: trans.__('Temperature'),
      min: 0,
      max: 2,
      isWhole: false
    },
    { name: 'top_p', label: trans.__('Top p'), min: 0, max: 1, isWhole: false },
    {
      name: 'top_k',
      label: trans.__('Top k'),
      min: 0,
      max: 1000,
      isWhole: true
    },
    { name: 'min_p', label: trans.__('Min p'), min: 0, max: 1, isWhole: false },
    {
      name: 'max_tokens',
      label: trans.__('Longest answer, in tokens'),
      min: 1,
      max: 1_000_000,
      isWhole: true
    },
    {
      name: 'seed',
      label: trans.__('Seed'),
      min: 0,
      max: 4_294_967_295,
      isWhole: true
    }
  ];
  return (
    <form
      className="jp-llm-form jp-llm-manner"
      aria-label={trans.__('System prompt and sampling')}
      data-lm-suppress-shortcuts="true"
      onSubmit={event => {
        event.preventDefault();
      }}
    >
      <label>
        {trans.__('System prompt')}
        <textarea
          className="jp-llm-input"
          rows={3}
          value={draft ?? system}
          onChange={({ target }) => {
            setDraft(target.value);
          }}
          onBlur={() => {
            setDraft(null);
            if (draft !== null && draft !== system) {
              void conversation.set({ system: draft });
            }
          }}
        />
      </label>
      <div className="jp-llm-fields">
        {fields.map(field => (
          <SamplingField
            key={field.name}
            field={field}
            value={options[field.name]}
            onChange={value => {
              void conversation.set({
                options: withOption(
                  conversation.manner.options,
                  field.name,
                  value
                )
              });
            }}
          />
        ))}
      </div>
    </form>
  );
}

function SamplingField({
  field,
  value,
  onChange
}: {
  readonly field: IField;
  readonly value: number | undefined;
  readonly onChange: (value: number | undefined) => void;
}): React.ReactElement {
  const trans = useWords();
  const { label, min, max, isWhole } = field;
  const [draft, setDraft] = React.useState<string | null>(null);
  const [isWrong, setWrong] = React.useState(false);
  const problem = React.useId();
  return (
    <div>
      <label>
        {label}
        <input
          className="jp-llm-input"
          type="number"
          min={min}
          max={max}
          step={isWhole ? 1 : 'any'}
          placeholder={trans.__('model’s own')}
          aria-invalid={isWrong}
          aria-describedby={problem}
          value={draft ?? value?.toString() ?? ''}
          onChange={({ target }) => {
            setDraft(target.value);
          }}
          onBlur={({ target }) => {
            const isValid = target.checkValidity();
            setWrong(!isValid);
            if (isValid && draft !== null) {
              setDraft(null);
              onChange(draft === '' ? undefined : Number(draft));
            }
          }}
        />
      </label>
      <div id={problem} className="jp-llm-bad" role="alert">
        {isWrong &&
          (isWhole
            ? trans.__('A whole number from %1 to %2.', min, max)
            : trans.__('A number from %1 to %2.', min, max))}
      </div>
    </div>
  );
}

function withOption(
  options: ISampling,
  name: keyof ISampling,
  value: number | undefined
): ISampling {
  const others = Object.entries(options).filter(([key]) => key !== name);
  return Object.fromEntries(
    value === undefined ? others : [...others, [name, value]]
  );
}
