import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

import eslint from '@eslint/js';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

const REACT = {
  regex: '^(react|react-dom|@jupyterlab/ui-components)($|/)',
  message: 'Only views (.tsx) use React.'
};
const SERVICES = {
  regex: '^@jupyterlab/services($|/)',
  allowTypeImports: true,
  message: 'Only src/api talks to the server.'
};
const API = {
  regex: '/api/',
  allowTypeImports: true,
  message: 'A view gets what it shows from its model.'
};
const PLUGINS = {
  regex: '/plugins/',
  message: 'Only src/index.ts imports plugins.'
};
const VIEWS = {
  regex: `/(${viewNames().join('|')})$`,
  message: 'Only plugins and views import views.'
};
const FEATURES = {
  regex: '^\\.\\./',
  message: 'src/api imports nothing from the rest of the extension.'
};
const ANY = { regex: '.', message: 'This file stands on its own.' };

/** Import paths bear no suffix, so views are told by their names. */
function viewNames() {
  return readdirSync(join(import.meta.dirname, 'src'), { recursive: true })
    .filter(path => path.endsWith('.tsx') && !path.includes('__tests__'))
    .map(path => basename(path, '.tsx'));
}

/**
 * The direction of imports: index -> plugins -> *.tsx -> model -> api -> types.
 *
 * A later block replaces the rule for the files of an earlier one.
 */
function floor(files, patterns) {
  return {
    files,
    ignores: ['**/__tests__/**'],
    rules: {
      '@typescript-eslint/no-restricted-imports': ['error', { patterns }]
    }
  };
}

export default tseslint.config(
  { ignores: ['.yarn/', 'coverage/', 'lib/', 'node_modules/'] },
  eslint.configs.recommended,
  {
    files: ['src/**/*.{ts,tsx}'],
    extends: [
      ...tseslint.configs.strictTypeChecked,
      ...tseslint.configs.stylisticTypeChecked
    ],
    languageOptions: {
      parserOptions: {
        projectService: true,
        tsconfigRootDir: import.meta.dirname
      }
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/naming-convention': [
        'error',
        {
          selector: 'interface',
          format: ['PascalCase'],
          custom: { regex: '^I[A-Z]', match: true }
        }
      ],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true }
      ],
      eqeqeq: 'error',
      'no-console': 'error',
      'no-restricted-globals': [
        'error',
        {
          name: 'fetch',
          message: 'ServerConnection knows the address and the token.'
        }
      ],
      'no-warning-comments': 'error'
    }
  },
  floor(['src/**/*.ts'], [REACT, SERVICES, PLUGINS, VIEWS]),
  floor(['src/plugins/*.ts'], [REACT, SERVICES, API, PLUGINS]),
  floor(['src/**/*.tsx'], [SERVICES, API, PLUGINS]),
  floor(['src/index.ts'], [REACT, SERVICES, API, VIEWS]),
  floor(['src/api/*.ts'], [REACT, VIEWS, FEATURES]),
  floor(['src/api/types.ts', 'src/api/read.ts', 'src/format.ts'], [ANY]),
  prettier
);
