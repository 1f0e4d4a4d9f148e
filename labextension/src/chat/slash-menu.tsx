import * as React from 'react';

import type { IPrompt } from '../api/types';
import { useWords } from '../words';
import type { ComposerModel } from './composer';

/** The prompts that a slash offers, and which of them is chosen. */
export interface ISlashMenu {
  readonly id: string;
  readonly prompts: readonly IPrompt[];
  readonly place: number;
  readonly choose: (prompt: IPrompt) => void;
  /** Handle a key of the input; false where it means nothing here. */
  readonly onKeyDown: (event: React.KeyboardEvent) => boolean;
  /** What ties the input to the menu, for screen readers. */
  readonly inputProps: React.TextareaHTMLAttributes<HTMLTextAreaElement>;
}

/** Offer prompts while the input holds a slash and the beginning of a name. */
export function useSlashMenu(
  composer: ComposerModel,
  onChosen: () => void
): ISlashMenu {
  const id = React.useId();
  const [chosen, setChosen] = React.useState(0);
  const [dismissed, setDismissed] = React.useState<string | null>(null);
  const [used, setUsed] = React.useState(0);
  React.useEffect(() => {
    if (used > 0) {
      onChosen();
    }
    // The text of a prompt is in the input once this has been rendered.
  }, [used]);
  const prompts = dismissed === composer.text ? [] : composer.suggestions;
  const place = Math.min(chosen, prompts.length - 1);
  const choose = (prompt: IPrompt): void => {
    composer.use(prompt);
    setChosen(0);
    setUsed(used + 1);
  };
  return {
    id,
    prompts,
    place,
    choose,
    onKeyDown: event => {
      const prompt = prompts[place];
      if (prompt === undefined) {
        return false;
      }
      switch (event.key) {
        case 'ArrowDown':
          setChosen((place + 1) % prompts.length);
          break;
        case 'ArrowUp':
          setChosen((place + prompts.length - 1) % prompts.length);
          break;
        case 'Enter':
        case 'Tab':
          choose(prompt);
          break;
        case 'Escape':
          setDismissed(composer.text);
          break;
        default:
          return false;
      }
      event.preventDefault();
      return true;
    },
    inputProps:
      prompts.length === 0
        ? {}
        : {
            role: 'combobox',
            'aria-expanded': true,
            'aria-controls': id,
            'aria-activedescendant': `${id}-${place.toString()}`
          }
  };
}

/** The prompts of the server's library whose names fit. */
export function SlashMenu({
  menu
}: {
  readonly menu: ISlashMenu;
}): React.ReactElement | null {
  const trans = useWords();
  if (menu.prompts.length === 0) {
    return null;
  }
  return (
    <ul
      id={menu.id}
      className="jp-llm-slash"
      role="listbox"
      aria-label={trans.__('Prompts')}
    >
      {menu.prompts.map((prompt, index) => (
        <li
          key={prompt.id}
          id={`${menu.id}-${index.toString()}`}
          role="option"
          aria-selected={index === menu.place}
          onMouseDown={event => {
            event.preventDefault();
            menu.choose(prompt);
          }}
        >
          <strong>/{prompt.name}</strong> <span>{prompt.template}</span>
        </li>
      ))}
    </ul>
  );
}
