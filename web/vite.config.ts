import { defineConfig } from 'vite';

// Relative addresses everywhere: the page also lives below Home Assistant's ingress path.
export default defineConfig({
  base: './',
  build: { target: 'es2022', assetsDir: 'assets', modulePreload: { polyfill: false } },
});
