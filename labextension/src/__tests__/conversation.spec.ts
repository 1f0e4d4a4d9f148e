import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { getConversation } from '../api/conversations';
import type { IMessage } from '../api/types';
import { ConversationModel } from '../chat/conversation';
import type { ILLMServer } from '../tokens';
import { FakeServer, type FakeStream } from './fake-server';

const REPLY = 'conversations/c/reply';

const QUESTION = { id: 'q', parent: null, role: 'user', content: 'Hi' };
const ANSWER = {
  id: 'a',
  parent: 'q',
  role: 'assistant',
  content: 'Hello!',
  model: 'hello',
  finish_reason: 'stop'
};

function stored(...messages: readonly object[]): object {
  return {
    id: 'c',
    title: 'Hi',
    model: 'hello',
    system: '',
    options: {},
    updated: '2026-01-01T00:00:00Z',
    message_count: messages.length,
    revision: 1,
    messages,
    branches: {}
  };
}

function chunk(delta: object, more: object = {}): object {
  return { choices: [{ index: 0, delta, finish_reason: null }], ...more };
}

describe('ConversationModel', () => {
  let server: FakeServer;
  let llm: ILLMServer;
  let stream: FakeStream;
  let model: ConversationModel;

  const pass = async (ms = 1): Promise<void> => {
    await vi.advanceTimersByTimeAsync(ms);
  };

  const texts = (): string[] => model.messages.map(({ content }) => content);

  const said = (place: number): IMessage => {
    const message = model.messages[place];
    if (message === undefined) {
      throw new Error(`There is no message ${place.toString()}.`);
    }
    return message;
  };

  /** Open the conversation as the server has it, in which nothing goes on. */
  const open = async (...messages: readonly object[]): Promise<void> => {
    server.replies('GET', 'conversations/c', stored(...messages));
    server.routes('GET', REPLY, () => new Response(null, { status: 204 }));
    model.dispose();
    model = new ConversationModel(
      llm,
      await getConversation(server.settings, 'c')
    );
    await pass();
  };

  beforeEach(() => {
    vi.useFakeTimers();
    server = new FakeServer();
    server.replies('POST', 'conversations', stored(), 201);
    server.replies('GET', 'conversations/c', stored(QUESTION, ANSWER));
    stream = server.streams('POST', REPLY);
    llm = server.llm();
    model = new ConversationModel(llm, null, {
      model: 'hello',
      system: 'Be brief.',
      options: { temperature: 0 }
    });
  });

  afterEach(() => {
    model.dispose();
    llm.feed.dispose();
    vi.useRealTimers();
  });

  it('asks nothing before something is sent', async () => {
    await pass(60_000);

    expect(server.requests).toHaveLength(0);
  });

  it('makes itself on the server with the first question', async () => {
    void model.send('Hi', []);
    await pass();

    const [made] = server.asked('POST', 'conversations');
    expect(await made?.json()).toEqual({
      model: 'hello',
      system: 'Be brief.',
      options: { temperature: 0 }
    });
    expect(model.id).toBe('c');
    expect(texts()).toEqual(['Hi']);
    expect(model.activity.state).toBe('sending');
  });

  it('shows what is done before the answer, then the answer as it grows', async () => {
    const sent = model.send('Hi', []);
    await pass();

    stream.sends({ message: QUESTION, answer: 'a' }, 'message');
    stream.sends(
      { status: 'loading', stage: 'reading', fraction: 0.5 },
      'status'
    );
    await pass();
    expect(model.activity).toMatchObject({
      state: 'waiting',
      step: { kind: 'loading', progress: { fraction: 0.5 } }
    });

    stream.sends(chunk({ reasoning_content: 'Polite.' }));
    stream.sends(chunk({ content: 'Hel' }));
    stream.sends(chunk({ content: 'lo!' }));
    await pass();
    expect(model.activity.state).toBe('writing');
    expect(model.messages.at(-1)).toMatchObject({
      id: 'a',
      reasoning: 'Polite.',
      content: 'Hello!'
    });

    stream.writes('data: [DONE]\n\n');
    await pass();
    expect(await sent).toBe(true);
    expect(model.activity.state).toBe('idle');
    expect(texts()).toEqual(['Hi', 'Hello!']);
  });

  it('tells of a fast answer no more than twelve times a second', async () => {
    void model.send('Hi', []);
    await pass();
    stream.sends({ message: QUESTION, answer: 'a' }, 'message');
    await pass();
    const changed = vi.fn();
    model.changed.connect(changed);

    for (let i = 0; i < 200; i += 1) {
      stream.sends(chunk({ content: 'x' }));
      await pass(5);
    }

    expect(changed.mock.calls.length).toBeLessThanOrEqual(14);
    expect(model.messages.at(-1)?.content).toHaveLength(200);
  });

  it('keeps the pace of an answer, which the status bar shows', async () => {
    void model.send('Hi', []);
    await pass();
    stream.sends({ message: QUESTION, answer: 'a' }, 'message');
    stream.sends({
      choices: [],
      usage: { prompt_tokens: 3, completion_tokens: 7 },
      timings: { prompt_ms: 20, predicted_per_second: 42 }
    });
    stream.sends(chunk({ content: 'Hello!' }));
    stream.ends();
    await pass();

    expect(llm.pace.pace).toEqual({ model: 'hello', tokensPerSecond: 42 });
    expect(model.messages.at(-1)?.timings?.tokensPerSecond).toBe(42);
  });

  it('says why a question was refused, and is as it was', async () => {
    await open(QUESTION, ANSWER);
    const error = { message: 'Too many are waiting.' };
    server.replies('POST', REPLY, { error }, 429);

    const sent = model.send('And?', []);
    await pass();

    expect(await sent).toBe(false);
    expect(model.failure?.message).toBe('Too many are waiting.');
    expect(texts()).toEqual(['Hi', 'Hello!']);
    expect(model.activity.state).toBe('idle');
  });

  it('leaves nothing on the server when its first question is refused', async () => {
    const error = { message: 'There is no model.' };
    server.replies('POST', REPLY, { error }, 404);
    server.replies('GET', 'conversations/c', stored());
    server.routes(
      'DELETE',
      'conversations/c',
      () => new Response(null, { status: 204 })
    );
    const told = vi.fn(() => model.id);
    model.stored.connect(told);

    const sent = model.send('Hi', []);
    await pass();

    expect(await sent).toBe(false);
    expect(server.asked('DELETE', 'conversations/c')).toHaveLength(1);
    expect(model.id).toBeNull();
    expect(told.mock.results).toEqual([{ type: 'return', value: null }]);
    expect(model.failure?.message).toBe('There is no model.');
    expect(model.manner).toMatchObject({ model: 'hello' });

    void model.send('Hi', []);
    await pass();
    expect(server.asked('POST', 'conversations')).toHaveLength(2);
  });

  it('does not complain where that cannot be deleted', async () => {
    const error = { message: 'There is no model.' };
    server.replies('POST', REPLY, { error }, 404);
    server.replies('GET', 'conversations/c', stored());
    server.replies('DELETE', 'conversations/c', {}, 500);

    void model.send('Hi', []);
    await pass();

    expect(model.id).toBeNull();
    expect(model.failure?.status).toBe(404);
  });

  it('stays where the server has the question, though it seemed lost', async () => {
    server.routes('POST', REPLY, () => Promise.reject(new TypeError('no')));
    server.replies('GET', 'conversations/c', stored(QUESTION));
    const told = vi.fn(() => model.id);
    model.stored.connect(told);

    const sent = model.send('Hi', []);
    await pass();

    expect(await sent).toBe(false);
    expect(server.asked('DELETE', 'conversations/c')).toHaveLength(0);
    expect(told.mock.results).toEqual([{ type: 'return', value: 'c' }]);
    expect(model.failure?.kind).toBe('unreachable');
  });

  it('stays where it is unknown whether the first question arrived', async () => {
    server.replies('POST', REPLY, {}, 502);
    server.replies('GET', 'conversations/c', {}, 502);

    void model.send('Hi', []);
    await pass();

    expect(server.asked('DELETE', 'conversations/c')).toHaveLength(0);
    expect(model.id).toBe('c');
    expect(model.failure?.status).toBe(502);
  });

  it('stays where something else is asked in it meanwhile', async () => {
    server.replies('POST', REPLY, {}, 502);
    let answer: () => void = () => undefined;
    const isTime = new Promise<void>(resolve => {
      answer = resolve;
    });
    server.routes('GET', 'conversations/c', async () => {
      await isTime;
      return Response.json(stored());
    });
    void model.send('Hi', []);
    await pass();
    stream = server.streams('POST', REPLY);
    void model.send('Hi again', []);
    await pass();
    answer();
    await pass();

    expect(server.asked('DELETE', 'conversations/c')).toHaveLength(0);
    expect(model.id).toBe('c');
  });

  it('is in the lists once its first answer has begun', async () => {
    const told = vi.fn();
    model.stored.connect(told);
    void model.send('Hi', []);
    await pass();
    expect(told).not.toHaveBeenCalled();

    stream.sends({ message: QUESTION, answer: 'a' }, 'message');
    await pass();

    expect(told).toHaveBeenCalledOnce();
  });

  it('keeps the question when its answer fails, to be answered once more', async () => {
    server.replies('GET', 'conversations/c', stored(QUESTION));
    const sent = model.send('Hi', []);
    await pass();
    stream.sends({ message: QUESTION, answer: 'a' }, 'message');
    stream.sends({ error: { message: 'It needs 9 GB.' } }, 'error');
    await pass();

    expect(await sent).toBe(true);
    expect(model.failure?.message).toBe('It needs 9 GB.');
    expect(texts()).toEqual(['Hi']);

    server.streams('POST', REPLY);
    void model.retry();
    await pass();
    const asked = server.asked('POST', REPLY);
    expect(await asked.at(-1)?.json()).toMatchObject({ parent: 'q' });
    expect(model.failure).toBeNull();
  });

  it('finds its answer again after a lost connection', async () => {
    void model.send('Hi', []);
    await pass();
    stream.sends({ message: QUESTION, answer: 'a' }, 'message');
    stream.sends(chunk({ content: 'Hel' }));
    await pass();

    const again = server.streams('GET', REPLY);
    stream.breaks();
    await pass();
    expect(model.activity.state).toBe('lost');
    again.sends({ message: QUESTION, answer: 'a' }, 'message');
    again.sends(chunk({ content: 'Hel' }));
    again.sends(chunk({ content: 'lo' }));
    await pass(1_000);

    expect(texts()).toEqual(['Hi', 'Hello']);
    expect(model.activity.state).toBe('writing');
  });

  it('goes on trying while the server is away', async () => {
    void model.send('Hi', []);
    await pass();
    stream.sends({ message: QUESTION, answer: 'a' }, 'message');
    await pass();

    server.routes('GET', REPLY, () => Promise.reject(new TypeError('no')));
    stream.breaks();
    await pass(10_000);
    expect(model.activity.state).toBe('lost');

    server.routes('GET', REPLY, () => new Response(null, { status: 204 }));
    await pass(2_000);
    expect(model.activity.state).toBe('idle');
    expect(texts()).toEqual(['Hi', 'Hello!']);
  });

  it('keeps what it saw of an answer that the server lost', async () => {
    server.replies('GET', 'conversations/c', stored(QUESTION));
    void model.send('Hi', []);
    await pass();
    stream.sends({ message: QUESTION, answer: 'a' }, 'message');
    stream.sends(chunk({ content: 'Hel' }));
    await pass();

    server.routes('GET', REPLY, () => new Response(null, { status: 204 }));
    stream.breaks();
    await pass(2_000);

    expect(model.activity.state).toBe('idle');
    expect(texts()).toEqual(['Hi', 'Hel']);
    expect(model.messages.at(-1)?.finishReason).toBe('lost');
  });

  it('goes on with an answer that is being written when it is opened', async () => {
    server.replies('GET', 'conversations/c', stored(QUESTION));
    const running = server.streams('GET', REPLY);
    const opened = await getConversation(server.settings, 'c');
    model.dispose();
    model = new ConversationModel(llm, opened);
    running.sends({ message: QUESTION, answer: 'a' }, 'message');
    running.sends(chunk({ content: 'Hello' }));
    await pass();

    expect(texts()).toEqual(['Hi', 'Hello']);
    expect(model.activity.state).toBe('writing');
  });

  it('has the server stop, and follows until it has', async () => {
    server.replies('POST', 'conversations/c/stop', {});
    void model.send('Hi', []);
    await pass();
    stream.sends({ message: QUESTION, answer: 'a' }, 'message');
    stream.sends(chunk({ content: 'Hel' }));
    await pass();

    void model.stop();
    await pass();
    expect(server.asked('POST', 'conversations/c/stop')).toHaveLength(1);
    expect(model.activity.state).toBe('stopping');

    stream.ends();
    await pass();
    expect(model.activity.state).toBe('idle');
  });

  it('lets an answer go on when it is looked at no longer', async () => {
    void model.send('Hi', []);
    await pass();
    stream.sends({ message: QUESTION, answer: 'a' }, 'message');
    await pass();

    model.dispose();

    expect(server.asked('POST', REPLY)[0]?.signal.aborted).toBe(true);
    expect(server.asked('POST', 'conversations/c/stop')).toHaveLength(0);
  });

  it('has a question answered once more beside the answer', async () => {
    await open(QUESTION, ANSWER);

    void model.regenerate(said(1));
    await pass();

    const [asked] = server.asked('POST', REPLY);
    expect(await asked?.json()).toMatchObject({ parent: 'q', model: 'hello' });
    expect(texts()).toEqual(['Hi']);
  });

  it('asks otherwise beside the question', async () => {
    await open(QUESTION, ANSWER);

    void model.edit(said(0), 'Ho');
    await pass();

    const [asked] = server.asked('POST', REPLY);
    expect(await asked?.json()).toMatchObject({ parent: null, content: 'Ho' });
    expect(texts()).toEqual(['Ho']);
  });

  it('shows another version, and not the one before as well', async () => {
    await open(QUESTION, ANSWER);
    const other = { ...ANSWER, id: 'b', content: 'Good day.' };
    server.replies('PATCH', 'conversations/c', stored(QUESTION, other));
    server.replies('GET', 'conversations/c', stored(QUESTION, other));

    await model.choose('b');

    const [changed] = server.asked('PATCH', 'conversations/c');
    expect(await changed?.json()).toEqual({ head: 'b' });
    expect(texts()).toEqual(['Hi', 'Good day.']);
  });

  it('has an answer gone on with, whose beginning is told again', async () => {
    await open(QUESTION, { ...ANSWER, finish_reason: 'length' });

    void model.resume(said(1));
    await pass();
    stream.sends({ message: null, answer: 'b' }, 'message');
    stream.sends(chunk({ content: 'Hello!' }));
    stream.sends(chunk({ content: ' You?' }));
    await pass();

    const [asked] = server.asked('POST', REPLY);
    expect(await asked?.json()).toMatchObject({ parent: 'a', continue: true });
    expect(texts()).toEqual(['Hi', 'Hello! You?']);
  });

  it('shows the tools that an answer wants called', async () => {
    void model.send('Hi', []);
    await pass();
    stream.sends({ message: QUESTION, answer: 'a' }, 'message');
    for (const [name, text] of [
      ['sum', '{"a"'],
      ['', ':1}']
    ] as const) {
      const call = { index: 0, function: { name, arguments: text } };
      stream.sends(chunk({ tool_calls: [call] }));
    }
    await pass();

    expect(model.messages.at(-1)?.toolCalls).toEqual([
      { id: '', name: 'sum', arguments: '{"a":1}' }
    ]);
  });

  it('sends attachments along', async () => {
    const cell = { kind: 'cell', name: 'Cell 1', content: '1 / 0' };

    void model.send('Why?', [cell]);
    await pass();

    const [asked] = server.asked('POST', REPLY);
    expect(await asked?.json()).toMatchObject({ attachments: [cell] });
  });

  it('sends one question at a time', async () => {
    void model.send('Hi', []);
    await pass();

    expect(await model.send('Ho', [])).toBe(false);
    expect(server.asked('POST', REPLY)).toHaveLength(1);
  });

  it('does not take for its own what another answer made of it meanwhile', async () => {
    await open(QUESTION, ANSWER);
    let answered: (response: Response) => void = () => undefined;
    server.routes(
      'GET',
      'conversations/c',
      () =>
        new Promise(resolve => {
          answered = resolve;
        })
    );
    void model.refresh();
    await pass();

    void model.send('And?', []);
    stream.sends(
      { message: { ...QUESTION, id: 'r', content: 'And?' }, answer: 'b' },
      'message'
    );
    stream.sends(chunk({ content: 'one' }));
    await pass();
    answered(Response.json(stored(QUESTION, ANSWER)));
    stream.sends(chunk({ content: ' two' }));
    await pass();

    expect(texts()).toEqual(['Hi', 'Hello!', 'And?', 'one two']);
  });

  it('is busy with a question, though it was about to look for an answer', async () => {
    let answered: (response: Response) => void = () => undefined;
    server.routes(
      'GET',
      REPLY,
      () =>
        new Promise(resolve => {
          answered = resolve;
        })
    );
    const opened = await getConversation(server.settings, 'c');
    model.dispose();
    model = new ConversationModel(llm, opened);
    await pass();

    void model.send('And?', []);
    await pass();
    answered(new Response(null, { status: 204 }));
    await pass();

    expect(model.activity.state).toBe('sending');
    expect(await model.send('And?', [])).toBe(false);
    expect(server.asked('POST', REPLY)).toHaveLength(1);
  });

  it('is busy as soon as it finds an answer', async () => {
    const running = server.streams('GET', REPLY);
    const opened = await getConversation(server.settings, 'c');
    model.dispose();
    model = new ConversationModel(llm, opened);
    running.sends({ message: QUESTION, answer: 'a' }, 'message');
    await pass();

    expect(model.activity.state).toBe('sending');
  });

  it('asks nothing once it is disposed', async () => {
    model.dispose();

    expect(await model.send('Hi', [])).toBe(false);
    expect(server.requests).toHaveLength(0);
  });

  it('stops an answer as soon as there is one to stop', async () => {
    server.replies('POST', 'conversations/c/stop', {});
    void model.send('Hi', []);

    void model.stop();
    await pass();
    expect(model.activity.state).toBe('stopping');
    expect(server.asked('POST', 'conversations/c/stop')).toHaveLength(0);

    stream.sends({ message: QUESTION, answer: 'a' }, 'message');
    await pass();
    expect(server.asked('POST', 'conversations/c/stop')).toHaveLength(1);
    expect(model.activity.state).toBe('stopping');
  });

  it('goes on where the server could not be told to stop', async () => {
    server.replies('POST', 'conversations/c/stop', {}, 500);
    void model.send('Hi', []);
    await pass();
    stream.sends({ message: QUESTION, answer: 'a' }, 'message');
    stream.sends(chunk({ content: 'Hel' }));
    await pass();

    await model.stop();

    expect(model.activity.state).toBe('writing');
    expect(model.failure?.status).toBe(500);
  });

  it('says which model answers instead, and keeps that one’s pace', async () => {
    void model.send('Hi', []);
    await pass();
    stream.sends({ message: QUESTION, answer: 'a' }, 'message');
    stream.sends({ status: 'rerouted', model: 'other' }, 'status');
    stream.sends(chunk({ content: 'Hel' }));
    await pass();
    expect(model.messages.at(-1)?.model).toBe('other');

    stream.sends({ choices: [], timings: { predicted_per_second: 42 } });
    await pass();
    expect(llm.pace.pace).toEqual({ model: 'other', tokensPerSecond: 42 });
  });
});
