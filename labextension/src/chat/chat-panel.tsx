import type { TranslationBundle } from '@jupyterlab/translation';
import {
  addIcon,
  historyIcon,
  ReactWidget,
  settingsIcon
} from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import { FailureNotice } from '../failure-notice';
import { IconButton } from '../icon-button';
import { useChanges } from '../use-changes';
import { useWords, Words } from '../words';
import { ComposerView } from './composer-view';
import { ConversationList } from './conversation-list';
import { MannerDrawer } from './manner-drawer';
import type { ChatModel } from './model';
import { ModelPicker } from './model-picker';
import { type IRendering, RenderingProvider } from './rendering';
import { Transcript } from './transcript';

/** The chat. Its model runs while the panel can be seen. */
export class ChatPanel extends ReactWidget {
  constructor(
    readonly model: ChatModel,
    private readonly _rendering: IRendering,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-llm-chat');
  }

  override dispose(): void {
    this.model.dispose();
    super.dispose();
  }

  protected override render(): React.ReactElement {
    return (
      <Words.Provider value={this._trans}>
        <RenderingProvider value={this._rendering}>
          <Chat model={this.model} />
        </RenderingProvider>
      </Words.Provider>
    );
  }

  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    if (this.isVisible) {
      this.model.start();
    }
  }

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this.model.start();
  }

  protected override onBeforeHide(msg: Message): void {
    super.onBeforeHide(msg);
    this.model.stop();
  }

  protected override onBeforeDetach(msg: Message): void {
    super.onBeforeDetach(msg);
    this.model.stop();
  }

  protected override onActivateRequest(msg: Message): void {
    super.onActivateRequest(msg);
    void this.renderPromise?.then(() => {
      this.node
        .querySelector<HTMLElement>('.jp-llm-composer textarea')
        ?.focus();
    });
  }
}

/** What is open beside the conversation. */
type Side = 'none' | 'shelf' | 'manner';

function Chat({ model }: { readonly model: ChatModel }): React.ReactElement {
  const trans = useWords();
  useChanges(model.changed);
  const [side, setSide] = React.useState<Side>('none');
  const { conversation, connection, failure } = model;
  const toggle = (wanted: Side) => () => {
    setSide(side === wanted ? 'none' : wanted);
  };
  return (
    <>
      <header className="jp-llm-chat-head">
        <ModelPicker model={model} />
        <IconButton
          icon={settingsIcon}
          label={trans.__('System prompt and sampling')}
          expanded={side === 'manner'}
          onClick={toggle('manner')}
        />
        <IconButton
          icon={historyIcon}
          label={trans.__('Conversations')}
          expanded={side === 'shelf'}
          onClick={toggle('shelf')}
        />
        <IconButton
          icon={addIcon}
          label={trans.__('New conversation')}
          onClick={() => {
            setSide('none');
            model.fresh();
          }}
        />
      </header>
      {connection.state === 'offline' && (
        <FailureNotice
          failure={connection.failure}
          isRetried
          onRetry={() => {
            model.retry();
          }}
        />
      )}
      {failure && (
        <FailureNotice
          failure={failure}
          onClose={() => {
            model.dismiss();
          }}
        />
      )}
      {side === 'manner' && (
        <MannerDrawer key={model.number} conversation={conversation} />
      )}
      {side === 'shelf' ? (
        <ConversationList
          model={model}
          onClose={() => {
            setSide('none');
          }}
        />
      ) : (
        <>
          <Transcript
            key={model.number}
            conversation={conversation}
            provider={() => model.model?.provider ?? null}
            onSuggest={text => {
              void model.ask(text);
            }}
          />
          <ComposerView model={model} />
        </>
      )}
    </>
  );
}
