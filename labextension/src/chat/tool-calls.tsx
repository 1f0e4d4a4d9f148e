import * as React from 'react';

import type { IToolCall } from '../api/types';
import { useWords } from '../words';

/** The tools that an answer wants called. */
export function ToolCalls({
  calls
}: {
  readonly calls: readonly IToolCall[];
}): React.ReactElement {
  const trans = useWords();
  return (
    <>
      {calls.map((call, index) => (
        <details key={index} className="jp-llm-fold">
          <summary>
            {trans.__('Wants to call')} <code>{call.name}</code>
          </summary>
          <pre tabIndex={0}>{call.arguments}</pre>
        </details>
      ))}
    </>
  );
}
