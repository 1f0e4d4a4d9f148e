import * as React from 'react';
import { act } from 'react';
import { beforeEach, describe, expect, it } from 'vitest';

import { ConversationModel } from '../chat/conversation';
import { MannerDrawer } from '../chat/manner-drawer';
import { FakeServer } from './fake-server';
import { find, leave, mount, write } from './mount';

describe('MannerDrawer', () => {
  let conversation: ConversationModel;
  let drawer: HTMLElement;

  beforeEach(() => {
    conversation = new ConversationModel(new FakeServer().llm());
    drawer = mount(<MannerDrawer conversation={conversation} />);
  });

  const fill = async (label: string, text: string): Promise<void> => {
    await write(drawer, label, text);
    await leave(drawer, label);
  };

  it('keeps one setting when another is made', async () => {
    await fill('Temperature', '0.5');
    await fill('Top p', '0.9');

    expect(conversation.manner.options).toEqual({
      temperature: 0.5,
      top_p: 0.9
    });
  });

  it('takes fractions of any kind', async () => {
    await fill('Top p', '0.925');

    expect(conversation.manner.options).toEqual({ top_p: 0.925 });
  });

  it('says what is wrong with a number, until it is right', async () => {
    await fill('Top p', '7');
    await fill('Top k', '2.5');

    expect(conversation.manner.options).toEqual({});
    expect(drawer.textContent).toContain('A number from 0 to 1.');
    expect(drawer.textContent).toContain('A whole number from 0 to 1000.');
    expect(find(drawer, 'Top p')).toHaveProperty('value', '7');

    await fill('Top p', '0.7');
    await fill('Top k', '');
    expect(conversation.manner.options).toEqual({ top_p: 0.7 });
    expect(drawer.textContent).not.toContain('number from');
  });

  it('shows what was set elsewhere', () => {
    act(() => {
      void conversation.set({ options: { seed: 7 } });
    });

    expect(find(drawer, 'Seed')).toHaveProperty('value', '7');
  });
});
