import { describe, expect, it } from 'vitest';

import { formatPercent, shortenName } from '../format';

describe('formatPercent', () => {
  it.each([
    [0.42, '42 %'],
    [0.58, '58 %'],
    [0.07, '\u20077 %'],
    [0, '\u20070 %'],
    [1, '99 %'],
    [-1, '\u20070 %']
  ])('writes %d as %j', (fraction, expected) => {
    expect(formatPercent(fraction)).toBe(expected);
  });
});

describe('shortenName', () => {
  it('leaves a name alone that fits', () => {
    const name = 'a'.repeat(28);

    expect(shortenName(name)).toBe(name);
  });

  it('keeps both ends of a longer one', () => {
    const short = shortenName('unsloth/Llama-3.2-1B-Instruct-GGUF:Q4_K_M');

    expect(short).toBe('unsloth/Llama-…t-GGUF:Q4_K_M');
    expect(short).toHaveLength(28);
  });
});
