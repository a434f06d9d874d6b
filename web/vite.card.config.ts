// The dashboard cards: one module without imports, beside the page's files, whose name never changes.

import { defineConfig } from 'vite';

const source = (path: string): string => new URL(path, import.meta.url).pathname;

export default defineConfig({
  publicDir: false,
  resolve: {
    alias: [
      // Two cards of a dashboard may come with this module from two addresses: elements are defined once only.
      { find: /^lit\/decorators\.js$/, replacement: source('src/cards/decorators.ts') },
    ],
  },
  build: {
    target: 'es2022',
    emptyOutDir: false,
    lib: { entry: source('src/cards/card.ts'), formats: ['es'], fileName: () => 'voice-relay-card.js' },
  },
});
