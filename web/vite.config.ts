import { defineConfig, type Plugin } from 'vite';

/** The service worker's file. Its address must stay the same for ever, so it has no hash. */
const WORKER = 'service-worker.js';

/** What the shell has besides the page and its hashed files. */
const KEPT = ['manifest.webmanifest', 'icon.svg', 'icon-192.png', 'icon-512.png'];

// Relative addresses everywhere: the page also lives below Home Assistant's ingress path.
export default defineConfig({
  base: './',
  build: {
    target: 'es2022',
    assetsDir: 'assets',
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: ['index.html', 'src/service-worker.ts'],
      output: {
        // All that the first look at the page needs is one file, whatever else needs parts of it besides.
        codeSplitting: { groups: [{ name: 'page', tags: ['$initial'], test: (id: string) => !id.endsWith('/service-worker.ts') }] },
        entryFileNames: ({ name }) => (name === 'service-worker' ? WORKER : 'assets/[name]-[hash].js'),
      },
    },
  },
  plugins: [shorterTemplates(), shellOfServiceWorker()],
});

/** HTML and styles are written with indentation and comments, which mean nothing in them and which nobody needs to be sent. */
function shorterTemplates(): Plugin {
  const shorten = (code: string) => code.replace(/\n[ \t]+/g, '\n').replace(/\n\/\*[^*]*\*\/(?=\n)/g, '');
  return { name: 'shorter-templates', renderChunk: (code) => ({ code: shorten(code), map: null }) };
}

/** Tells the service worker which files there are, and names that set of files by what is in them. */
function shellOfServiceWorker(): Plugin {
  return {
    name: 'shell-of-service-worker',
    enforce: 'post',
    async generateBundle(_, bundle) {
      const [worker, page] = [bundle[WORKER], bundle['index.html']];
      if (worker?.type !== 'chunk' || page?.type !== 'asset') return;
      const built = Object.keys(bundle).filter((file) => file.startsWith('assets/'));
      const version = await digest([...built, String(page.source), worker.code].join());
      const values = { SHELL_FILES: [...built, ...KEPT], SHELL_VERSION: version };
      const lines = Object.entries(values).map(([name, value]) => `const ${name} = ${JSON.stringify(value)};\n`);
      worker.code = lines.join('') + worker.code;
    },
  };
}

async function digest(text: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
  return Array.from(bytes.subarray(0, 6), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
