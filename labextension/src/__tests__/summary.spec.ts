import { describe, expect, it } from 'vitest';

import type { IModelInfo, ModelState } from '../api/types';
import { isPassing, type Status, summarize } from '../status/summary';
import { aModel } from './models';

function models(states: Record<string, ModelState>): readonly IModelInfo[] {
  return Object.entries(states).map(([id, state]) => aModel({ id, state }));
}

function shown(
  states: Record<string, ModelState>,
  defaultId: string | null = null
): readonly string[] {
  const status = summarize(
    { default: defaultId, models: models(states), remote: [] },
    null
  );
  return 'model' in status
    ? [status.state, status.model.id, ...status.others.map(({ id }) => id)]
    : [status.state];
}

describe('summarize', () => {
  it.each<[string, Record<string, ModelState>, readonly string[]]>([
    ['no models', {}, ['none']],
    ['models on disk only', { a: 'unloaded' }, ['none']],
    ['the only one loaded', { a: 'unloaded', b: 'ready' }, ['ready', 'b']],
    [
      'one that answers before all others',
      { a: 'ready', b: 'loading', c: 'busy' },
      ['busy', 'c', 'a', 'b']
    ],
    [
      'one that loads before one that is ready',
      { a: 'ready', b: 'loading' },
      ['loading', 'b', 'a']
    ],
    [
      'one that is ready before one that goes',
      { a: 'unloading', b: 'ready' },
      ['ready', 'b', 'a']
    ],
    [
      'one that is loaded, without counting one that failed',
      { a: 'failed', b: 'ready' },
      ['ready', 'b']
    ],
    [
      'those that failed when nothing is loaded',
      { a: 'failed', b: 'unloaded', c: 'failed' },
      ['failed', 'a', 'c']
    ]
  ])('shows %s', (_, states, expected) => {
    expect(shown(states)).toEqual(expected);
  });

  it('names the default model among equals', () => {
    expect(shown({ a: 'ready', b: 'ready' }, 'b')).toEqual(['ready', 'b', 'a']);
  });

  it('names a more telling model before the default one', () => {
    expect(shown({ a: 'busy', b: 'ready' }, 'b')).toEqual(['busy', 'a', 'b']);
  });
});

describe('isPassing', () => {
  it.each<[ModelState, boolean]>([
    ['loading', true],
    ['busy', true],
    ['unloading', true],
    ['ready', false],
    ['failed', false],
    ['unloaded', false]
  ])('takes %s for %s', (state, expected) => {
    const status: Status = summarize(
      {
        default: null,
        models: models({ a: state }),
        remote: []
      },
      null
    );

    expect(isPassing(status)).toBe(expected);
  });
});
