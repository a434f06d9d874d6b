// What happens to people's devices and networks, and that talking and listening come back by themselves:
// each for real, in Chromium, with the daemon, and with the microphone asked for its own state.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';

import { capturesMicrophone, closeTabs, openPage, record, startBrowser, startRealBrowser, until, untilHeard } from './browser.mjs';
import { startDaemon } from './daemon.mjs';
import { makeNetwork } from './network.mjs';
import { startPulse } from './pulse.mjs';
import { beep, powerAt } from './sound.mjs';

const [TONE, OTHER_TONE] = [700, 1_700];

let folder, browser, daemon;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'voice-relay-'));
});

after(() => {
  rmSync(folder, { recursive: true });
});

/** Two pages, one talking, one hearing it. */
async function conversation(url = daemon.url) {
  const [talker, listener] = [await openPage(browser, url), await openPage(browser, url)];
  await listener.click('#listen');
  await talker.click('#talk');
  await until(talker, 'talk', 'live');
  await untilHeard(listener, 1);
  return { talker, listener };
}

/** Until this tone is what is heard: a microphone that has just been opened says nothing at first, for seconds on a busy machine. */
async function assertHears(listener, tone, timeout = 10_000) {
  const began = performance.now();
  const other = tone === TONE ? OTHER_TONE : TONE;
  for (;;) {
    const [heard] = await record(listener, 2);
    if (powerAt(tone, heard) > 10 * powerAt(other, heard)) return;
    assert.ok(performance.now() - began < timeout, `${tone} Hz are not heard`);
  }
}

/** Chooses the device of this name. */
const choose = (page, kind, name) =>
  page.evaluate(
    async ([choice, label]) => {
      const all = () => window.voiceRelay.view.devices[`${choice}s`];
      while (!all().some((device) => device.label === label)) await new Promise((resolve) => setTimeout(resolve, 20));
      window.voiceRelay.choose({ [choice]: all().find((device) => device.label === label).id });
    },
    [kind, name],
  );

/** Who we are in the room: by whoever comes back as the same, others are heard on. */
const ownId = (page) => page.evaluate(() => window.voiceRelay.view.selected.inside?.people.find(({ you }) => you)?.id);

/** Waits until packets arrive at the page now, whatever it says of itself; gives how long that took. */
async function untilSound(page, timeout) {
  const began = performance.now();
  const count = () =>
    page.evaluate(async () => {
      const reports = await Promise.all(window.voiceRelay.connections.map(({ peer }) => peer.getStats()));
      const inbound = reports.flatMap((report) => [...report.values()]).filter(({ type }) => type === 'inbound-rtp');
      return Object.fromEntries(inbound.map(({ ssrc, packetsReceived }) => [ssrc, packetsReceived]));
    });
  let former = await count();
  for (;;) {
    assert.ok(performance.now() - began < timeout, `no sound within ${timeout} ms`);
    await page.waitForTimeout(200);
    const now = await count();
    if (Object.entries(now).some(([ssrc, packets]) => packets > (former[ssrc] ?? packets))) break;
    former = now;
  }
  return performance.now() - began;
}

/** Waits for the talker to be live and the listener to hear it; gives how long that took. */
async function untilBack({ talker, listener }, timeout) {
  const began = performance.now();
  await Promise.all([until(talker, 'talk', 'live', timeout), untilHeard(listener, 1, timeout)]);
  return performance.now() - began;
}

/** The microphone is off as soon as the person says so. */
async function assertStops(talker) {
  const track = await talker.evaluateHandle(() => window.voiceRelay.microphoneTrack);
  await talker.evaluate(() => window.voiceRelay.stopTalking());
  assert.equal(await track.evaluate(({ readyState }) => readyState), 'ended');
  await until(talker, 'mic', 'off');
}

async function closePages() {
  await closeTabs(browser);
}

describe('a network', () => {
  let network;

  beforeEach(async () => {
    network = makeNetwork();
    daemon = await startDaemon(undefined, network);
    const secure = `--unsafely-treat-insecure-origin-as-secure=${new URL(daemon.url).origin}`;
    browser = await startBrowser(beep(folder, TONE), [secure]);
  });

  afterEach(async () => {
    await closePages();
    await browser.close();
    await daemon.stop();
    network.remove();
  });

  test('that is cut for ten seconds: talking and listening go on after it', async (context) => {
    const pages = await conversation();
    const over = setTimeout(10_000);
    network.cut();
    await until(pages.talker, 'talk', 'reconnecting', 10_000);
    await until(pages.listener, 'connection', 'down', 10_000);
    assert.equal(await capturesMicrophone(pages.talker), true);
    assert.equal(await pages.talker.evaluate(() => window.voiceRelay.view.microphone), 'live');
    await over;
    network.mend();
    context.diagnostic(`back after ${(await untilBack(pages, 8_000)).toFixed(0)} ms`);
    await assertHears(pages.listener, TONE);
    await assertStops(pages.talker);
  });

  test('that is cut for two seconds: the same stream goes on', async () => {
    const pages = await conversation();
    const stream = await ownId(pages.talker);
    network.cut();
    await pages.talker.waitForTimeout(2_000);
    network.mend();
    await pages.talker.waitForTimeout(3_000);
    await untilBack(pages, 3_000);
    assert.equal(await ownId(pages.talker), stream);
    await assertHears(pages.listener, TONE);
  });

  test('where this device gets another address: talking and listening go on', async (context) => {
    const pages = await conversation();
    const began = performance.now();
    network.move();
    // What was on its way has arrived by then.
    await setTimeout(500);
    await untilSound(pages.listener, 12_000);
    context.diagnostic(`back ${(performance.now() - began).toFixed(0)} ms after the move`);
    await untilBack(pages, 1_000);
    await assertHears(pages.listener, TONE);
    await assertStops(pages.talker);
  });
});

describe('a microphone', () => {
  let pulse, desk;

  beforeEach(async () => {
    pulse = await startPulse();
    for (const name of ['hall', 'kitchen']) pulse.plugLoudspeaker(name);
    desk = pulse.plugMicrophone('desk', beep(folder, TONE));
    daemon = await startDaemon();
    browser = await startRealBrowser(pulse.env);
  });

  afterEach(async () => {
    await closePages();
    await browser.close();
    await daemon.stop();
    pulse.stop();
  });

  /** Two pages, one talking into the microphone on the desk. */
  async function talkAtTheDesk() {
    const options = { permissions: ['microphone'] };
    const [talker, listener] = [await openPage(browser, daemon.url, options), await openPage(browser, daemon.url, options)];
    await listener.click('#listen');
    await choose(talker, 'microphone', 'desk');
    await talker.click('#talk');
    await until(talker, 'talk', 'live');
    await untilHeard(listener, 1);
    return { talker, listener, stream: await ownId(talker) };
  }

  /** Chromium moves to another loudspeaker when its audio process comes to it, and what it had written there is heard to its end. */
  async function untilPlaysAlone(wanted, other, timeout) {
    const began = performance.now();
    for (;;) {
      const [plays, rests] = await Promise.all([wanted, other].map((name) => pulse.record(name, 1)));
      if (powerAt(TONE, plays) > 1_000 * powerAt(TONE, rests)) return;
      assert.ok(performance.now() - began < timeout, `${wanted} does not play, or not alone`);
    }
  }

  /** Where there is no udev, as in containers, Chromium notices only when it is asked for its devices. */
  async function pullOut(page, microphone) {
    pulse.unplug(microphone);
    await page.evaluate(() => navigator.mediaDevices.enumerateDevices());
  }

  test('that is pulled out while another one is there: the same stream goes on with that one', async () => {
    pulse.plugMicrophone('camera', beep(folder, OTHER_TONE));
    const { talker, listener, stream } = await talkAtTheDesk();
    await assertHears(listener, TONE);
    const track = await talker.evaluateHandle(() => window.voiceRelay.microphoneTrack);
    await pullOut(talker, desk);
    await talker.waitForFunction((former) => ![null, former].includes(window.voiceRelay.microphoneTrack), track);
    assert.equal(await track.evaluate(({ readyState }) => readyState), 'ended');
    await until(talker, 'talk', 'live');
    assert.equal(await ownId(talker), stream);
    await assertHears(listener, OTHER_TONE);
    await assertStops(talker);
  });

  test('that is pulled out, the only one: talking waits without it, and goes on when one is there again', async () => {
    const { talker, listener } = await talkAtTheDesk();
    const track = await talker.evaluateHandle(() => window.voiceRelay.microphoneTrack);
    await pullOut(talker, desk);
    await until(talker, 'talk', 'reconnecting');
    await until(talker, 'mic', 'off');
    assert.equal(await track.evaluate(({ readyState }) => readyState), 'ended');
    assert.equal(await talker.evaluate(() => window.voiceRelay.view.problem.code), 'unplugged');
    await untilHeard(listener, 0);
    pulse.plugMicrophone('camera', beep(folder, OTHER_TONE));
    await untilBack({ talker, listener }, 5_000);
    await until(talker, 'mic', 'live');
    await assertHears(listener, OTHER_TONE);
    await assertStops(talker);
  });

  test('that is another one by choice: the same stream goes on with it', async () => {
    pulse.plugMicrophone('camera', beep(folder, OTHER_TONE));
    const { talker, listener, stream } = await talkAtTheDesk();
    const track = await talker.evaluateHandle(() => window.voiceRelay.microphoneTrack);
    await choose(talker, 'microphone', 'camera');
    await talker.waitForFunction(() => window.voiceRelay.microphoneTrack.label === 'camera');
    assert.equal(await track.evaluate(({ readyState }) => readyState), 'ended');
    await assertHears(listener, OTHER_TONE);
    assert.equal(await ownId(talker), stream);
  });

  test('and the sound processing of one that is open follow what is chosen', async () => {
    const { talker, stream } = await talkAtTheDesk();
    await talker.evaluate(() => window.voiceRelay.choose({ noiseSuppression: false, echoCancellation: false }));
    const settings = () => window.voiceRelay.microphoneTrack.getSettings();
    await talker.waitForFunction(() => window.voiceRelay.microphoneTrack.getSettings().noiseSuppression === false);
    assert.equal((await talker.evaluate(settings)).echoCancellation, false);
    assert.equal(await ownId(talker), stream);
  });

  test('and a loudspeaker, chosen while somebody is heard', async () => {
    const { listener } = await talkAtTheDesk();
    await choose(listener, 'loudspeaker', 'kitchen');
    await untilPlaysAlone('kitchen', 'hall', 10_000);
    await listener.evaluate(() => window.voiceRelay.listenTo('home', false));
    await listener.waitForTimeout(500);
    const chime = pulse.record('kitchen', 3);
    await listener.evaluate(() => window.voiceRelay.testSound());
    assert.ok(powerAt(659.26, await chime) > 100 * powerAt(OTHER_TONE, await chime), 'no chime');
  });
});

describe('a tab', () => {
  beforeEach(async () => {
    daemon = await startDaemon();
    // As people have it: sound only after a tap.
    browser = await startBrowser(beep(folder, TONE), ['--autoplay-policy=document-user-activation-required']);
  });

  afterEach(async () => {
    await closePages();
    await browser.close();
    await daemon.stop();
  });

  /** Hides the tab and lets nothing in it run, as phones do; gives the means to show it again. */
  async function freeze(page) {
    const devtools = await page.context().newCDPSession(page);
    const set = (state) => devtools.send('Page.setWebLifecycleState', { state });
    await set('frozen');
    return () => set('active');
  }

  test('that slept through a restart of the relay: all goes on when it is shown again', async () => {
    const pages = await conversation();
    const wake = await Promise.all([pages.talker, pages.listener].map(freeze));
    await daemon.stop('SIGKILL');
    await setTimeout(3_000);
    daemon = await startDaemon(daemon.ports);
    await Promise.all(wake.map((one) => one()));
    await untilSound(pages.listener, 5_000);
    await untilBack(pages, 1_000);
    assert.equal(await capturesMicrophone(pages.talker), true);
    await assertHears(pages.listener, TONE);
    await assertStops(pages.talker);
  });

  test('to which the person comes back, and a network event without harm, keep what works', async () => {
    const { talker, listener } = await conversation();
    const peerOf = (page) => page.evaluateHandle(() => window.voiceRelay.connections[0].peer);
    const credentials = () => window.voiceRelay.connections[0].peer.localDescription.sdp.match(/ice-ufrag:(\S+)/)[1];
    const [stream, sending, hearing] = [await ownId(talker), await peerOf(talker), await peerOf(listener)];
    const former = await talker.evaluate(credentials);
    for (const page of [talker, listener]) await page.evaluate(() => window.dispatchEvent(new Event('online')));
    await talker.waitForTimeout(3_000);
    assert.notEqual(await talker.evaluate(credentials), former, 'no ICE restart');
    await untilSound(listener, 1_000);
    const same = (one) => one === window.voiceRelay.connections[0].peer;
    assert.deepEqual([await sending.evaluate(same), await hearing.evaluate(same)], [true, true]);
    assert.equal(await ownId(talker), stream);
    await assertHears(listener, TONE);
  });

  test('in which somebody taps in haste has the microphone open when the page says so, and else not', async () => {
    const talker = await openPage(browser, daemon.url);
    await talker.evaluate(() => {
      window.opened = [];
      const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = async (constraints) => {
        const stream = await open(constraints);
        window.opened.push(...stream.getTracks());
        return stream;
      };
    });
    const live = () => talker.evaluate(() => window.opened.filter(({ readyState }) => readyState === 'live').length);
    for (const pause of [0, 1, 5, 20, 50, 100]) {
      await talker.evaluate(async (milliseconds) => {
        void window.voiceRelay.talk();
        await new Promise((resolve) => setTimeout(resolve, milliseconds));
        window.voiceRelay.stopTalking();
      }, pause);
      await talker.waitForTimeout(500);
      assert.equal(await live(), 0, `${pause} ms`);
      await until(talker, 'talk', 'idle');
    }
    await talker.evaluate(() => {
      void window.voiceRelay.talk();
      window.voiceRelay.stopTalking();
      void window.voiceRelay.talk();
    });
    await until(talker, 'talk', 'live');
    assert.equal(await live(), 1);
    await assertStops(talker);
    assert.equal(await live(), 0);
  });

  test('that is opened on a later visit listens again, after any tap, and does not talk', async () => {
    const { listener } = await conversation();
    await listener.click('#talk');
    await until(listener, 'talk', 'live');
    const later = await listener.context().newPage();
    await listener.close();
    later.errors = [];
    // Whatever else Playwright does in a page counts as a tap.
    await later.addInitScript(() => {
      window.seen = [];
      window.addEventListener('pointerdown', () => window.seen.push('tap'), { capture: true });
      const note = () => {
        const [{ blocked, heard }, last] = [window.voiceRelay.view, window.seen.at(-1)];
        if (blocked && !window.seen.includes('blocked')) window.seen.push('blocked');
        if (!blocked && heard.length && last !== 'playing') window.seen.push('playing');
      };
      window.addEventListener('load', () => window.voiceRelay.addEventListener('change', note));
    });
    await later.goto(daemon.url);
    await setTimeout(3_000);
    await later.mouse.click(3, 3);
    await untilHeard(later, 1);
    assert.deepEqual(await later.evaluate(() => window.seen), ['blocked', 'tap', 'playing']);
    assert.equal(await later.evaluate(() => window.voiceRelay.view.talk), 'idle');
    assert.equal(await capturesMicrophone(later), false);
    await later.evaluate(() => window.voiceRelay.listenTo('home', false));
    await later.reload();
    await until(later, 'connection', 'up');
    await until(later, 'listen', 'off');
  });

  test('whose session is closed holds nothing any more, and can begin again', async () => {
    const { talker, listener } = await conversation();
    const track = await talker.evaluateHandle(() => window.voiceRelay.microphoneTrack);
    for (const page of [talker, listener]) await page.evaluate(() => window.voiceRelay.close());
    assert.equal(await track.evaluate(({ readyState }) => readyState), 'ended');
    await talker.waitForTimeout(1_000);
    const health = await (await fetch(`${daemon.url}health`)).json();
    assert.deepEqual([health.active_streams, health.connected_clients], [0, 0]);
    assert.equal((await daemon.metrics()).voice_relay_receivers, 0);
    await talker.evaluate(() => (window.voiceRelay.connect(), window.voiceRelay.talk()));
    await listener.evaluate(() => window.voiceRelay.connect());
    await untilBack({ talker, listener }, 3_000);
  });
});
