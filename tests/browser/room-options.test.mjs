// What is chosen of a room, as people hear it: tones, and one at a time.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { closeTabs, openPage, startBrowser } from './browser.mjs';
import { startDaemon } from './daemon.mjs';

/** What tones sound like: somebody begins, and has finished. */
const [BEGIN, END] = [880, 587.33];

let daemon, browser;

before(async () => {
  daemon = await startDaemon(undefined, undefined, ['--tls-mode=off', '--rooms-intercom=Kitchen, Nursery']);
  browser = await startBrowser();
});

after(async () => {
  await browser.close();
  await daemon.stop();
});

afterEach(async () => {
  await closeTabs(browser);
});

/** Runs before the page: knows which notes it strikes itself. */
function noteTones() {
  window.struck = [];
  window.OscillatorNode = class extends OscillatorNode {
    constructor(context, options) {
      super(context, options);
      window.struck.push(options.frequency);
    }
  };
}

/** Somebody who listens to these rooms, once that works. */
async function listener(name, listensTo) {
  const page = await openPage(browser, daemon.url, { name, listensTo });
  await page.addInitScript(noteTones);
  await page.reload();
  await page.waitForFunction((rooms) => rooms.every((room) => window.voiceRelay.sessionOf(room)?.view.carries), listensTo);
  return page;
}

async function untilTalk(page, state) {
  await page.waitForFunction((wanted) => window.voiceRelay.view.talk === wanted, state, { polling: 20 });
}

async function talk(page, room) {
  await page.evaluate((id) => void window.voiceRelay.talk(id), room);
}

test('who listens hears a tone when somebody begins to talk in a quiet room, and when they have finished, unless it wants none', async () => {
  const hall = await listener('Hall', ['kitchen', 'nursery']);
  const anna = await listener('Anna', ['kitchen']);
  await anna.goto(`${daemon.url}#/room/nursery`);
  await anna.locator('room-options #talkTones').uncheck();
  await hall.waitForFunction(() => window.voiceRelay.view.places.find(({ room }) => room.id === 'nursery').room.talkTones === false);
  // Quiet for a while.
  await hall.clock.install();
  await hall.clock.fastForward('00:06');
  await hall.clock.resume();
  const struck = () => hall.evaluate(() => window.struck);
  await talk(anna, 'nursery');
  await hall.waitForFunction(() => window.voiceRelay.view.heard.length === 1);
  await anna.evaluate(() => window.voiceRelay.stopTalking());
  await hall.waitForFunction(() => window.voiceRelay.view.heard.length === 0);
  assert.deepEqual(await struck(), [], 'the nursery wants none');
  await talk(anna, 'kitchen');
  await hall.waitForFunction((pitch) => window.struck.includes(pitch), BEGIN);
  await anna.evaluate(() => window.voiceRelay.stopTalking());
  await hall.waitForFunction((pitch) => window.struck.includes(pitch), END);
  assert.deepEqual(await struck(), [BEGIN, END]);
  assert.deepEqual(await anna.evaluate(() => window.struck), [], 'whoever talks hears none');
});

test('where one talks at a time, others see who does, are not heard meanwhile, and are afterwards', async () => {
  const [anna, ben, cora] = [await listener('Anna', ['kitchen']), await listener('Ben', ['kitchen']), await listener('Cora', ['kitchen'])];
  await anna.goto(`${daemon.url}#/room/kitchen`);
  await anna.locator('room-options #halfDuplex').check();
  await ben.goto(`${daemon.url}#/room/kitchen`);
  await ben.waitForFunction(() => window.voiceRelay.sessionOf('kitchen')?.view.room?.halfDuplex);
  await talk(anna, 'kitchen');
  await untilTalk(anna, 'live');
  await ben.locator('room-page talk-button button:disabled').waitFor();
  await ben.locator('room-page #no-word', { hasText: 'Anna' }).waitFor();
  await talk(ben, 'kitchen');
  await untilTalk(ben, 'failed');
  const heard = () => cora.evaluate(() => window.voiceRelay.view.heard.map(({ person }) => person.name));
  assert.deepEqual(await heard(), ['Anna']);
  await anna.evaluate(() => window.voiceRelay.stopTalking());
  await ben.locator('room-page talk-button button:enabled').click();
  await untilTalk(ben, 'live');
  await cora.waitForFunction(() => window.voiceRelay.view.heard[0]?.person.name === 'Ben');
});
