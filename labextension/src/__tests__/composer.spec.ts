import { beforeEach, describe, expect, it } from 'vitest';

import { ComposerModel } from '../chat/composer';
import { FakeServer } from './fake-server';

describe('ComposerModel', () => {
  let server: FakeServer;
  let composer: ComposerModel;

  beforeEach(() => {
    server = new FakeServer();
    server.replies('GET', 'prompts', {
      prompts: [
        { id: '1', name: 'summarize', template: 'Sum up: {{text}}' },
        { id: '2', name: 'translate', template: 'Translate: {{text}}' }
      ]
    });
    composer = new ComposerModel(server.settings);
  });

  const offered = (): string[] => composer.suggestions.map(({ name }) => name);

  it('asks for prompts with a slash, once', async () => {
    composer.text = 'hello';
    expect(server.requests).toHaveLength(0);

    composer.text = '/';
    composer.text = '/s';
    await expect.poll(offered).toEqual(['summarize']);

    composer.text = '/';
    expect(offered()).toEqual(['summarize', 'translate']);
    expect(server.requests).toHaveLength(1);
  });

  it('offers none once the name is written', async () => {
    composer.text = '/';
    await expect.poll(offered).toHaveLength(2);

    composer.text = '/summarize this';

    expect(offered()).toEqual([]);
  });

  it('asks again after a failure', async () => {
    server.sends(500, '');
    server.routes('GET', 'prompts', () => new Response('', { status: 500 }));
    composer.text = '/';
    await expect.poll(() => server.requests.length).toBe(1);

    server.replies('GET', 'prompts', { prompts: [{ id: '1', name: 'a' }] });

    await expect
      .poll(() => {
        composer.text = '';
        composer.text = '/';
        return offered();
      })
      .toEqual(['a']);
  });

  it('finds prompts that were added since', async () => {
    composer.text = '/';
    await expect.poll(offered).toHaveLength(2);
    composer.text = '';

    server.replies('GET', 'prompts', { prompts: [{ id: '3', name: 'new' }] });
    composer.text = '/';

    await expect.poll(offered).toEqual(['new']);
  });

  it('lets go of what it asked when it ends', async () => {
    server.hangs();
    composer.text = '/';
    await expect.poll(() => server.requests).toHaveLength(1);

    composer.dispose();

    expect(server.requests[0]?.signal.aborted).toBe(true);
  });

  it('holds what is attached before what is asked, and no image as text', () => {
    composer.text = 'Why?';
    composer.attach(
      { kind: 'cell', name: 'Cell 1', content: 'x = 1' },
      { kind: 'image', name: 'Plot', content: 'data:image/png;base64,AAAA' }
    );

    expect(composer.content).toBe('x = 1\n\nWhy?');
    expect(composer.isEmpty).toBe(false);
  });

  it('takes back what could not be sent, before what was written since', () => {
    const cell = { kind: 'cell', name: 'Cell 1', content: 'x' };
    composer.text = 'first';
    composer.attach(cell);
    const { text, attachments } = composer.take();
    expect(composer.isEmpty).toBe(true);
    composer.text = 'second';

    composer.giveBack(text, attachments);

    expect(composer.text).toBe('first\nsecond');
    expect(composer.attachments).toEqual([cell]);
  });
});
