import {
  nullTranslator,
  type TranslationBundle
} from '@jupyterlab/translation';
import * as React from 'react';

/** The user's language, for all components below. */
export const Words = React.createContext<TranslationBundle>(
  nullTranslator.load('jupyter-llm-ext')
);

/** The user's language. */
export function useWords(): TranslationBundle {
  return React.useContext(Words);
}
