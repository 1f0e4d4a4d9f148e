import { readFile } from 'node:fs/promises';

import { defineConfig } from 'vitest/config';

/** Icons are imported as their text, as JupyterLab's own build does it. */
const svgAsText = {
  name: 'svg-as-text',
  enforce: 'pre',
  async load(id) {
    return id.endsWith('.svg')
      ? `export default ${JSON.stringify(await readFile(id, 'utf8'))};`
      : null;
  }
};

export default defineConfig({
  plugins: [svgAsText],
  test: {
    environment: 'jsdom',
    include: ['src/**/__tests__/**/*.spec.{ts,tsx}'],
    restoreMocks: true,
    setupFiles: ['src/__tests__/setup.ts'],
    server: {
      deps: {
        // Written as ES modules, but without what Node needs to see that.
        inline: [/@jupyterlab\//, /@jupyter\//, /@lumino\//]
      }
    }
  }
});
