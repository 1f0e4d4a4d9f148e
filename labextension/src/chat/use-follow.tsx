import * as React from 'react';

/** How near to the end who scrolls down is at the end, in pixels. */
const NEAR = 24;

/** What may be left below the end where places are no whole pixels. */
const NOTHING = 1;

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
  const place = React.useRef(0);
  const [isFollowing, setFollowing] = React.useState(true);

  const settle = React.useCallback((follows: boolean) => {
    wanted.current = follows;
    setFollowing(follows);
  }, []);
  const goToEnd = React.useCallback(() => {
    if (box.current !== null) {
      box.current.scrollTop = box.current.scrollHeight;
      // Who scrolls up in the moment in which it grew is above this, not above
      // where it was before.
      place.current = box.current.scrollTop;
    }
  }, []);

  React.useLayoutEffect(() => {
    const scroller = box.current;
    const grower = content.current;
    if (scroller === null || grower === null) {
      return;
    }
    place.current = scroller.scrollTop;
    const onScroll = (): void => {
      const { scrollTop, scrollHeight, clientHeight } = scroller;
      const below = scrollHeight - scrollTop - clientHeight;
      // Content that got shorter moves one, too, but to its end, and asks nobody.
      if (scrollTop < place.current && below > NOTHING) {
        settle(false);
      } else if (scrollTop > place.current && below <= NEAR) {
        settle(true);
      }
      place.current = scrollTop;
    };
    const observer = new ResizeObserver(() => {
      if (wanted.current) {
        goToEnd();
      }
    });
    observer.observe(grower);
    observer.observe(scroller);
    scroller.addEventListener('scroll', onScroll, { passive: true });
    return () => {
      observer.disconnect();
      scroller.removeEventListener('scroll', onScroll);
    };
  }, [goToEnd, settle]);

  const follow = React.useCallback(() => {
    settle(true);
    goToEnd();
  }, [goToEnd, settle]);
  return { box, content, isFollowing, follow };
}
