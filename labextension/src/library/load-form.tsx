import * as React from 'react';

import type { ILoadOptions, IModelInfo, IPreflight } from '../api/types';
import { FailureNotice } from '../failure-notice';
import { formatBytes } from '../format';
import { useChanges } from '../use-changes';
import { useFocusBack } from '../use-focus-back';
import { useWords } from '../words';
import type { LibraryModel } from './model';
import type { LoadPlan } from './plan';

const KV_TYPES = ['f16', 'q8_0', 'q5_1', 'q4_0'];

interface ILoadFormProps {
  readonly info: IModelInfo;
  readonly model: LibraryModel;
  readonly onClose: () => void;
  readonly onLoad: (options: ILoadOptions) => void;
}

/** How a model is to be loaded, with what it will take before it is taken. */
export function LoadForm({
  info,
  model,
  onClose,
  onLoad
}: ILoadFormProps): React.ReactElement | null {
  const [plan, setPlan] = React.useState<LoadPlan | null>(null);
  React.useEffect(() => {
    const made = model.plan(info);
    setPlan(made);
    return () => {
      made.dispose();
    };
    // The plan outlives changes of the model's status.
  }, [model, info.id]);
  return plan && <PlanForm plan={plan} onClose={onClose} onLoad={onLoad} />;
}

interface IPlanFormProps extends Pick<ILoadFormProps, 'onClose' | 'onLoad'> {
  readonly plan: LoadPlan;
}

function PlanForm({
  plan,
  onClose,
  onLoad
}: IPlanFormProps): React.ReactElement {
  const trans = useWords();
  useChanges(plan.changed);
  const form = useFocusBack();
  const { id, trainedContext } = plan.model;
  return (
    <form
      ref={form}
      className="jp-llm-form"
      aria-label={trans.__('Load %1 with options', id)}
      data-lm-suppress-shortcuts="true"
      onSubmit={event => {
        event.preventDefault();
        onLoad(plan.options);
      }}
    >
      <NumberField
        label={trans.__('Context, in tokens')}
        most={trainedContext}
        value={plan.options.context_length}
        onChange={value => {
          plan.set('context_length', value);
        }}
      />
      <NumberField
        label={trans.__('Requests at once')}
        most={64}
        value={plan.options.slots}
        onChange={value => {
          plan.set('slots', value);
        }}
      />
      <label>
        {trans.__('Layers on the GPU')}
        <select
          className="jp-llm-input"
          value={plan.options.gpu_layers ?? 'auto'}
          onChange={({ target }) => {
            plan.set('gpu_layers', layersOf(target.value));
          }}
        >
          <option value="auto">{trans.__('As many as fit')}</option>
          <option value="all">{trans.__('All')}</option>
          <option value="0">{trans.__('None')}</option>
        </select>
      </label>
      <label>
        {trans.__('Precision of the cache')}
        <select
          className="jp-llm-input"
          value={plan.options.kv_type ?? 'f16'}
          onChange={({ target }) => {
            plan.set('kv_type', target.value);
          }}
        >
          {KV_TYPES.map(type => (
            <option key={type}>{type}</option>
          ))}
        </select>
      </label>
      <Estimate plan={plan} />
      <div className="jp-llm-form-buttons">
        <button type="button" className="jp-llm-button" onClick={onClose}>
          {trans.__('Cancel')}
        </button>
        <button
          type="submit"
          className="jp-llm-button jp-llm-main"
          disabled={plan.preflight?.ok === false}
        >
          {trans.__('Load')}
        </button>
      </div>
    </form>
  );
}

function layersOf(value: string): 'auto' | 'all' | number {
  return value === 'auto' || value === 'all' ? value : Number(value);
}

interface INumberFieldProps {
  readonly label: string;
  readonly most: number | null;
  readonly value: number | undefined;
  readonly onChange: (value: number | undefined) => void;
}

function NumberField({
  label,
  most,
  value,
  onChange
}: INumberFieldProps): React.ReactElement {
  const trans = useWords();
  return (
    <label>
      {label}
      <input
        className="jp-llm-input"
        type="number"
        min={1}
        max={most ?? undefined}
        placeholder={trans.__('automatic')}
        value={value ?? ''}
        onChange={({ target }) => {
          onChange(target.value === '' ? undefined : Number(target.value));
        }}
      />
    </label>
  );
}

function Estimate({ plan }: { readonly plan: LoadPlan }): React.ReactElement {
  const trans = useWords();
  return (
    <div aria-live="polite">
      {plan.failure ? (
        <FailureNotice failure={plan.failure} />
      ) : plan.preflight ? (
        <Verdict preflight={plan.preflight} />
      ) : (
        trans.__('Estimating what it takes…')
      )}
    </div>
  );
}

function Verdict({
  preflight
}: {
  readonly preflight: IPreflight;
}): React.ReactElement {
  const trans = useWords();
  const { memory, evicts, checks } = preflight;
  return (
    <>
      {memory && (
        <p>
          {trans.__(
            'Takes %1, for %2 tokens of context.',
            Object.entries(memory.devices)
              .map(([device, bytes]) =>
                trans.__('%1 on %2', formatBytes(bytes), device)
              )
              .join(', '),
            memory.contextLength.toLocaleString()
          )}
        </p>
      )}
      {evicts.length > 0 && (
        <p>
          {trans.__('To make room, %1 will be unloaded.', evicts.join(', '))}
        </p>
      )}
      {checks
        .filter(({ ok }) => !ok)
        .map(({ name, message }) => (
          <p key={name} className="jp-llm-bad">
            {message}
          </p>
        ))}
    </>
  );
}
