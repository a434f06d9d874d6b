// Every page and every card in every state that people meet, for those who look at them: the screenshots and the
// accessibility test. The daemon, the browser and whoever else talks are real.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { openPage, startBrowser, until, untilHeard, visitPage } from './browser.mjs';
import { startDaemon } from './daemon.mjs';
import { addCard, openDashboard, startDashboard, untilCard } from './dashboard.mjs';
import { comeInside, openRoom, untilRoom } from './rooms.mjs';
import { speak } from './sound.mjs';
import { startCore } from './stand-in-core.mjs';

export const STATES = ['idle', 'talking', 'listening', 'refused', 'offline'];
export const SCHEMES = ['light', 'dark'];

/** Screens of pages. Cards live in columns as wide as a phone. */
export const SCREENS = { phone: { width: 360, height: 740 }, desktop: { width: 1280, height: 800 } };

/** A phone at twice its size, and a panel on the wall, besides. */
export const ALL_SCREENS = { zoomed: { width: 195, height: 400 }, ...SCREENS, tablet: { width: 1024, height: 768 } };

/** Views that are different in each state, and what is there once they are. */
const VIEWS = { home: ['#/', 'house-page house-tile'], status: ['#/status', '#self-test[data-verdict]'] };

const CARDS = {
  'relay-card-tile': { type: 'custom:voice-relay-card', mode: 'tile' },
  'relay-card-room': { type: 'custom:voice-relay-card', title: 'Kitchen', mode: 'room' },
  'relay-card-talk': { type: 'custom:voice-relay-card', title: 'Kitchen', mode: 'talk' },
  'relay-card-listen': { type: 'custom:voice-relay-card', title: 'Kitchen', mode: 'listen' },
  'relay-card-compact': { type: 'custom:voice-relay-card', title: 'Kitchen', mode: 'compact' },
  'sending-card': { type: 'custom:voice-sending-card', name: 'Kitchen' },
  'receiving-card': { type: 'custom:voice-receiving-card', title: 'Whole house' },
};

/** A column of 360 pixels, and the margins of the dashboard. */
const COLUMN = { width: 376, height: 700 };

/** Stills: what fades is at its end. */
const STILL = { reducedMotion: 'reduce' };

/** Grounds of Home Assistant's own themes. */
const GROUNDS = { light: '#fafafa', dark: '#111111' };

/** A house: the relay, a dashboard, Anna in another room, and browsers with and without a microphone. */
export async function openHouse({ locale = 'en-US' } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'voice-relay-'));
  const sounds = makeSounds(folder);
  const daemon = new Daemon(sounds);
  const [allowing, refusing] = await Promise.all([
    startBrowser(speak(folder)),
    startBrowser(undefined, ['--use-fake-ui-for-media-stream=deny']),
    daemon.start(),
  ]);
  const dashboard = await startDashboard(daemon);
  const anna = await openPage(allowing, daemon.url, { name: 'Anna', listensTo: ['home', 'kitchen'], locale });
  return {
    daemon,
    sounds,
    dashboard,
    anna,
    locale,
    browserFor: (state) => (state === 'refused' ? refusing : allowing),
    async close() {
      await Promise.all([allowing.close(), refusing.close()]);
      dashboard.stop();
      await daemon.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

/** A folder of a few sounds. */
function makeSounds(folder) {
  const sounds = join(folder, 'sounds');
  mkdirSync(sounds);
  for (const [name, tones] of [['Dinner bell.wav', ['880', '660']], ['Gone.wav', ['440']], ['Long evening.wav', ['220', '330']]]) {
    execFileSync('sox', ['-n', '-b', '16', join(sounds, name), 'synth', '12', ...tones.flatMap((tone) => ['sine', tone]), 'tremolo', '0.3', '90']);
  }
  return sounds;
}

/** A daemon that can be away for a while, and comes back on the same ports. */
class Daemon {
  #running = null;
  #ports;
  #flags;

  constructor(sounds) {
    this.#flags = ['--tls-mode=off', '--rooms-intercom=Kitchen, Nursery', `--files-folders=${sounds}`, `--data-dir=${join(sounds, '.data')}`];
  }

  async start() {
    this.#running ??= await startDaemon(this.#ports, undefined, this.#flags);
    this.#ports = this.#running.ports;
    this.url = this.#running.url;
  }

  get ports() {
    return this.#ports;
  }

  get isRunning() {
    return this.#running !== null;
  }

  async stop() {
    const running = this.#running;
    this.#running = null;
    await running?.stop();
  }
}

/** Shows every page in every state, screen and scheme; `look` gets the tab and what it shows. */
export async function showPages(house, look, screens = SCREENS) {
  for (const state of STATES) {
    const tab = await openPage(house.browserFor(state), house.daemon.url, { ...STILL, name: 'Ben', locale: house.locale, viewport: SCREENS.phone });
    for (const view of Object.keys(VIEWS)) {
      await letAnnaTalk(house, state === 'listening');
      await bringPage(house, tab, state);
      await showView(tab, view);
      for (const [screen, size] of Object.entries(screens)) {
        for (const colorScheme of SCHEMES) {
          await tab.setViewportSize(size);
          await tab.emulateMedia({ colorScheme });
          await look(tab, { part: view, state, screen, scheme: colorScheme });
        }
      }
    }
    await leave(house, tab);
  }
}

/** Scenes of the page of the house that are the same in every state. */
const HOUSE_SCENES = {
  menu: async (tab) => {
    await tab.click('.menu summary');
  },
  announce: async (tab) => {
    await tab.click('.menu summary');
    await tab.click('#announce');
    await tab.locator('announce-sheet #sound').waitFor();
  },
  announced: async (tab) => {
    await tab.click('announce-sheet #play-sound');
    await tab.locator('#announced li').first().waitFor();
  },
  'new-room': async (tab) => {
    await tab.keyboard.press('Escape');
    await tab.click('#new-room');
    await tab.locator('room-sheet #make').waitFor();
  },
  chat: async (tab) => {
    await tab.keyboard.press('Escape');
    await tab.click('house-page #chat summary');
    await tab.locator('room-chat form').waitFor();
  },
  settings: async (tab) => {
    await goTo(tab, '#/settings');
    await tab.locator('settings-page #name').waitFor();
  },
  speaker: async (tab) => {
    await goTo(tab, '#/speaker/kitchen');
    await tab.locator('speaker-page #players').waitFor();
  },
};

/** Shows what people meet on the page of the house besides talking and listening; first, who has never been there. */
export async function showHouse(house, look, screens = SCREENS) {
  const options = { ...STILL, locale: house.locale, viewport: SCREENS.phone };
  const first = await visitPage(house.browserFor('idle'), house.daemon.url, options);
  await first.locator('house-tile').first().waitFor();
  await showScenes(first, { welcome: () => undefined }, house, look, screens);
  await first.context().close();
  const tab = await openPage(house.browserFor('idle'), house.daemon.url, { ...options, name: 'Ben', listensTo: ['home'] });
  await tab.locator('house-page #chat').waitFor();
  await showScenes(tab, HOUSE_SCENES, house, look, screens);
  await tab.context().close();
}

/** Scenes of rooms: who does what before each is looked at. Ben is in the room, too. */
const ROOM_SCENES = {
  'room-door': async (tab, { locked }) => {
    await goTo(tab, `#/room/${locked.roomId}`);
    await tab.locator('room-door #enter').waitFor();
  },
  'room-full': async (tab, { full }) => {
    await goTo(tab, `#/room/${full.roomId}`);
    await tab.locator('[data-refusal="full"]').waitFor();
  },
  'room-idle': async (tab, { open }) => {
    await goTo(tab, `#/room/${open.roomId}`);
    await untilRoom(tab, 'carries', 'yes');
  },
  'room-talking': async (tab) => {
    await tab.click('room-page #talk');
    await untilRoom(tab, 'talk', 'live');
  },
  'room-video': async (tab, { ben }) => {
    await tab.click('room-page #talk');
    await ben.locator('#camera').click();
    await tab.locator('#camera').click();
    await tab.locator('video-tile[data-state=playing]', { hasText: 'Ben' }).waitFor();
    await tab.locator('video-stage[data-camera=live]').waitFor();
  },
  'room-video-speaker': async (tab, { ben }) => {
    await ben.locator('#screen').click();
    await tab.locator('video-tile[data-kind=screen][data-state=playing]').waitFor();
    await tab.locator('#layout').click();
    await tab.locator('video-tile.large').waitFor();
  },
  'room-host': async (tab, { show }) => {
    await goTo(tab, '#/');
    await tab.evaluate(({ roomId, hostId }) => sessionStorage.setItem(`voice-relay-room-${roomId}`, hostId), show);
    await goTo(tab, `#/room/${show.roomId}`);
    await untilRoom(tab, 'carries', 'yes');
    await tab.locator('room-people .menu').first().click();
    for (const panel of ['music-panel', 'statistics-panel', 'invite-panel']) await tab.locator(`${panel} summary`).click();
    await tab.locator('#charts').waitFor();
    await tab.locator('invite-panel qr-code svg').waitFor();
  },
};

/** Shows rooms, and what is before their doors, on every screen and in every scheme. */
export async function showRooms(house, look, screens = SCREENS) {
  const { url } = house.daemon;
  const rooms = {
    open: await openRoom(url, { roomName: 'Living room' }),
    show: await openRoom(url, { roomName: 'Music evening', kind: 'broadcast' }),
    locked: await openRoom(url, { roomName: 'Study', pin: '1234' }),
    full: await openRoom(url, { roomName: 'Two seats', max: 2 }),
  };
  const others = [];
  // Of the two seats one is kept for the host.
  for (const room of [rooms.open, rooms.show, rooms.full]) {
    others.push(await comeInside(house.browserFor('idle'), url, room.roomId, { name: 'Ben' }));
  }
  const tab = await openPage(house.browserFor('idle'), url, { ...STILL, locale: house.locale, viewport: SCREENS.phone });
  await showScenes(tab, ROOM_SCENES, { ...rooms, ben: others[0] }, look, screens);
  for (const other of [tab, ...others]) await other.context().close();
}

/** Scenes of calls: who calls whom before each is looked at. */
const CALL_SCENES = {
  devices: async (tab) => {
    await tab.locator('house-tile[data-room="hall-tablet"]').waitFor();
    await tab.locator('house-page .away summary').click();
  },
  'call-called': async (tab, { url }) => {
    await post(`${url}api/calls`, { to: ['ben', 'hall-tablet', 'attic'], name: 'Front door', seconds: 300 });
    await tab.locator('call-panel #answer').waitFor();
  },
  'call-missed': async (tab, { url }) => {
    const { calls } = await (await fetch(`${url}api/calls`)).json();
    for (const { id } of calls) await fetch(`${url}api/calls/${id}`, { method: 'DELETE' });
    await tab.locator('call-panel .missed').waitFor();
  },
  'call-calling': async (tab, { hall }) => {
    await tab.click('call-panel .missed button');
    await tab.click('house-tile[data-room="hall-tablet"] #ring');
    await tab.locator('call-panel #cancel').waitFor();
    await hall.locator('call-panel #answer').waitFor();
  },
  'call-talking': async (tab, { hall }) => {
    await hall.click('call-panel #answer');
    await tab.locator('call-panel #mute:enabled').waitFor();
  },
  'call-ended': async (tab, { hall }) => {
    await tab.click('call-panel #hang-up');
    await tab.locator('call-panel #hang-up').waitFor({ state: 'detached' });
    await tab.click('house-tile[data-room="hall-tablet"] #ring');
    await hall.click('call-panel #decline');
    await tab.locator('call-panel #ended').waitFor();
  },
  'message-recording': async (tab) => {
    await tab.click('call-panel #leave-message');
    await tab.locator('call-panel [data-stage="recording"]').waitFor();
    await tab.waitForTimeout(1_000);
  },
  'message-sent': async (tab) => {
    await tab.click('call-panel #send-message');
    await tab.locator('call-panel [data-stage="sent"]').waitFor();
  },
  'message-new': async (tab, { hall }) => {
    await tab.click('call-panel #discard-message');
    await hall.evaluate(() => window.voiceRelay.calls.leaveMessage('ben', 'Ben'));
    await hall.locator('call-panel [data-stage="recording"]').waitFor();
    await tab.waitForTimeout(1_500);
    await hall.click('call-panel #send-message');
    await tab.locator('call-panel #new-messages').waitFor();
  },
  calls: async (tab) => {
    await tab.click('call-panel #listen-messages');
    await tab.locator('voice-message #play').waitFor();
    await tab.locator('calls-page sure-button').first().waitFor();
  },
  panel: async (tab) => {
    await goTo(tab, '#/panel');
    await tab.locator('panel-page house-tile').first().waitFor();
  },
  'panel-called': async (tab, { url }) => {
    await post(`${url}api/calls`, { to: ['ben'], name: 'Front door', seconds: 300 });
    await tab.locator('call-panel #answer').waitFor();
  },
  'panel-dark': async (tab) => {
    await tab.click('call-panel #decline');
    await tab.locator('call-panel #answer').waitFor({ state: 'detached' });
    // A minute later.
    await tab.evaluate(() => (document.querySelector('panel-page').isDark = true));
    await tab.locator('panel-page #dark').waitFor();
  },
};

async function post(url, body) {
  const answer = await fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
}

/** Shows devices with names, and calls between them, on every screen and in every scheme. */
export async function showCalls(house, look, screens = SCREENS) {
  const daemon = await startDaemon(undefined, undefined, ['--tls-mode=off', '--rooms-intercom=Kitchen, Nursery']);
  const { url } = daemon;
  const options = { ...STILL, locale: house.locale, viewport: SCREENS.phone, listensTo: ['home'] };
  const open = (name) => openPage(house.browserFor('idle'), url, { ...options, name });
  const [hall, attic, garage] = [await open('Hall tablet'), await open('Attic'), await open('Garage')];
  await garage.locator('house-tile[data-room="attic"]').waitFor();
  await garage.context().close();
  const tab = await open('Ben');
  await showScenes(tab, CALL_SCENES, { url, hall }, look, screens);
  for (const page of [tab, hall, attic]) await page.context().close();
  await daemon.stop();
}

/** Scenes of the sounds: what is done before each is looked at. */
const SOUND_SCENES = {
  'sounds-list': async (tab) => {
    await goTo(tab, '#/sounds');
    await tab.locator('#files li').nth(2).waitFor();
  },
  'sounds-playing': async (tab) => {
    await tab.locator('queue-panel summary').click();
    await tab.locator('.play', { hasText: 'Long evening' }).click();
    await tab.locator('.add').first().click();
    await tab.locator('sounds-page[data-state="playing"]').waitFor();
  },
  'sounds-failed': async (tab, { sounds }) => {
    rmSync(join(sounds, 'Gone.wav'), { force: true });
    await tab.locator('.play', { hasText: 'Gone' }).click();
    await tab.locator('player-panel #failed').waitFor();
  },
};

/** Shows the sounds and their player, on every screen and in every scheme. */
export async function showSounds(house, look, screens = SCREENS) {
  const tab = await openPage(house.browserFor('idle'), house.daemon.url, { ...STILL, locale: house.locale, viewport: SCREENS.phone });
  await showScenes(tab, SOUND_SCENES, house, look, screens);
  await tab.context().close();
}

/** Scenes of a relay with a certificate of its own, and with Home Assistant: how a device comes to trust it, a link for guests, and
 * what Home Assistant has of it. */
const HELP_SCENES = {
  trust: async (tab) => {
    await goTo(tab, '#/trust');
    await tab.locator('trust-page #fingerprint').waitFor();
    await tab.locator('trust-page summary').nth(1).click();
  },
  share: async (tab) => {
    await goTo(tab, '#/share');
    await tab.locator('share-page #make').waitFor();
  },
  homeassistant: async (tab) => {
    await goTo(tab, '#/homeassistant');
    await tab.locator('homeassistant-page #connect:enabled').waitFor();
    await tab.locator('homeassistant-page li').first().waitFor();
  },
  'homeassistant-connected': async (tab) => {
    await tab.click('homeassistant-page #connect');
    await tab.locator('homeassistant-page #node[data-connected=true]').waitFor();
    await tab.click('homeassistant-page [data-entity="media_player.kitchen_speaker"] button');
    await tab.locator('homeassistant-page [data-entity="media_player.kitchen_speaker"] button:enabled').waitFor();
  },
};

/** Shows the guides, on every screen and in every scheme. */
export async function showHelp(house, look, screens = SCREENS) {
  const folder = mkdtempSync(join(tmpdir(), 'voice-relay-'));
  const core = await startCore();
  const daemon = await startDaemon(undefined, undefined, ['--http-tls-port=0', '--files-folders=auto', `--data-dir=${folder}`, ...core.flags]);
  const tab = await openPage(house.browserFor('idle'), daemon.url, { ...STILL, locale: house.locale, viewport: SCREENS.phone });
  await showScenes(tab, HELP_SCENES, daemon, look, screens);
  await tab.context().close();
  await daemon.stop();
  await core.stop();
  rmSync(folder, { recursive: true });
}

/** Brings each of these scenes, and looks at it on every screen and in every scheme. */
async function showScenes(tab, scenes, given, look, screens) {
  for (const [part, bring] of Object.entries(scenes)) {
    await bring(tab, given);
    for (const [screen, size] of Object.entries(screens)) {
      for (const scheme of SCHEMES) {
        await tab.setViewportSize(size);
        await tab.emulateMedia({ colorScheme: scheme });
        await look(tab, { part, state: 'shown', screen, scheme });
      }
    }
  }
}

async function goTo(tab, hash) {
  await tab.evaluate((wanted) => (location.hash = wanted), hash);
}

/** Shows every card in every state and scheme, one at a time. */
export async function showCards(house, look) {
  for (const state of STATES) {
    const tab = await openDashboard(house.browserFor(state), house.dashboard.url, { ...STILL, viewport: COLUMN });
    await letAnnaTalk(house, state === 'listening');
    for (const [part, config] of Object.entries(CARDS)) {
      await clear(tab);
      await addCard(tab, { ...config, server_url: house.daemon.url }, { hass: { language: house.locale } });
      await bringCard(house, tab, config.type.replace('custom:', ''), state);
      for (const scheme of SCHEMES) {
        await paint(tab, scheme, house.locale);
        await look(tab, { part, state, screen: 'column', scheme });
      }
    }
    await leave(house, tab);
  }
}

async function letAnnaTalk({ anna, daemon }, wanted) {
  if (!daemon.isRunning || (await anna.evaluate(() => window.voiceRelay.view.talk)) === (wanted ? 'live' : 'idle')) return;
  await anna.click('#talk');
  await until(anna, 'talk', wanted ? 'live' : 'idle');
}

/** Does at home what leads to this state, unless that is done. */
async function bringPage(house, tab, state) {
  await tab.evaluate(() => (location.hash = '#/'));
  await tab.locator('house-page').waitFor();
  const { talk, listening } = await tab.evaluate(() => ({ talk: window.voiceRelay.view.talk, listening: window.voiceRelay.view.listening }));
  if (state === 'refused' || (state === 'talking' && talk === 'idle')) await tab.click('#talk');
  if (state === 'listening' && !listening) await tab.click('#listen');
  if (state === 'talking') await until(tab, 'talk', 'live');
  if (state === 'listening') await untilHeard(tab, 1);
  if (state === 'talking' || state === 'listening') await untilCounted(tab);
  if (state === 'refused') await until(tab, 'talk', 'failed');
  if (state === 'offline') await goOffline(house, tab);
}

/** Waits until the relay has told that somebody listens. */
async function untilCounted(tab) {
  await tab.waitForFunction(() => window.voiceRelay.view.selected.room.hearing > 0);
}

/** Without the relay for as long as it takes the page to say so. */
async function goOffline(house, tab) {
  await tab.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await house.daemon.stop();
  await until(tab, 'connection', 'down');
  await tab.waitForFunction(() => document.querySelector('house-page').isAway);
}

/** Goes to a view, as a link does. */
async function showView(tab, view) {
  const [hash, ready] = VIEWS[view];
  await goTo(tab, hash);
  await tab.locator(ready).first().waitFor({ timeout: 20_000 });
}

/** Takes the card away, and waits until what it did has ended. */
async function clear(tab) {
  await tab.evaluate(() => document.querySelector('main').replaceChildren());
  await tab.waitForFunction(() => {
    const view = window.voiceRelayLines && window.voiceRelay?.view;
    return !view || ((view.talk === 'idle' || view.talk === 'failed') && !view.listening);
  });
}

/** Does with a card what leads to this state. */
async function bringCard(house, tab, card, state) {
  if (state === 'offline') {
    await house.daemon.stop();
    await tab.locator(`${card} #trouble`).waitFor();
    return;
  }
  await untilCard(tab, card, 'connection', 'up');
  const [talk, listen] = [tab.locator(`${card} #talk`), tab.locator(`${card} #listen`)];
  const canTalk = await talk.count();
  if (state === 'listening' && (await listen.count())) {
    await listen.click();
    await untilHeard(tab, 1);
  }
  if (state === 'talking' && canTalk) {
    await talk.click();
    await untilCard(tab, card, 'talk', 'live');
  }
  if (state === 'refused' && canTalk) {
    await talk.click();
    await tab.locator(`${card} #problem`).waitFor();
  }
}

/** Gives card and dashboard the colours of Home Assistant's light or dark mode. */
async function paint(tab, scheme, language) {
  await tab.emulateMedia({ colorScheme: scheme });
  await tab.evaluate(
    ([ground, darkMode, spoken]) => {
      document.body.style.background = ground;
      const card = document.querySelector('main').firstElementChild;
      card.hass = window.makeHass({ darkMode, language: spoken });
      return card.updateComplete;
    },
    [GROUNDS[scheme], scheme === 'dark', language],
  );
}

/** Closes the tab, and has the relay back for what comes next. */
async function leave(house, tab) {
  await tab.context().close();
  await house.daemon.start();
  await until(house.anna, 'connection', 'up', 30_000);
}
