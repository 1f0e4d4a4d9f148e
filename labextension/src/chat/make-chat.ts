import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { IWorkspace } from '../notebook/workspace';
import type { ILLMServer } from '../tokens';
import { ImageGuard } from './image-guard';
import type { IManner } from './conversation';
import { ChatModel } from './model';
import { PageMemory } from './page-memory';

/** What a chat needs of the page that it is in. */
export interface ISurroundings {
  readonly server: ILLMServer;
  readonly rendermime: IRenderMimeRegistry;
  readonly workspace: IWorkspace | null;
  /** How conversations are begun. */
  readonly manner: () => IManner;
  readonly trans: TranslationBundle;
}

/** A chat's model, and what its answers are rendered with. */
export interface IChatParts {
  readonly model: ChatModel;
  readonly rendering: {
    readonly rendermime: IRenderMimeRegistry;
    readonly images: ImageGuard;
    readonly workspace: IWorkspace | null;
  };
}

/** Make the parts of a chat; `place` tells a page's chats apart. */
export function makeChat(
  { server, rendermime, workspace, manner, trans }: ISurroundings,
  place: string
): IChatParts {
  const images = new ImageGuard(rendermime.sanitizer, address =>
    trans.__('Show the image from %1', hostOf(address))
  );
  return {
    model: new ChatModel(server, new PageMemory(place), manner, workspace),
    rendering: {
      rendermime: rendermime.clone({ sanitizer: images }),
      images,
      workspace
    }
  };
}

function hostOf(address: string): string {
  return URL.canParse(address, document.baseURI)
    ? new URL(address, document.baseURI).host
    : address;
}
