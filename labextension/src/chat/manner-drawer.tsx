import * as React from 'react';

import type { ISampling } from '../api/types';
import { useWords } from '../words';
import type { ConversationModel } from './conversation';

interface IField {
  readonly name: keyof ISampling;
  readonly label: string;
  readonly min: number;
  readonly max: number;
  readonly step: number;
}

/** How the answers of a conversation are made: system prompt and sampling. */
export function MannerDrawer({
  conversation
}: {
  readonly conversation: ConversationModel;
}): React.ReactElement {
  const trans = useWords();
  const { system, options } = conversation.manner;
  const [draft, setDraft] = React.useState(system);
  const fields: readonly IField[] = [
    {
      name: 'temperature',
      label: trans.__('Temperature'),
      min: 0,
      max: 2,
      step: 0.1
    },
    { name: 'top_p', label: trans.__('Top p'), min: 0, max: 1, step: 0.05 },
    { name: 'top_k', label: trans.__('Top k'), min: 0, max: 1000, step: 1 },
    { name: 'min_p', label: trans.__('Min p'), min: 0, max: 1, step: 0.01 },
    {
      name: 'max_tokens',
      label: trans.__('Longest answer, in tokens'),
      min: 1,
      max: 1_000_000,
      step: 1
    },
    {
      name: 'seed',
      label: trans.__('Seed'),
      min: 0,
      max: 4_294_967_295,
      step: 1
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
          value={draft}
          onChange={({ target }) => {
            setDraft(target.value);
          }}
          onBlur={() => {
            if (draft !== system) {
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
                options: withOption(options, field.name, value)
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
  const [draft, setDraft] = React.useState(value?.toString() ?? '');
  return (
    <label>
      {field.label}
      <input
        className="jp-llm-input"
        type="number"
        min={field.min}
        max={field.max}
        step={field.step}
        placeholder={trans.__('model’s own')}
        value={draft}
        onChange={({ target }) => {
          setDraft(target.value);
        }}
        onBlur={({ target }) => {
          if (target.checkValidity() && draft !== (value?.toString() ?? '')) {
            onChange(draft === '' ? undefined : Number(draft));
          }
        }}
      />
    </label>
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
