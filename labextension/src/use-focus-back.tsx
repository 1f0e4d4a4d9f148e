import * as React from 'react';

/**
 * Give the focus back to what opened a form, if the form has it when it closes.
 *
 * The form gets the reference that this returns.
 */
export function useFocusBack(): React.RefObject<HTMLFormElement> {
  const form = React.useRef<HTMLFormElement>(null);
  const [opener] = React.useState(() => document.activeElement);
  React.useLayoutEffect(
    () => () => {
      const hasFocus = form.current?.contains(document.activeElement) ?? false;
      if (hasFocus && opener instanceof HTMLElement) {
        opener.focus();
      }
    },
    [opener]
  );
  return form;
}
