import { describe, expect, it } from 'vitest';

import { ShelfModel } from '../chat/shelf';
import { FakeServer } from './fake-server';

describe('ShelfModel', () => {
  it('leaves out what was begun, and in which nothing was said', async () => {
    const server = new FakeServer();
    server.replies('GET', 'conversations', {
      conversations: [
        { id: '1', title: '', message_count: 0 },
        { id: '2', title: 'Pandas', message_count: 2 },
        { id: '3', title: 'For later', message_count: 0 }
      ]
    });
    const shelf = new ShelfModel(server.settings);

    await shelf.refresh();

    expect(shelf.conversations?.map(({ id }) => id)).toEqual(['2', '3']);
  });
});
