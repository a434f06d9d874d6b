// The page: one session, the element that shows it, and the views that take its place for a while.

import { HouseSession } from './house/house-session';
import './house/house-page';
import { spoken } from './lib/i18n';
import { joinHeadset } from './lib/headset';
import { ScreenLight } from './lib/screen-light';
import { hashOf, routeOf, type Route } from './pages/routes';
import { isTalking } from './rooms/room-voice';
import { browserStorage } from './session/choices';

declare global {
  interface Window {
    /** The page's session, for tests and for the curious at the console. */
    voiceRelay: HouseSession;
  }
}

/** A view besides home. */
type View = HTMLElement & { session: HouseSession; roomId?: string; pin?: string };

/** The other views, loaded when somebody goes there. */
const MODULES = {
  calls: () => import('./pages/calls-page'),
  homeassistant: () => import('./pages/homeassistant-page'),
  panel: () => import('./pages/panel-page'),
  room: () => import('./rooms/room-page'),
  settings: () => import('./pages/settings-page'),
  share: () => import('./pages/share-page'),
  sounds: () => import('./player/sounds-page'),
  speaker: () => import('./pages/speaker-page'),
  status: () => import('./pages/status-page'),
  trust: () => import('./pages/trust-page'),
};

const session = new HouseSession(new URL('.', document.baseURI), browserStorage(), true);
const home = document.querySelector('house-page');

/** Grows with every change of the address, so that a view that is loaded too late is not shown. */
let round = 0;

/** Shows what the address means. Home stays in the page, so that nothing that is heard or said stops. */
async function show(route: Route): Promise<void> {
  const now = ++round;
  const view = await viewOf(route);
  if (now !== round) return;
  const before = document.querySelector('[data-view]');
  before?.remove();
  if (home) {
    // Sounds are a drawer beside the house, where there is room for both: page.css.
    const hasDrawer = view !== null && route.view === 'sounds';
    home.hidden = view !== null && !hasDrawer;
    home.toggleAttribute('beside', hasDrawer);
  }
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
  if ('id' in route) view.roomId = route.id;
  if (route.view === 'room' && route.pin) {
    view.pin = route.pin;
    // Nobody needs to see it afterwards, and no history needs to keep it.
    history.replaceState(null, '', hashOf({ view: 'room', id: route.id }));
  }
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

/** Loads what is not needed before, once it is. */
function later(isTime: () => boolean, load: () => Promise<unknown>): void {
  const look = () => {
    if (!isTime()) return;
    session.removeEventListener('change', look);
    void load();
  };
  session.addEventListener('change', look);
}

/** Lets the page open without the relay. Browsers have service workers on secure pages only. */
function keepShell(): void {
  const workers = (navigator as { serviceWorker?: ServiceWorkerContainer }).serviceWorker;
  // Not in development, where files change all the time. Where it is refused, all else works as well.
  if (import.meta.env.PROD) workers?.register(new URL('service-worker.js', session.base)).catch(() => undefined);
}

/** Calls, and messages, are shown over every view, from the first one on. */
function showCalls(): void {
  let isShown = false;
  session.addEventListener('change', () => {
    const { calls: { current, ended, missed, refusal }, messages: { recording, unseen } } = session.view;
    if (isShown || !(current ?? ended ?? refusal ?? missed[0] ?? recording ?? unseen > 0)) return;
    isShown = true;
    void import('./calls/call-panel').then(() => {
      const made = document.createElement('call-panel');
      made.session = session;
      document.body.prepend(made);
      return made;
    });
  });
}

window.voiceRelay = session;
document.documentElement.lang = spoken();
home?.attach(session);
session.connect();
keepLit();
showCalls();
later(() => session.view.listening, async () => { (await import('./house/talk-tones')).soundTones(session); });
later(() => Object.values(session.choices.liveOn).flat().length > 0, async () => { (await import('./house/live-note')).playLive(session); });
joinHeadset(session);
keepShell();
window.addEventListener('hashchange', () => void show(routeOf(location.hash)));
void show(routeOf(location.hash));
