import * as React from 'react';

import type { IMessage } from '../api/types';
import { formatPace, formatSeconds, shortenName } from '../format';
import { useWords } from '../words';

/** Waits that nobody notices are not told. */
const WORTH_TELLING_MS = 100;

/** Who answered, how much and how fast. */
export function Statistics({
  message
}: {
  readonly message: IMessage;
}): React.ReactElement {
  const trans = useWords();
  const { model, usage, timings, finishReason } = message;
  const facts: string[] = [];
  if (message.role === 'assistant' && model !== null) {
    facts.push(shortenName(model));
  }
  if (usage !== null) {
    facts.push(trans._n('%1 token', '%1 tokens', usage.completionTokens));
  }
  if (timings !== null) {
    if (timings.tokensPerSecond !== null) {
      facts.push(formatPace(timings.tokensPerSecond));
    }
    if (timings.promptMs !== null && timings.promptMs >= WORTH_TELLING_MS) {
      facts.push(
        trans.__('%1 to begin', formatSeconds(timings.promptMs / 1000))
      );
    }
  }
  if (finishReason === 'length') {
    facts.push(trans.__('cut off at the length limit'));
  } else if (finishReason === 'cancelled') {
    facts.push(trans.__('stopped'));
  } else if (finishReason === 'error') {
    facts.push(trans.__('broken off'));
  } else if (finishReason === 'lost') {
    facts.push(trans.__('broken off: the server lost it'));
  }
  return <div className="jp-llm-statistics">{facts.join(' · ')}</div>;
}
