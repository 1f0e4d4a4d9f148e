import * as React from 'react';

import { BlockSplitter } from './blocks';
import { MarkdownBlock } from './markdown-block';

interface IMarkdownViewProps {
  readonly text: string;
  readonly isGrowing: boolean;
}

/** A Markdown text, of which only the block that grows is rendered again. */
export const MarkdownView = React.memo(function MarkdownView({
  text,
  isGrowing
}: IMarkdownViewProps): React.ReactElement {
  const [splitter] = React.useState(() => new BlockSplitter());
  const blocks = splitter.split(text);
  return (
    <div className="jp-llm-markdown">
      {blocks.map(({ start, source }, index) => (
        <MarkdownBlock
          key={start}
          source={source}
          isGrowing={isGrowing && index === blocks.length - 1}
        />
      ))}
    </div>
  );
});
