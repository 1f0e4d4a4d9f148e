import * as React from 'react';
import { act } from 'react';
import { beforeEach, describe, expect, it } from 'vitest';

import { getConversation } from '../api/conversations';
import { ConversationModel } from '../chat/conversation';
import { Transcript } from '../chat/transcript';
import { FakeServer } from './fake-server';
import { find, mount, press, write } from './mount';

const REPLY = 'conversations/c/reply';
const QUESTION = { id: 'q', parent: null, role: 'user', content: 'Hi' };

describe('Transcript', () => {
  let server: FakeServer;
  let conversation: ConversationModel;
  let transcript: HTMLElement;

  beforeEach(async () => {
    server = new FakeServer();
    server.replies('GET', 'conversations/c', { id: 'c', messages: [QUESTION] });
    server.routes('GET', REPLY, () => new Response(null, { status: 204 }));
    const opened = await getConversation(server.settings, 'c');
    conversation = new ConversationModel(server.llm(), opened);
    await expect.poll(() => server.asked('GET', REPLY)).toHaveLength(1);
    transcript = mount(
      <Transcript
        conversation={conversation}
        provider={() => null}
        onSuggest={() => undefined}
      />
    );
  });

  const edit = async (text: string): Promise<void> => {
    await press(transcript, 'Edit and send again');
    await write(transcript, 'Question', text);
    await act(async () => {
      find(transcript, 'Question').closest('form')?.requestSubmit();
      await Promise.resolve();
    });
  };

  it('keeps what was written anew until the server has it', async () => {
    let answered: (response: Response) => void = () => undefined;
    server.routes(
      'POST',
      REPLY,
      () =>
        new Promise(resolve => {
          answered = resolve;
        })
    );

    await edit('Ho');
    expect(find(transcript, 'Send')).toHaveProperty('disabled', true);

    await act(async () => {
      answered(new Response('', { status: 500 }));
      await expect.poll(() => conversation.activity.state).toBe('idle');
    });
    expect(find(transcript, 'Question')).toHaveProperty('value', 'Ho');
    expect(find(transcript, 'Send')).toHaveProperty('disabled', false);
  });

  it('shows the new question in the place of the old one', async () => {
    const stream = server.streams('POST', REPLY);

    await edit('Ho');
    await act(async () => {
      const message = { ...QUESTION, id: 'r', content: 'Ho' };
      stream.sends({ message, answer: 'a' }, 'message');
      await expect.poll(() => conversation.messages).toHaveLength(2);
    });

    expect(transcript.querySelector('textarea')).toBeNull();
    expect(transcript.querySelector('.jp-llm-said')?.textContent).toBe('Ho');
  });

  it('asks before it deletes', async () => {
    const path = 'conversations/c/messages/q';
    server.replies('DELETE', path, null);

    await press(transcript, 'Delete this and what follows');
    await answer('.jp-mod-reject');
    expect(server.asked('DELETE', path)).toHaveLength(0);

    await press(transcript, 'Delete this and what follows');
    await answer('.jp-mod-warn');
    expect(server.asked('DELETE', path)).toHaveLength(1);
  });

  async function answer(button: string): Promise<void> {
    await act(async () => {
      await expect
        .poll(() => document.querySelector(`.jp-Dialog ${button}`))
        .not.toBeNull();
      document
        .querySelector<HTMLElement>(`.jp-Dialog ${button}`)
        ?.dispatchEvent(new MouseEvent('click', { bubbles: true }));
      await expect.poll(() => document.querySelector('.jp-Dialog')).toBeNull();
    });
  }
});
