import { stopIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { IconButton } from '../icon-button';
import { sendIcon } from '../icons';
import { useChanges } from '../use-changes';
import { useWords } from '../words';
import { AttachmentChips } from './attachment-chips';
import { AttachmentMenu } from './attachment-menu';
import type { ChatModel } from './model';
import { SlashMenu, useSlashMenu } from './slash-menu';

const MAX_HEIGHT = 240;

/** Where questions are written. */
export function ComposerView({
  model
}: {
  readonly model: ChatModel;
}): React.ReactElement {
  const trans = useWords();
  const { composer, conversation, count, workspace } = model;
  useChanges(composer.changed);
  useChanges(conversation.changed);
  useChanges(count.changed);
  const input = React.useRef<HTMLTextAreaElement>(null);
  const slash = useSlashMenu(composer, () => {
    selectGap(input.current);
  });
  React.useLayoutEffect(() => {
    grow(input.current);
  }, [composer.text]);
  const isBusy = conversation.activity.state !== 'idle';
  const isReady = model.model !== null && !composer.isEmpty;
  return (
    <form
      className="jp-llm-composer"
      data-lm-suppress-shortcuts="true"
      onSubmit={event => {
        event.preventDefault();
        void model.send();
      }}
    >
      <SlashMenu menu={slash} />
      <AttachmentChips
        attachments={composer.attachments}
        onRemove={attachment => {
          composer.detach(attachment);
        }}
      />
      <textarea
        ref={input}
        className="jp-llm-input"
        rows={1}
        aria-label={trans.__('Message')}
        placeholder={trans.__('Ask, or type / for a prompt')}
        {...slash.inputProps}
        value={composer.text}
        onChange={({ target }) => {
          composer.text = target.value;
        }}
        onKeyDown={event => {
          if (isComposing(event.nativeEvent) || slash.onKeyDown(event)) {
            return;
          }
          if (event.key === 'Enter' && !event.shiftKey) {
            event.preventDefault();
            void model.send();
          } else if (event.key === 'Escape' && isBusy) {
            void conversation.stop();
          }
        }}
      />
      <div className="jp-llm-composer-foot">
        {workspace && (
          <AttachmentMenu
            workspace={workspace}
            seesImages={model.model?.capabilities.includes('vision') ?? false}
            onAttach={attachments => {
              composer.attach(...attachments);
              input.current?.focus();
            }}
            onAttachFiles={() => {
              void model.attachFiles().then(() => {
                input.current?.focus();
              });
            }}
          />
        )}
        <span className="jp-llm-tokens">
          {!composer.isEmpty &&
            (count.isExact
              ? trans._n('%1 token', '%1 tokens', count.tokens)
              : trans._n('about %1 token', 'about %1 tokens', count.tokens))}
        </span>
        {isBusy ? (
          <IconButton
            key="stop"
            icon={stopIcon}
            label={trans.__('Stop (Escape)')}
            disabled={conversation.activity.state === 'stopping'}
            onClick={({ detail }) => {
              // The second click of a double one was meant for Send, which was here.
              if (detail < 2) {
                void conversation.stop();
              }
            }}
          />
        ) : (
          <IconButton
            key="send"
            icon={sendIcon}
            label={trans.__('Send (Enter)')}
            disabled={!isReady}
            onClick={() => {
              input.current?.focus();
              void model.send();
            }}
          />
        )}
      </div>
    </form>
  );
}

/** Whether a key belongs to an input method, which ends a word with Enter. */
function isComposing(event: KeyboardEvent): boolean {
  return (
    event.isComposing ||
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- Safari ends the composition before the key, and tells by the code alone.
    event.keyCode === 229
  );
}

function grow(input: HTMLTextAreaElement | null): void {
  if (input !== null) {
    input.style.height = 'auto';
    const height = Math.min(MAX_HEIGHT, input.scrollHeight + 2);
    input.style.height = `${height.toString()}px`;
  }
}

/** Select the first gap that a prompt leaves, to be written over. */
function selectGap(input: HTMLTextAreaElement | null): void {
  const gap = input === null ? null : /\{\{.*?\}\}/.exec(input.value);
  input?.focus();
  if (gap !== null) {
    input?.setSelectionRange(gap.index, gap.index + gap[0].length);
  }
}
