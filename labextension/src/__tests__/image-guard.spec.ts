import { describe, expect, it } from 'vitest';

import { ImageGuard } from '../chat/image-guard';

const guard = (): ImageGuard =>
  new ImageGuard({ sanitize: dirty => dirty }, address => `Show ${address}`);

function parse(html: string): HTMLElement {
  const box = document.createElement('div');
  box.innerHTML = html;
  return box;
}

describe('ImageGuard', () => {
  it.each([
    'https://tracker.example/x.png?q=secret',
    '//tracker.example/x.png',
    '/user/jo/logout',
    'files/plot.png'
  ])('puts a button in the place of %s', address => {
    const box = parse(
      guard().sanitize(`<p><img src="${address}" alt="A"></p>`)
    );

    expect(box.querySelector('img')).toBeNull();
    expect(box.querySelector('button')?.textContent).toBe(`Show ${address}`);
  });

  it('shows what is in the text itself', () => {
    const html = '<img src="data:image/png;base64,AAAA">';

    expect(parse(guard().sanitize(html)).querySelector('img')).not.toBeNull();
  });

  it.each([
    '<video src="https://x.example/v.mp4"></video>',
    '<audio src="https://x.example/a.mp3"></audio>',
    '<picture><source srcset="https://x.example/i.png"></picture>',
    '<p style="background: url(https://x.example/i.png)">A</p>',
    '<p style="background: URL(https://x.example/i.png)">A</p>',
    String.raw`<p style="background: u\72l(https://x.example/i.png)">A</p>`,
    `<p style="background: image-set('https://x.example/i.png' 1x)">A</p>`,
    `<p style="background: src('https://x.example/i.png')">A</p>`,
    '<input type="image" src="https://x.example/i.png">'
  ])('lets nothing else fetch: %s', html => {
    expect(guard().sanitize(html)).not.toContain('x.example');
  });

  it('leaves styles that fetch nothing', () => {
    const html = '<p style="color: green">A</p>';

    expect(guard().sanitize(html)).toBe(html);
  });

  it('leaves the boxes of task lists', () => {
    const html = '<input type="checkbox" disabled="">';

    expect(guard().sanitize(html)).toBe(html);
  });

  it('shows an image once it is allowed, and from then on', () => {
    const guarding = guard();
    const html = '<img src="https://a.example/x.png" alt="A plot">';
    const box = parse(guarding.sanitize(html));

    for (const button of box.querySelectorAll('button')) {
      guarding.allow(button);
    }

    const image = box.querySelector('img');
    expect(image?.src).toBe('https://a.example/x.png');
    expect(image?.alt).toBe('A plot');
    expect(image?.referrerPolicy).toBe('no-referrer');
    expect(parse(guarding.sanitize(html)).querySelector('img')).not.toBeNull();
  });

  it.each([true, false])(
    'leaves the focus in the place of the button, if it was there: %s',
    isThere => {
      const guarding = guard();
      const box = parse(
        guarding.sanitize('<img src="https://a.example/x.png">')
      );
      const other = document.createElement('input');
      document.body.append(box, other);
      const button = box.querySelector('button');
      (isThere ? button : other)?.focus();

      guarding.allow(button ?? box);

      const image = box.querySelector('img');
      expect(document.activeElement).toBe(isThere ? image : other);
      box.remove();
      other.remove();
    }
  );
});
