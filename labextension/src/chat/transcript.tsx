import { caretDownIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { FailureNotice } from '../failure-notice';
import { Meter } from '../meter';
import { useChanges } from '../use-changes';
import { useWords } from '../words';
import { describeActivity, fractionOf } from './activity';
import { isEmpty } from './answer';
import type { ConversationModel } from './conversation';
import { MessageView } from './message-view';
import { useFollow } from './use-follow';
import { Welcome } from './welcome';

interface ITranscriptProps {
  readonly conversation: ConversationModel;
  /** Which other server answers; null for this one. */
  readonly provider: () => string | null;
  /** Begins a question for somebody who does not know how. */
  readonly onSuggest: (text: string) => void;
}

/** The messages of a conversation, and what goes on in it. */
export function Transcript({
  conversation,
  provider,
  onSuggest
}: ITranscriptProps): React.ReactElement {
  const trans = useWords();
  useChanges(conversation.changed);
  const { messages, activity, failure } = conversation;
  const { box, content, isFollowing, follow } = useFollow();
  const isBusy = activity.state !== 'idle';
  React.useEffect(() => {
    if (activity.state === 'sending') {
      follow();
    }
  }, [activity.state, follow]);
  const last = messages.at(-1);
  const isUnanswered = last?.role === 'user' && !isBusy;
  return (
    <div className="jp-llm-transcript">
      <div
        ref={box}
        className="jp-llm-scroll"
        role="region"
        aria-label={trans.__('Conversation')}
        tabIndex={0}
      >
        <div ref={content} className="jp-llm-messages">
          {messages.length === 0 && !isBusy && (
            <Welcome provider={provider()} onSuggest={onSuggest} />
          )}
          {messages.map((message, index) =>
            message.role === 'assistant' &&
            isEmpty(message) &&
            isBusy ? null : (
              <MessageView
                key={message.id === '' ? 'new' : message.id}
                message={message}
                conversation={conversation}
                siblings={conversation.siblings(message)}
                isLast={index === messages.length - 1}
                isBusy={isBusy}
              />
            )
          )}
          {isBusy && <Doing conversation={conversation} />}
          {failure && (
            <FailureNotice
              failure={failure}
              {...(isUnanswered && {
                onRetry: () => {
                  void conversation.retry();
                }
              })}
              onClose={() => {
                conversation.dismiss();
              }}
            />
          )}
        </div>
      </div>
      {!isFollowing && (
        <button
          type="button"
          className="jp-llm-button jp-llm-to-end"
          onClick={follow}
        >
          <caretDownIcon.react tag="span" className="jp-llm-icon" />
          {trans.__('To the end')}
        </button>
      )}
      <Announcer conversation={conversation} />
    </div>
  );
}

/** What is being done for an answer, with a bar where it is known how far. */
function Doing({
  conversation
}: {
  readonly conversation: ConversationModel;
}): React.ReactElement {
  const trans = useWords();
  const { activity } = conversation;
  const words = describeActivity(activity, trans);
  const fraction = fractionOf(activity);
  return (
    <div className="jp-llm-doing" data-activity={activity.state}>
      <span>{words}</span>
      {fraction !== null && <Meter label={words} fraction={fraction} />}
    </div>
  );
}

/** Tells a screen reader when an answer begins and ends, not each word of it. */
function Announcer({
  conversation
}: {
  readonly conversation: ConversationModel;
}): React.ReactElement {
  const trans = useWords();
  const { activity, messages, failure } = conversation;
  const words = (): string => {
    switch (activity.state) {
      case 'idle':
        return messages.at(-1)?.role === 'assistant' && failure === null
          ? trans.__('The answer is complete.')
          : '';
      case 'waiting':
        return activity.step.kind === 'loading'
          ? trans.__('The model is loading.')
          : '';
      case 'lost':
      case 'stopping':
      case 'writing':
        return describeActivity(activity, trans);
      case 'sending':
        return '';
    }
  };
  return (
    <span className="jp-llm-unseen" role="status">
      {words()}
    </span>
  );
}
