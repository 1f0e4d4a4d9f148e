import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';

/** The attribute of a button that stands in for an image. */
export const IMAGE_ATTRIBUTE = 'data-jp-llm-image';

const LOADERS =
  'audio, embed, iframe, input, link, object, source, track, video';
/** All of CSS that fetches has one of these; a backslash can spell any of them. */
const FETCHING_STYLE = /url|image|src|\\/i;

/**
 * Cleans HTML as JupyterLab does, and keeps it from fetching anything.
 *
 * A model can be talked into an answer whose image addresses carry what it was
 * told elsewhere. So an image is a button until a person presses it; images that
 * are in the text itself are harmless.
 */
export class ImageGuard implements IRenderMime.ISanitizer {
  constructor(
    private readonly _sanitizer: IRenderMime.ISanitizer,
    private readonly _label: (address: string) => string
  ) {}

  sanitize(dirty: string, options?: IRenderMime.ISanitizerOptions): string {
    const clean = this._sanitizer.sanitize(dirty, options);
    // A document of its own: in the page's, images are fetched at once.
    const inert = new DOMParser().parseFromString(clean, 'text/html');
    for (const element of inert.body.querySelectorAll(LOADERS)) {
      if (element.getAttribute('type') !== 'checkbox') {
        element.remove();
      }
    }
    for (const element of inert.body.querySelectorAll('[style]')) {
      if (FETCHING_STYLE.test(element.getAttribute('style') ?? '')) {
        element.removeAttribute('style');
      }
    }
    for (const image of inert.body.querySelectorAll('img')) {
      this._guard(image);
    }
    return inert.body.innerHTML;
  }

  get allowNamedProperties(): boolean {
    return this._sanitizer.allowNamedProperties ?? false;
  }

  getAutolink(): boolean {
    return this._sanitizer.getAutolink?.() ?? true;
  }

  /** Show an image that stood behind a button, now and from now on. */
  allow(button: Element): void {
    const address = button.getAttribute(IMAGE_ATTRIBUTE) ?? '';
    this._allowed.add(address);
    const image = document.createElement('img');
    image.src = address;
    image.alt = button.getAttribute('data-alt') ?? '';
    image.referrerPolicy = 'no-referrer';
    image.tabIndex = -1;
    const hadFocus = document.activeElement === button;
    button.replaceWith(image);
    if (hadFocus) {
      // Otherwise the page's beginning gets it.
      image.focus();
    }
  }

  private _guard(image: HTMLImageElement): void {
    const address = image.getAttribute('src') ?? '';
    image.removeAttribute('srcset');
    image.referrerPolicy = 'no-referrer';
    if (address.startsWith('data:image/') || this._allowed.has(address)) {
      return;
    }
    const button = image.ownerDocument.createElement('button');
    button.type = 'button';
    button.className = 'jp-llm-button jp-llm-image';
    button.setAttribute(IMAGE_ATTRIBUTE, address);
    button.setAttribute('data-alt', image.alt);
    button.textContent = this._label(address);
    image.replaceWith(button);
  }

  private readonly _allowed = new Set<string>();
}
