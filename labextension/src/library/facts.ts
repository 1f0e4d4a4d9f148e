import type { TranslationBundle } from '@jupyterlab/translation';

import type { IModelInfo } from '../api/types';
import { formatBytes, formatCount } from '../format';
import { describeRequests } from '../requests';

/** What a model is, in one line: size, precision, abilities. */
export function describeFacts(
  info: IModelInfo,
  trans: TranslationBundle
): string {
  const { parameters, quantization, size, capabilities } = info;
  const facts = [
    parameters === null ? '' : trans.__('%1 weights', formatCount(parameters)),
    quantization ?? '',
    size === 0 ? '' : formatBytes(size),
    capabilities.join(', ')
  ];
  return facts.filter(fact => fact !== '').join(' · ');
}

/** What a model does and takes right now; null where there is nothing to say. */
export function describeState(
  info: IModelInfo,
  trans: TranslationBundle
): string | null {
  switch (info.state) {
    case 'ready':
      return describeUse(info, trans);
    case 'busy':
      return [
        describeRequests(info.slots, trans),
        describeUse(info, trans)
      ].join(' · ');
    case 'unloading':
      return trans.__('Giving its memory back');
    case 'failed':
      return info.error?.message ?? trans.__('It failed.');
    default:
      return info.error?.message ?? null;
  }
}

function describeUse(
  { memory, contextLength }: IModelInfo,
  trans: TranslationBundle
): string {
  const uses = Object.entries(memory?.devices ?? {}).map(([device, bytes]) =>
    trans.__('%1 on %2', formatBytes(bytes), device)
  );
  if (contextLength !== null) {
    uses.push(trans.__('%1 tokens of context', contextLength.toLocaleString()));
  }
  return uses.join(' · ');
}
