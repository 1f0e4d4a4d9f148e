import * as React from 'react';
import { createPortal } from 'react-dom';

import { BlockRenderer } from './block-renderer';
import { CodeTools } from './code-tools';
import { whileGrowing } from './growing-code';
import { IMAGE_ATTRIBUTE } from './image-guard';
import { useRendering } from './rendering';

interface IMarkdownBlockProps {
  readonly source: string;
  /** Whether more of it is to come: then its code has no tools yet. */
  readonly isGrowing: boolean;
}

interface ISlot {
  readonly node: HTMLElement;
  readonly code: string;
  /** The language that the fence names; empty for none. */
  readonly language: string;
}

/** One block of a Markdown text. */
export const MarkdownBlock = React.memo(function MarkdownBlock({
  source,
  isGrowing
}: IMarkdownBlockProps): React.ReactElement {
  const { rendermime, images } = useRendering();
  const shown = isGrowing ? whileGrowing(source) : source;
  const host = React.useRef<HTMLDivElement>(null);
  const [renderer, setRenderer] = React.useState<BlockRenderer | null>(null);
  const [rendered, setRendered] = React.useState<HTMLElement | null>(null);
  const [slots, setSlots] = React.useState<readonly ISlot[]>([]);

  React.useLayoutEffect(() => {
    if (host.current === null) {
      return;
    }
    const made = new BlockRenderer(rendermime, host.current, setRendered);
    setRenderer(made);
    return () => {
      made.dispose();
    };
  }, [rendermime]);

  React.useLayoutEffect(() => {
    setSlots([]);
    setRendered(null);
    renderer?.show(shown);
  }, [renderer, shown]);

  React.useLayoutEffect(() => {
    if (rendered !== null && !isGrowing) {
      setSlots(makeSlots(rendered));
    }
  }, [rendered, isGrowing]);

  return (
    <div
      ref={host}
      className="jp-llm-block"
      onClick={({ target }) => {
        if (target instanceof Element && target.hasAttribute(IMAGE_ATTRIBUTE)) {
          images.allow(target);
        }
      }}
    >
      {slots.map(({ node, code, language }, index) =>
        createPortal(
          <CodeTools code={code} language={language} />,
          node,
          index.toString()
        )
      )}
    </div>
  );
});

/** Put a slot for tools over the bar of all code; it has no height: nothing moves. */
function makeSlots(node: HTMLElement): ISlot[] {
  for (const old of node.querySelectorAll('.jp-llm-code-slot')) {
    old.remove();
  }
  return [...node.querySelectorAll('pre')].map(pre => {
    const slot = document.createElement('div');
    slot.className = 'jp-llm-code-slot';
    pre.before(slot);
    pre.tabIndex = 0;
    return {
      node: slot,
      code: pre.textContent.replace(/\n$/, ''),
      language: languageOf(pre.querySelector('code'))
    };
  });
}

function languageOf(code: Element | null): string {
  return /(?:^|\s)language-(\S+)/.exec(code?.className ?? '')?.[1] ?? '';
}
