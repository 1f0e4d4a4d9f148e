import { describe, expect, it } from 'vitest';

import { whileGrowing } from '../chat/growing-code';

const LONG = 'x = 1\n'.repeat(1000);

describe('whileGrowing', () => {
  it.each(['```', '~~~~', '  ```'])('names no language of long code', fence => {
    expect(whileGrowing(`${fence}python\n${LONG}`)).toBe(`${fence}\n${LONG}`);
  });

  it.each(['```python\nx = 1\n', `A text, long as it is: ${LONG}`])(
    'leaves short code and other blocks as they are',
    source => {
      expect(whileGrowing(source)).toBe(source);
    }
  );
});
