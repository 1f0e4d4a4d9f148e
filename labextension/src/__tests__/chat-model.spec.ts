import { Signal } from '@lumino/signaling';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { IAttachment } from '../api/types';
import { ChatModel, type IMemory } from '../chat/model';
import type { IFiles, IWorkspace } from '../notebook/workspace';
import type { ILLMServer } from '../tokens';
import { FakeServer } from './fake-server';

const CELL: IAttachment = { kind: 'cell', name: 'Cell 1', content: '1 / 0' };

/** A notebook with one cell. */
class FakeWorkspace implements IWorkspace {
  readonly changed = new Signal<this, void>(this);
  readonly hasCell = true;
  isDisposed = false;

  cell(): readonly IAttachment[] {
    return [CELL];
  }

  selectedCells(): readonly IAttachment[] {
    return [CELL];
  }

  outputs(): readonly IAttachment[] {
    return [];
  }

  error(): readonly IAttachment[] {
    return [];
  }

  files(): Promise<IFiles> {
    const failure = {
      kind: 'refused',
      status: null,
      message: 'a.png'
    } as const;
    return Promise.resolve({ attachments: [CELL], failure });
  }

  put(): void {
    // Nobody looks.
  }

  dispose(): void {
    this.isDisposed = true;
  }
}

function stored(id: string, model: string | null = 'hello'): object {
  return { id, title: id, model, messages: [], branches: {} };
}

describe('ChatModel', () => {
  let server: FakeServer;
  let llm: ILLMServer;
  let remembered: string | null;
  let preferred: string | null;
  let chat: ChatModel;

  const pass = async (ms = 1): Promise<void> => {
    await vi.advanceTimersByTimeAsync(ms);
  };

  /** Have a conversation on the server; return what lets go of its answer. */
  const has = (id: string): (() => void) => {
    server.routes(
      'GET',
      `conversations/${id}/reply`,
      () => new Response(null, { status: 204 })
    );
    server.replies('PATCH', `conversations/${id}`, stored(id));
    let answer: () => void = () => undefined;
    const isTime = new Promise<void>(resolve => {
      answer = resolve;
    });
    server.routes('GET', `conversations/${id}`, async () => {
      await isTime;
      return Response.json(stored(id));
    });
    return answer;
  };

  const make = (): void => {
    const memory: IMemory = {
      get: () => remembered,
      set: id => {
        remembered = id;
      }
    };
    const manner = () => ({ model: preferred, system: '', options: {} });
    chat = new ChatModel(llm, memory, manner, new FakeWorkspace());
  };

  beforeEach(() => {
    vi.useFakeTimers();
    remembered = null;
    preferred = null;
    server = new FakeServer();
    server.lists(
      [{ id: 'hello', state: 'ready', capabilities: ['chat'] }],
      'hello'
    );
    server.replies('GET', 'conversations', { conversations: [] });
    server.replies('POST', 'conversations', stored('new'), 201);
    has('new')();
    llm = server.llm();
    make();
  });

  afterEach(() => {
    chat.dispose();
    llm.feed.dispose();
    vi.useRealTimers();
  });

  it('shows what was chosen last, whatever comes first', async () => {
    const answer = has('first');
    has('second')();

    void chat.open('first');
    void chat.open('second');
    await pass();
    answer();
    await pass();

    expect(chat.conversation.id).toBe('second');
  });

  it('stays with a new conversation that was begun meanwhile', async () => {
    remembered = 'old';
    const answer = has('old');
    make();
    chat.start();

    chat.fresh();
    answer();
    await pass();

    expect(chat.conversation.id).toBeNull();
  });

  it('stays with the conversation in which something was asked', async () => {
    const answer = has('old');
    const reply = server.streams('POST', 'conversations/new/reply');
    chat.start();
    await pass();
    void chat.open('old');

    chat.composer.text = 'Hi';
    void chat.send();
    await pass();
    reply.sends({ message: null, answer: 'a' }, 'message');
    answer();
    await pass();

    expect(chat.conversation.id).toBe('new');
    expect(server.asked('POST', 'conversations/new/reply')).toHaveLength(1);
  });

  it('gives a question back whose conversation went away', async () => {
    has('one')();
    has('two')();
    let answered: (response: Response) => void = () => undefined;
    const one = { ...stored('one'), model: null };
    server.replies('GET', 'conversations/one', one);
    server.routes(
      'PATCH',
      'conversations/one',
      () =>
        new Promise(resolve => {
          answered = resolve;
        })
    );
    chat.start();
    await chat.open('one');
    await pass();

    chat.composer.text = 'Hi';
    void chat.send();
    void chat.send();
    await pass();
    await chat.open('two');
    answered(Response.json(one));
    await pass();

    expect(chat.composer.text).toBe('Hi');
    expect(server.requests.filter(({ url }) => url.includes('reply'))).toEqual(
      server
        .asked('GET', 'conversations/one/reply')
        .concat(server.asked('GET', 'conversations/two/reply'))
    );
  });

  it('does not remember a conversation whose first question was refused', async () => {
    const error = { message: 'There is no model.' };
    server.replies('POST', 'conversations/new/reply', { error }, 404);
    server.replies('GET', 'conversations/new', stored('new'));
    server.replies('DELETE', 'conversations/new', {});
    chat.start();
    await pass();

    chat.composer.text = 'Hi';
    void chat.send();
    await pass();

    expect(remembered).toBeNull();
    expect(chat.composer.text).toBe('Hi');
    expect(chat.conversation.failure?.message).toBe('There is no model.');
  });

  it('leaves alone what is being written when something else is asked', async () => {
    server.streams('POST', 'conversations/new/reply');
    chat.start();
    await pass();
    chat.composer.text = 'Not yet';
    chat.composer.attach(CELL);

    void chat.ask('What can you do?');
    await pass();

    const [asked] = server.asked('POST', 'conversations/new/reply');
    expect(await asked?.json()).toMatchObject({ content: 'What can you do?' });
    expect(chat.composer.text).toBe('Not yet');
    expect(chat.composer.attachments).toEqual([CELL]);
  });

  it('asks about something beside what is being written', async () => {
    server.streams('POST', 'conversations/new/reply');
    chat.start();
    chat.composer.text = 'Not yet';

    void chat.askAbout('Explain this code.', [CELL]);
    await pass();

    const [asked] = server.asked('POST', 'conversations/new/reply');
    expect(await asked?.json()).toMatchObject({
      content: 'Explain this code.',
      attachments: [CELL]
    });
    expect(chat.composer.text).toBe('Not yet');
  });

  it('asks about it no more once something else is shown', async () => {
    has('other')();
    server.hangs();
    void chat.askAbout('Explain this code.', [CELL]);
    await pass();

    server.lists([{ id: 'hello' }], 'hello');
    has('other')();
    await chat.open('other');
    await pass();

    expect(server.asked('POST', 'conversations')).toHaveLength(0);
    expect(chat.composer.text).toBe('');
  });

  it('attaches what it can of the files, and complains about the rest', async () => {
    await chat.attachFiles();

    expect(chat.composer.attachments).toEqual([CELL]);
    expect(chat.failure?.message).toBe('a.png');
  });

  it('lets go of the notebook when it ends', () => {
    chat.dispose();

    expect(chat.workspace?.isDisposed).toBe(true);
  });

  it('begins anew with the model of the settings, wherever one was before', async () => {
    has('old')();
    await chat.open('old');

    chat.fresh();
    expect(chat.conversation.manner.model).toBe('hello');

    preferred = 'favourite';
    chat.fresh();
    expect(chat.conversation.manner.model).toBe('favourite');
  });

  it('opens what it could not open when the server is back', async () => {
    remembered = 'old';
    server.disappears();
    make();
    chat.start();
    await pass();
    expect(chat.failure?.kind).toBe('unreachable');

    has('old')();
    server.lists([]);
    await pass(3_000);

    expect(chat.conversation.id).toBe('old');
    expect(chat.failure).toBeNull();
  });

  it('asks once for what it remembers', async () => {
    remembered = 'old';
    make();
    has('old')();
    chat.start();
    await pass();

    expect(server.asked('GET', 'conversations/old')).toHaveLength(1);
  });

  it('does not complain about a conversation that is gone', async () => {
    const error = { message: 'There is no such conversation.' };
    server.replies('GET', 'conversations/old', { error }, 404);

    await chat.open('old');

    expect(chat.failure).toBeNull();
  });

  it('complains until it is told not to', async () => {
    server.replies('GET', 'conversations/old', {}, 500);
    await chat.open('old');
    expect(chat.failure?.status).toBe(500);

    chat.dismiss();

    expect(chat.failure).toBeNull();
  });
});
