// The page: one session, the element that shows it, and the views that take its place for a while.

import { spoken } from './lib/i18n';
import { joinHeadset } from './lib/headset';
import './pages/page';
import { routeOf, type Route } from './pages/routes';
import { ScreenLight } from './lib/screen-light';
import { VoiceSession } from './session/session';
import { isTalking } from './ui/talk-button';

declare global {
  interface Window {
    /** The page's session, for tests and for the curious at the console. */
    voiceRelay: VoiceSession;
  }
}

/** A view besides home. */
type View = HTMLElement & { session: VoiceSession; streamId?: string; roomId?: string };

/** The other views, loaded when somebody goes there. */
const MODULES = {
  room: () => import('./rooms/room-page'),
  rooms: () => import('./rooms/rooms-page'),
  share: () => import('./pages/share-page'),
  sounds: () => import('./player/sounds-page'),
  status: () => import('./pages/status-page'),
  stream: () => import('./pages/stream-page'),
  trust: () => import('./pages/trust-page'),
};

const session = new VoiceSession(new URL('.', document.baseURI));
const home = document.querySelector('voice-relay-page');

/** Grows with every change of the address, so that a view that is loaded too late is not shown. */
let round = 0;

/** Shows what the address means. Home stays in the page, so that nothing that is heard or said stops. */
async function show(route: Route): Promise<void> {
  const now = ++round;
  const view = await viewOf(route);
  if (now !== round) return;
  const before = document.querySelector('[data-view]');
  before?.remove();
  if (home) home.hidden = view !== null;
  if (view) document.body.append(view);
  if (view ?? before) focusHeading(view ?? home);
}

/** The view of this address; null for home, also where the view cannot be loaded. */
async function viewOf(route: Route): Promise<View | null> {
  if (route.view === 'home') return null;
  try {
    await MODULES[route.view]();
  } catch {
    return null;
  }
  const view = document.createElement(`${route.view}-page`) as View;
  view.dataset['view'] = route.view;
  view.session = session;
  if (route.view === 'stream') view.streamId = route.id;
  if (route.view === 'room') view.roomId = route.id;
  return view;
}

/** Tells whoever cannot see it that another view has come. */
function focusHeading(view: HTMLElement | null): void {
  requestAnimationFrame(() => {
    const heading = (view?.shadowRoot ?? view)?.querySelector<HTMLElement>('h1');
    if (!heading) return;
    heading.tabIndex = -1;
    heading.focus();
  });
}

/** The screen stays on while we talk or listen. */
function keepLit(): void {
  const light = new ScreenLight();
  session.addEventListener('change', () => {
    const { talk, listening } = session.view;
    light.isWanted = listening || isTalking(talk);
  });
}

/** Lets the page open without the relay. Browsers have service workers on secure pages only. */
function keepShell(): void {
  const workers = (navigator as { serviceWorker?: ServiceWorkerContainer }).serviceWorker;
  // Not in development, where files change all the time. Where it is refused, all else works as well.
  if (import.meta.env.PROD) workers?.register(new URL('service-worker.js', session.base)).catch(() => undefined);
}

window.voiceRelay = session;
document.documentElement.lang = spoken();
home?.attach(session);
session.connect();
keepLit();
joinHeadset(session);
keepShell();
window.addEventListener('hashchange', () => void show(routeOf(location.hash)));
void show(routeOf(location.hash));
