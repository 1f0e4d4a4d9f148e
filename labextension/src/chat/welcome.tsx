import * as React from 'react';

import { useWords } from '../words';

/** What a conversation without messages shows. */
export function Welcome({
  provider,
  onSuggest
}: {
  /** Another server that answers; null for this one. */
  readonly provider: string | null;
  readonly onSuggest: (text: string) => void;
}): React.ReactElement {
  const trans = useWords();
  const suggestions = [
    trans.__('What can you do?'),
    trans.__('How do I read a CSV file with pandas?'),
    trans.__('How do I load a model?')
  ];
  return (
    <div className="jp-llm-welcome">
      <p>
        {provider === null
          ? trans.__(
              'Ask anything. The model runs on this Jupyter server; nothing leaves it.'
            )
          : trans.__(
              'Ask anything. The model runs on another server, %1: your questions go there.',
              provider
            )}
      </p>
      <ul>
        {suggestions.map(text => (
          <li key={text}>
            <button
              type="button"
              className="jp-llm-button"
              onClick={() => {
                onSuggest(text);
              }}
            >
              {text}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
