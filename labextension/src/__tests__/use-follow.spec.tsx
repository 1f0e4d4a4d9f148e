import * as React from 'react';
import { act } from 'react';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { useFollow } from '../chat/use-follow';
import { mount } from './mount';

const HEIGHT = 100;

/** The layout of a box: its content's height, and where it is scrolled to. */
class Layout {
  content = 500;
  resized: () => void = () => undefined;
  private _top = 400;

  constructor(private readonly _box: Element) {
    Object.defineProperties(_box, {
      clientHeight: { get: () => HEIGHT },
      scrollHeight: { get: () => this.content },
      scrollTop: {
        get: () => this._top,
        set: (top: number) => {
          this._top = Math.max(0, Math.min(top, this.content - HEIGHT));
        }
      }
    });
  }

  get below(): number {
    return this.content - HEIGHT - this._top;
  }

  /** Let the content be so high, and the browser say so. */
  grow(content: number): void {
    this.content = content;
    this._box.scrollTop = this._top;
    act(() => {
      this.resized();
    });
  }

  /** Let the reader scroll by so much; the browser tells of it in the next frame. */
  scroll(by: number): void {
    this._box.scrollTop += by;
  }

  frame(): void {
    act(() => {
      this._box.dispatchEvent(new Event('scroll'));
    });
  }
}

function Box(): React.ReactElement {
  const { box, content, isFollowing, follow } = useFollow();
  return (
    <div ref={box}>
      <div ref={content} />
      {!isFollowing && (
        <button type="button" onClick={follow}>
          To the end
        </button>
      )}
    </div>
  );
}

describe('useFollow', () => {
  let box: HTMLElement;
  let layout: Layout;

  beforeEach(() => {
    let resized: () => void = () => undefined;
    vi.stubGlobal(
      'ResizeObserver',
      class {
        constructor(callback: () => void) {
          resized = callback;
        }
        observe(): void {
          // All that grows here says so itself.
        }
        disconnect(): void {
          // Nothing was begun.
        }
      }
    );
    const place = mount(<Box />);
    box = place.firstElementChild as HTMLElement;
    layout = new Layout(box);
    layout.resized = () => {
      resized();
    };
    layout.grow(600);
    layout.frame();
  });

  const isFollowing = (): boolean => box.querySelector('button') === null;

  it('stays at the end of what grows, and of what gets shorter', () => {
    layout.grow(900);
    layout.frame();
    expect(layout.below).toBe(0);
    layout.grow(700);
    layout.frame();
    expect(layout.below).toBe(0);
    expect(isFollowing()).toBe(true);
  });

  it('lets go of who scrolls up just when much was added', () => {
    layout.grow(1200);
    layout.scroll(-300);
    layout.frame();
    expect(isFollowing()).toBe(false);
    layout.grow(1500);
    expect(layout.below).toBe(600);
  });

  it('lets go of who scrolls up a little at a time', () => {
    layout.scroll(-8);
    layout.frame();
    expect(isFollowing()).toBe(false);
    layout.grow(900);
    expect(layout.below).toBe(308);
  });

  it('does not take along who scrolled up where content gets shorter', () => {
    layout.scroll(-8);
    layout.frame();
    layout.grow(580);
    layout.frame();
    expect(layout.below).toBe(0);
    expect(isFollowing()).toBe(false);
    layout.grow(900);
    expect(layout.below).toBe(320);
  });

  it('goes on for who scrolls to the end, or nearly', () => {
    layout.scroll(-200);
    layout.frame();
    layout.scroll(150);
    layout.frame();
    expect(isFollowing()).toBe(false);
    layout.scroll(40);
    layout.frame();
    expect(isFollowing()).toBe(true);
    layout.grow(900);
    expect(layout.below).toBe(0);
  });

  it('goes to the end for who asks for it', () => {
    layout.scroll(-200);
    layout.frame();
    act(() => {
      box.querySelector('button')?.click();
    });
    expect(layout.below).toBe(0);
    expect(isFollowing()).toBe(true);
  });
});
