import { beforeEach, describe, expect, it } from 'vitest';

import { ShelfModel } from '../chat/shelf';
import { FakeServer } from './fake-server';

/** Conversations as a server lists them, the newest with the highest number. */
function listed(newest: number, count: number): object {
  return {
    conversations: Array.from({ length: count }, (_, place) => ({
      id: (newest - place).toString(),
      title: 'Pandas',
      updated: `at ${(newest - place).toString()}`
    }))
  };
}

describe('ShelfModel', () => {
  let server: FakeServer;
  let shelf: ShelfModel;

  beforeEach(() => {
    server = new FakeServer();
    shelf = new ShelfModel(server.settings);
  });

  it('shows more where there are more, also after a change', async () => {
    server.routes('GET', 'conversations', ({ url }) =>
      Response.json(
        new URL(url).searchParams.get('before') === 'at 51'
          ? listed(50, 50)
          : listed(150, 100)
      )
    );
    await shelf.refresh();
    expect(shelf.conversations).toHaveLength(100);
    expect(shelf.hasMore).toBe(true);

    await shelf.showMore();
    expect(shelf.conversations).toHaveLength(150);
    expect(shelf.hasMore).toBe(false);

    await shelf.refresh();
    expect(shelf.conversations?.at(-1)?.id).toBe('1');
  });

  it('says what could not be renamed or deleted', async () => {
    server.replies('GET', 'conversations', listed(1, 1));
    server.replies('PATCH', 'conversations/1', {}, 500);
    server.replies('DELETE', 'conversations/1', {}, 503);

    await shelf.rename('1', 'NumPy');
    expect(shelf.failure?.status).toBe(500);

    await shelf.remove('1');
    expect(shelf.failure?.status).toBe(503);
  });
});
