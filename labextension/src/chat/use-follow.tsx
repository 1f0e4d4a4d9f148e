import * as React from 'react';

/** How near to the end still counts as the end, in pixels. */
const NEAR = 24;

/** A box that scrolls along with its content until the reader scrolls up. */
export interface IFollowing {
  readonly box: React.RefObject<HTMLDivElement>;
  readonly content: React.RefObject<HTMLDivElement>;
  readonly isFollowing: boolean;
  /** Go to the end and stay there. */
  readonly follow: () => void;
}

/** Follow the end of what grows in a box. */
export function useFollow(): IFollowing {
  const box = React.useRef<HTMLDivElement>(null);
  const content = React.useRef<HTMLDivElement>(null);
  const wanted = React.useRef(true);
  const [isFollowing, setFollowing] = React.useState(true);

  React.useLayoutEffect(() => {
    const scroller = box.current;
    const grower = content.current;
    if (scroller === null || grower === null) {
      return;
    }
    let last = scroller.scrollTop;
    const settle = (follows: boolean): void => {
      wanted.current = follows;
      setFollowing(follows);
    };
    const onScroll = (): void => {
      const { scrollTop, scrollHeight, clientHeight } = scroller;
      if (scrollHeight - scrollTop - clientHeight <= NEAR) {
        settle(true);
      } else if (scrollTop < last) {
        settle(false);
      }
      last = scrollTop;
    };
    const observer = new ResizeObserver(() => {
      if (wanted.current) {
        scroller.scrollTop = scroller.scrollHeight;
      }
    });
    observer.observe(grower);
    observer.observe(scroller);
    scroller.addEventListener('scroll', onScroll, { passive: true });
    return () => {
      observer.disconnect();
      scroller.removeEventListener('scroll', onScroll);
    };
  }, []);

  const follow = React.useCallback(() => {
    wanted.current = true;
    setFollowing(true);
    if (box.current !== null) {
      box.current.scrollTop = box.current.scrollHeight;
    }
  }, []);
  return { box, content, isFollowing, follow };
}
