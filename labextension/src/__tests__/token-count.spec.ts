import { beforeEach, describe, expect, it } from 'vitest';

import { TokenCountModel } from '../chat/token-count';
import { FakeServer } from './fake-server';

const LONG = 'word '.repeat(200);

describe('TokenCountModel', () => {
  let server: FakeServer;
  let count: TokenCountModel;

  beforeEach(() => {
    server = new FakeServer();
    server.replies('POST', 'tokenize', { model: 'guide', count: 321 });
    count = new TokenCountModel(server.settings);
  });

  it('guesses at once, and counts a moment later', async () => {
    count.look(LONG, 'guide');
    expect(count.tokens).toBe(250);
    expect(count.isExact).toBe(false);

    await expect.poll(() => count.isExact).toBe(true);
    expect(count.tokens).toBe(321);
    const [request] = server.asked('POST', 'tokenize');
    expect(await request?.json()).toEqual({
      model: 'guide',
      content: LONG,
      count: true
    });
  });

  it('counts a text once, and only the last of several', async () => {
    count.look(LONG, 'guide');
    count.look(`${LONG}more`, 'guide');
    count.look(`${LONG}more`, 'guide');
    await expect.poll(() => count.isExact).toBe(true);

    expect(server.asked('POST', 'tokenize')).toHaveLength(1);

    count.look(LONG, 'guide');
    expect(count.isExact).toBe(false);
  });

  it('counts again for another model', async () => {
    count.look(LONG, 'guide');
    await expect.poll(() => count.isExact).toBe(true);

    count.look(LONG, 'other');
    expect(count.isExact).toBe(false);
    await expect.poll(() => count.isExact).toBe(true);
  });

  it.each([
    ['short', 'guide'],
    [LONG, null]
  ])('asks nobody about what is short, or read elsewhere', (text, model) => {
    count.look(text, model);

    expect(count.tokens).toBe(Math.ceil(text.length / 4));
    expect(server.requests).toHaveLength(0);
  });

  it('keeps the guess where nobody answers', async () => {
    server.sends(500, '');
    server.routes('POST', 'tokenize', () => new Response('', { status: 500 }));
    count.look(LONG, 'guide');

    await expect.poll(() => server.requests.length).toBe(1);
    expect(count.tokens).toBe(250);
  });
});
