import { Dialog, showDialog } from '@jupyterlab/apputils';
import {
  caretLeftIcon,
  caretRightIcon,
  deleteIcon,
  editIcon,
  fastForwardIcon,
  refreshIcon
} from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IMessage } from '../api/types';
import { IconButton } from '../icon-button';
import { useWords } from '../words';
import { AttachmentChips } from './attachment-chips';
import { CopyButton } from './code-tools';
import type { ConversationModel } from './conversation';
import { MarkdownView } from './markdown-view';
import { QuestionEditor } from './question-editor';
import { ReasoningView } from './reasoning-view';
import { Statistics } from './statistics';
import { ToolCalls } from './tool-calls';

/** How an answer ends that can be gone on with. */
const CUT: ReadonlySet<string | null> = new Set([
  'length',
  'cancelled',
  'error'
]);

interface IMessageViewProps {
  readonly message: IMessage;
  readonly conversation: ConversationModel;
  readonly siblings: readonly string[];
  readonly isLast: boolean;
  readonly isBusy: boolean;
}

/** One turn: who says it, what is said, and what can be done with it. */
export const MessageView = React.memo(function MessageView(
  props: IMessageViewProps
): React.ReactElement {
  const { message, conversation, isLast, isBusy } = props;
  const trans = useWords();
  const [isEditing, setEditing] = React.useState(false);
  const isGrowing = isLast && isBusy && message.role === 'assistant';
  return (
    <article
      className="jp-llm-message"
      data-role={message.role}
      aria-label={
        message.role === 'user' ? trans.__('Question') : trans.__('Answer')
      }
      aria-busy={isGrowing}
    >
      <AttachmentChips attachments={message.attachments} />
      {message.reasoning !== '' && (
        <ReasoningView
          text={message.reasoning}
          isGrowing={isGrowing && message.content === ''}
        />
      )}
      {isEditing ? (
        <QuestionEditor
          text={message.content}
          isBusy={isBusy}
          onCancel={() => {
            setEditing(false);
          }}
          onSend={text => {
            // The new question takes this one's place, once the server has it.
            void conversation.edit(message, text);
          }}
        />
      ) : message.role === 'assistant' ? (
        <MarkdownView text={message.content} isGrowing={isGrowing} />
      ) : (
        <div className="jp-llm-said">{message.content}</div>
      )}
      <ToolCalls calls={message.toolCalls} />
      {!isGrowing && message.id !== '' && (
        <footer className="jp-llm-message-foot">
          <Statistics message={message} />
          <Actions
            {...props}
            onEdit={() => {
              setEditing(true);
            }}
          />
        </footer>
      )}
    </article>
  );
});

function Actions({
  message,
  conversation,
  siblings,
  isLast,
  isBusy,
  onEdit
}: IMessageViewProps & { readonly onEdit: () => void }): React.ReactElement {
  const trans = useWords();
  const isAnswer = message.role === 'assistant';
  const isCut = isAnswer && isLast && CUT.has(message.finishReason);
  return (
    <div
      className="jp-llm-actions"
      role="toolbar"
      aria-label={isAnswer ? trans.__('Answer') : trans.__('Question')}
    >
      <Branches
        message={message}
        conversation={conversation}
        siblings={siblings}
        isBusy={isBusy}
      />
      <CopyButton text={message.content} label={trans.__('Copy')} />
      {isCut && (
        <IconButton
          icon={fastForwardIcon}
          label={trans.__('Go on with the answer')}
          disabled={isBusy}
          onClick={() => {
            void conversation.resume(message);
          }}
        />
      )}
      {isAnswer ? (
        <IconButton
          icon={refreshIcon}
          label={trans.__('Answer once more')}
          disabled={isBusy}
          onClick={() => {
            void conversation.regenerate(message);
          }}
        />
      ) : (
        <IconButton
          icon={editIcon}
          label={trans.__('Edit and send again')}
          disabled={isBusy}
          onClick={onEdit}
        />
      )}
      <IconButton
        icon={deleteIcon}
        label={trans.__('Delete this and what follows')}
        disabled={isBusy}
        onClick={() => {
          void remove();
        }}
      />
    </div>
  );

  async function remove(): Promise<void> {
    const { button } = await showDialog({
      title: isAnswer
        ? trans.__('Delete this answer and what follows?')
        : trans.__('Delete this question and what follows?'),
      body: trans.__('This cannot be undone.'),
      buttons: [
        Dialog.cancelButton(),
        Dialog.warnButton({ label: trans.__('Delete') })
      ]
    });
    if (button.accept) {
      await conversation.remove(message);
    }
  }
}

/** Leads to the other messages in a message's place. */
function Branches({
  message,
  conversation,
  siblings,
  isBusy
}: Omit<IMessageViewProps, 'isLast'>): React.ReactElement | null {
  const trans = useWords();
  const place = siblings.indexOf(message.id);
  if (siblings.length < 2 || place < 0) {
    return null;
  }
  const button = (
    step: number,
    icon: typeof caretLeftIcon,
    label: string
  ): React.ReactElement => {
    const target = siblings[place + step];
    return (
      <IconButton
        icon={icon}
        label={label}
        disabled={isBusy || target === undefined}
        onClick={() => {
          if (target !== undefined) {
            void conversation.choose(target);
          }
        }}
      />
    );
  };
  return (
    <>
      {button(-1, caretLeftIcon, trans.__('The version before'))}
      <span className="jp-llm-place">
        {trans.__('%1 of %2', place + 1, siblings.length)}
      </span>
      {button(1, caretRightIcon, trans.__('The version after'))}
    </>
  );
}
