import { describe, expect, it } from 'vitest';

import { codeOf, editTurns } from '../notebook/tasks';

describe('codeOf', () => {
  it.each([
    ['x = 1', 'x = 1'],
    ['```python\nx = 1\n```', 'x = 1'],
    ['Here it is:\n\n```python\nx = 1\ny = 2\n```\nEnjoy!', 'x = 1\ny = 2'],
    ['```python\nx = 1\ny', 'x = 1\ny'],
    ['~~~\nx = 1\n~~~', 'x = 1'],
    ['````md\n```\nx\n```\n````', '```\nx\n```'],
    ['', '']
  ])('finds the code of %j', (answer, code) => {
    expect(codeOf(answer)).toBe(code);
  });
});

describe('editTurns', () => {
  const cell = { language: 'python', source: '1 / 0', error: 'ZeroDivision' };

  it('tells the error to who is to repair it, and to nobody else', () => {
    expect(editTurns('fix', cell)[1]?.content).toContain('ZeroDivision');
    expect(editTurns('comment', cell)[1]?.content).not.toContain('Zero');
  });

  it('fences code that holds fences itself', () => {
    const source = 'print("```")';

    const asked = editTurns('refactor', { ...cell, source })[1]?.content ?? '';

    expect(codeOf(asked)).toBe(source);
  });
});
