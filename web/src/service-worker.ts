// The service worker: keeps the shell of the page, so that it opens without the relay and can say so. What is
// live is none of its business: it answers for the page and its files, and for nothing else.

/// <reference lib="webworker" />

export {};

declare const self: ServiceWorkerGlobalScope;

/** Written in by the build: every file of the shell, relative to the page, and a name for this set of files. */
declare const SHELL_FILES: string[];
declare const SHELL_VERSION: string;

const PREFIX = 'voice-relay-shell-';
const CACHE = PREFIX + SHELL_VERSION;

/** A relay that says nothing for so long is out of reach. */
const PATIENCE_MS = 3_000;

/** The page, wherever it lives. */
const page = self.registration.scope;
const shell = new Set([page, ...SHELL_FILES.map((file) => new URL(file, page).href)]);

self.addEventListener('install', (event) => {
  event.waitUntil(keepShell());
});

self.addEventListener('activate', (event) => {
  event.waitUntil(dropOthers());
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const address = request.url.split('#')[0] ?? '';
  if (request.method !== 'GET' || !shell.has(address)) return;
  event.respondWith(address.startsWith(new URL('assets/', page).href) ? fromCache(request) : fromNetwork(address, request));
});

async function keepShell(): Promise<void> {
  const cache = await caches.open(CACHE);
  // The page itself must be of the same build as this worker, so past any other cache.
  await cache.addAll([...shell].map((address) => new Request(address, { cache: 'no-cache' })));
  await self.skipWaiting();
}

async function dropOthers(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(PREFIX) && name !== CACHE).map((name) => caches.delete(name)));
  await self.clients.claim();
}

/** Files with a hash in their names never change. */
async function fromCache(request: Request): Promise<Response> {
  return (await caches.match(request.url)) ?? fetch(request);
}

/** The page as the relay has it; as it was kept only when the relay is out of reach. */
async function fromNetwork(address: string, request: Request): Promise<Response> {
  try {
    return await fetch(request, { signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch (error) {
    const kept = await caches.match(address);
    if (kept) return kept;
    throw error;
  }
}
