import * as React from 'react';

import { useWords } from '../words';
import { MarkdownView } from './markdown-view';

/** What a model thought before it answered, folded away. */
export function ReasoningView({
  text,
  isGrowing
}: {
  readonly text: string;
  readonly isGrowing: boolean;
}): React.ReactElement {
  const trans = useWords();
  const [isOpen, setOpen] = React.useState(false);
  return (
    <details
      className="jp-llm-fold"
      open={isOpen}
      onToggle={({ currentTarget }) => {
        setOpen(currentTarget.open);
      }}
    >
      <summary>
        {isGrowing ? trans.__('Thinking…') : trans.__('Thoughts')}
      </summary>
      {isOpen && <MarkdownView text={text} isGrowing={isGrowing} />}
    </details>
  );
}
