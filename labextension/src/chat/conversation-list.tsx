import { Dialog, InputDialog, showDialog } from '@jupyterlab/apputils';
import {
  deleteIcon,
  downloadIcon,
  editIcon,
  notebookIcon
} from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IConversation } from '../api/types';
import { FailureNotice } from '../failure-notice';
import { IconButton } from '../icon-button';
import { useChanges } from '../use-changes';
import { useWords } from '../words';
import type { ChatModel } from './model';

interface IConversationListProps {
  readonly model: ChatModel;
  readonly onClose: () => void;
}

/** All conversations: searched, opened, renamed, exported and deleted. */
export function ConversationList({
  model,
  onClose
}: IConversationListProps): React.ReactElement {
  const trans = useWords();
  const { shelf } = model;
  useChanges(shelf.changed);
  React.useEffect(() => {
    void shelf.refresh();
  }, [shelf]);
  const { conversations, failure, hasMore } = shelf;
  return (
    <div
      className="jp-llm-shelf"
      role="region"
      aria-label={trans.__('Conversations')}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          onClose();
        }
      }}
    >
      <input
        type="search"
        className="jp-llm-input"
        placeholder={trans.__('Search conversations')}
        aria-label={trans.__('Search conversations')}
        data-lm-suppress-shortcuts="true"
        autoFocus
        value={shelf.search}
        onChange={({ target }) => {
          shelf.search = target.value;
        }}
      />
      {failure && (
        <FailureNotice
          failure={failure}
          onRetry={() => {
            void shelf.refresh();
          }}
        />
      )}
      <ul>
        {conversations?.map(conversation => (
          <ConversationRow
            key={conversation.id}
            conversation={conversation}
            model={model}
            onClose={onClose}
          />
        ))}
      </ul>
      {hasMore && (
        <button
          type="button"
          className="jp-llm-button"
          onClick={() => {
            void shelf.showMore();
          }}
        >
          {trans.__('Show more')}
        </button>
      )}
      {conversations?.length === 0 && (
        <p className="jp-llm-emptiness">
          {shelf.search === ''
            ? trans.__('There is no conversation yet.')
            : trans.__('No conversation holds “%1”.', shelf.search)}
        </p>
      )}
    </div>
  );
}

function ConversationRow({
  conversation,
  model,
  onClose
}: IConversationListProps & {
  readonly conversation: IConversation;
}): React.ReactElement {
  const trans = useWords();
  const { id } = conversation;
  const title =
    conversation.title === '' ? trans.__('Untitled') : conversation.title;
  return (
    <li className="jp-llm-row" data-conversation={id}>
      <div className="jp-llm-row-head">
        <button
          type="button"
          className="jp-llm-row-open"
          aria-current={id === model.conversation.id}
          onClick={() => {
            onClose();
            void model.open(id);
          }}
        >
          {title}
        </button>
        <IconButton
          icon={editIcon}
          label={trans.__('Rename %1', title)}
          onClick={() => {
            void rename();
          }}
        />
        <IconButton
          icon={downloadIcon}
          label={trans.__('Export %1 to Markdown', title)}
          onClick={() => {
            void model.export(conversation, 'markdown');
          }}
        />
        <IconButton
          icon={notebookIcon}
          label={trans.__('Export %1 to a notebook', title)}
          onClick={() => {
            void model.export(conversation, 'notebook');
          }}
        />
        <IconButton
          icon={deleteIcon}
          label={trans.__('Delete %1', title)}
          onClick={() => {
            void remove();
          }}
        />
      </div>
      <div className="jp-llm-row-facts">
        {[
          new Date(conversation.updated).toLocaleString(),
          trans._n('%1 message', '%1 messages', conversation.messageCount)
        ].join(' · ')}
      </div>
    </li>
  );

  async function rename(): Promise<void> {
    const { button, value } = await InputDialog.getText({
      title: trans.__('Rename the conversation'),
      label: trans.__('Title'),
      text: conversation.title
    });
    if (button.accept && value !== null) {
      await model.shelf.rename(id, value);
    }
  }

  async function remove(): Promise<void> {
    const { button } = await showDialog({
      title: trans.__('Delete “%1”?', title),
      body: trans.__('All its messages are deleted. This cannot be undone.'),
      buttons: [
        Dialog.cancelButton(),
        Dialog.warnButton({ label: trans.__('Delete') })
      ]
    });
    if (button.accept) {
      await model.remove(id);
    }
  }
}
