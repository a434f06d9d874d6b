// Calls, as people have them: devices with names, each a tab in a context of its own, with a tone for a voice.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { capturesMicrophone, closeTabs, openPage, record, startBrowser, until } from './browser.mjs';
import { speakInTones, tonesIn } from './rooms.mjs';
import { startDaemon } from './daemon.mjs';

const [ANNA, HALL, ATTIC] = [523, 784, 1_175];
const TONES = [ANNA, HALL, ATTIC];

const FLAGS = ['--tls-mode=off', '--rooms-intercom=Kitchen'];

let daemon, browser;

before(async () => {
  daemon = await startDaemon(undefined, undefined, FLAGS);
  browser = await startBrowser();
});

after(async () => {
  await browser.close();
  await daemon.stop();
});

afterEach(async () => {
  await closeTabs(browser);
  // Nobody is left who could be called by the next test; and calls may be made again at once.
  const { stations } = await (await fetch(`${daemon.url}api/stations`)).json();
  for (const { id } of stations) await fetch(`${daemon.url}api/stations/${id}`, { method: 'DELETE' });
});

/** Runs before the page: knows which sounds it makes itself, and when it became silent. */
function watchSounds() {
  const open = new Set();
  window.AudioContext = class extends AudioContext {
    constructor(...options) {
      super(...options);
      open.add(this);
    }
    close() {
      open.delete(this);
      if (open.size === 0) window.silentAt = Date.now();
      return super.close();
    }
  };
  window.makesSound = () => open.size > 0;
}

/** A device of this name, once it can be called. */
async function device(name, { tone = 0, listensTo = ['home'], before: prepare = null, ...options } = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  if (tone) await page.addInitScript(speakInTones, tone);
  await page.addInitScript(watchSounds);
  if (prepare) await page.addInitScript(prepare);
  await page.addInitScript((kept) => {
    if (!localStorage.getItem('voice-relay')) localStorage.setItem('voice-relay', kept);
  }, JSON.stringify({ name, joined: true, listensTo }));
  page.errors = [];
  page.on('pageerror', (error) => page.errors.push(error));
  await page.goto(daemon.url);
  await until(page, 'connection', 'up');
  await page.waitForFunction(() => window.voiceRelay.view.own?.inside?.carries, undefined, { polling: 20 });
  return page;
}

/** Waits until the device has this to do with a call: `called`, `calling`, `talking`, or nothing. */
async function untilRole(page, role, timeout = 15_000) {
  await page.waitForFunction((wanted) => (window.voiceRelay.view.calls.current?.role ?? '') === wanted, role, { timeout, polling: 10 });
  if (role) await page.locator(`call-panel[data-role="${role}"]`).waitFor();
}

async function untilSilent(page) {
  await page.waitForFunction(() => !window.makesSound(), undefined, { polling: 10 });
}

/** Calls a device by its tile. */
async function call(page, id) {
  await page.click(`house-tile[data-room="${id}"] #ring`);
}

async function ring(to, more = {}) {
  const answer = await fetch(`${daemon.url}api/calls`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ to, ...more }),
  });
  assert.equal(answer.status, 201, await answer.clone().text());
  return answer.json();
}

async function callOf(id) {
  return (await fetch(`${daemon.url}api/calls/${id}`)).json();
}

/** Waits until these tones are what the page hears of others. */
async function untilHears(page, tones) {
  for (const end = Date.now() + 15_000; ; ) {
    const heard = (await record(page, 0.5)).flatMap((samples) => tonesIn(samples, TONES));
    if ([...new Set(heard)].sort().join() === tones.join()) return;
    assert.ok(Date.now() < end, `${heard} are heard, not ${tones}`);
  }
}

test('a doorbell rings three tablets, one answers, and the others are silent at once', async (t) => {
  const tablets = [await device('Hall'), await device('Attic'), await device('Study')];
  const { id } = await ring('everybody', { name: 'Front door' });
  for (const tablet of tablets) {
    await untilRole(tablet, 'called');
    await tablet.locator('call-panel h2', { hasText: 'Front door is calling' }).waitFor();
    await tablet.waitForFunction(() => window.makesSound());
    assert.match(await tablet.title(), /Front door/);
  }
  const answered = await tablets[1].evaluate(() => {
    document.querySelector('call-panel').shadowRoot.querySelector('#answer').click();
    return Date.now();
  });
  for (const tablet of tablets) {
    await untilRole(tablet, '');
    await untilSilent(tablet);
    t.diagnostic(`silent after ${(await tablet.evaluate(() => window.silentAt)) - answered} ms`);
    assert.equal(await capturesMicrophone(tablet), false, 'a doorbell has no microphone to talk with');
  }
  const over = await callOf(id);
  assert.deepEqual([over.outcome, over.answered_by], ['answered', 'Attic']);
});

test('of six devices a doorbell rings the three that are free, and the others are left alone', async () => {
  const [anna, ben, cora] = [await device('Anna'), await device('Ben'), await device('Cora')];
  const tablets = [await device('Hall'), await device('Attic'), await device('Study')];
  await cora.goto(`${daemon.url}#/calls`);
  await cora.locator('calls-page [data-place=cora]').first().selectOption({ label: 'Until turned off' });
  await call(anna, 'ben');
  await untilRole(ben, 'called');
  await ben.click('call-panel #answer');
  for (const page of [anna, ben]) await untilRole(page, 'talking');
  const { id } = await ring('everybody', { name: 'Front door' });
  for (const tablet of tablets) await untilRole(tablet, 'called');
  const { to } = await callOf(id);
  const states = Object.fromEntries(to.map(({ station, state }) => [station, state]));
  assert.deepEqual(states, { anna: 'busy', attic: 'ringing', ben: 'busy', cora: 'do_not_disturb', hall: 'ringing', study: 'ringing' });
  for (const page of [anna, ben]) await untilRole(page, 'talking');
  await tablets[0].click('call-panel #decline');
  await untilRole(tablets[0], '');
  for (const tablet of tablets.slice(1)) await untilRole(tablet, 'called');
  await tablets[1].click('call-panel #answer');
  for (const page of [...tablets, cora]) {
    await untilRole(page, '');
    await untilSilent(page);
  }
  assert.equal(await capturesMicrophone(cora), false);
  // Urgent: also those who do not want to be disturbed, but nobody out of their talk.
  await ring('everybody', { name: 'Smoke alarm', priority: 'urgent' });
  for (const page of [...tablets, cora]) await untilRole(page, 'called');
  for (const page of [anna, ben]) await untilRole(page, 'talking');
  await anna.click('call-panel #hang-up');
  await untilRole(ben, '');
});

test('two devices call, hear each other and nobody else does, and both microphones are off when one hangs up', async (t) => {
  const anna = await device('Anna', { tone: ANNA });
  const hall = await device('Hall', { tone: HALL });
  const attic = await device('Attic', { tone: ATTIC });
  await call(anna, 'hall');
  await untilRole(anna, 'calling');
  await untilRole(hall, 'called');
  assert.equal(await capturesMicrophone(anna), false, 'nobody is heard before they are answered');
  assert.equal(await capturesMicrophone(hall), false);
  // Whoever is rung is connected by then.
  await hall.waitForFunction(() => window.voiceRelay.sessionOf('anna')?.view.carries, undefined, { polling: 10 });
  const pressed = await hall.evaluate(() => {
    document.querySelector('call-panel').shadowRoot.querySelector('#answer').click();
    return Date.now();
  });
  const hears = (page) => page.evaluate(async () => {
    while (window.voiceRelay.view.heard.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    return Date.now();
  });
  const heard = await Promise.all([hears(anna), hears(hall)]);
  t.diagnostic(`from Answer to hearing each other: ${heard.map((at) => at - pressed).join(' and ')} ms`);
  await untilRole(anna, 'talking');
  await untilRole(hall, 'talking');
  await anna.locator('call-panel #microphone', { hasText: 'The microphone is on' }).waitFor();
  await untilHears(anna, [HALL]);
  await untilHears(hall, [ANNA]);
  await untilHears(attic, []);
  await untilSilent(attic);
  await anna.locator('call-panel #hang-up').click();
  for (const page of [anna, hall]) {
    await untilRole(page, '');
    await page.waitForFunction(() => window.voiceRelay.microphoneTrack === null || window.voiceRelay.microphoneTrack.readyState === 'ended');
  }
});

/** Runs before the page: knows what its media keys do. */
function noteKeys() {
  window.keys = {};
  const register = navigator.mediaSession.setActionHandler.bind(navigator.mediaSession);
  navigator.mediaSession.setActionHandler = (key, action) => {
    window.keys[key] = action;
    register(key, action);
  };
}

test('a call is on the lock screen, and the keys of a headset answer it, decline it and hang up', async () => {
  const anna = await device('Anna');
  const hall = await device('Hall', { before: noteKeys });
  const title = () => hall.evaluate(() => navigator.mediaSession.metadata?.title);
  const press = (key) => hall.evaluate((which) => window.keys[which](), key);
  for (const [key, outcome] of [['stop', 'declined'], ['play', 'answered']]) {
    await call(anna, 'hall');
    await untilRole(hall, 'called');
    assert.equal(await title(), 'Anna is calling');
    const id = await hall.evaluate(() => window.voiceRelay.view.calls.current.call.id);
    await press(key);
    if (outcome === 'answered') {
      for (const page of [anna, hall]) await untilRole(page, 'talking');
      await press('hangup');
    }
    for (const page of [anna, hall]) await untilRole(page, '');
    assert.equal((await callOf(id)).outcome, outcome);
  }
  assert.notEqual(await title(), 'Anna is calling');
  // The keys are for talking again.
  await press('play');
  await until(hall, 'talk', 'live');
  await press('stop');
  await until(hall, 'talk', 'idle');
});

test('a call is declined, and whoever called may call again; busy is said, too', async () => {
  const [anna, hall, attic] = [await device('Anna'), await device('Hall'), await device('Attic')];
  await call(anna, 'hall');
  await untilRole(hall, 'called');
  await hall.locator('call-panel #decline').click();
  await anna.locator('call-panel #ended', { hasText: 'Hall declined.' }).waitFor();
  await anna.locator('call-panel #again').click();
  await untilRole(hall, 'called');
  await call(attic, 'hall');
  await attic.locator('call-panel #ended', { hasText: 'Hall is in another call.' }).waitFor();
  await anna.locator('call-panel #cancel').click();
  for (const page of [anna, hall, attic]) {
    await untilRole(page, '');
    await untilSilent(page);
  }
  await hall.locator('call-panel .missed', { hasText: 'Missed call from Anna' }).first().waitFor();
});

test('what nobody answers was missed, and can be called back', async () => {
  const [anna, hall] = [await device('Anna'), await device('Hall')];
  await hall.evaluate(() => window.voiceRelay.calls.ring(['anna']));
  await untilRole(anna, 'called');
  await hall.locator('call-panel #cancel').click();
  await anna.locator('call-panel .missed', { hasText: 'Missed call from Hall' }).waitFor();
  const { id } = await ring('anna', { name: 'Gate', seconds: 5 });
  await untilRole(anna, 'called');
  await untilRole(anna, '', 10_000);
  assert.equal((await callOf(id)).outcome, 'missed');
  await anna.locator('call-panel .missed', { hasText: 'Missed call from Gate' }).waitFor();
  await anna.locator('call-panel .missed', { hasText: 'Hall' }).locator('.yes').click();
  await untilRole(hall, 'called');
  await hall.locator('call-panel #decline').click();
  await anna.goto(`${daemon.url}#/calls`);
  await anna.locator('calls-page li', { hasText: 'Gate → Anna' }).filter({ hasText: 'not answered' }).waitFor();
  await anna.locator('calls-page li', { hasText: 'Anna → Hall' }).filter({ hasText: 'declined' }).first().waitFor();
});

test('a caller who vanishes stops ringing, and a daemon that is killed while it rings, and comes back, rings no more', async () => {
  const [anna, hall] = [await device('Anna'), await device('Hall')];
  await call(anna, 'hall');
  await untilRole(hall, 'called');
  await anna.context().close();
  await untilRole(hall, '', 10_000);
  await untilSilent(hall);
  const again = await device('Anna');
  await call(again, await again.evaluate(() => window.voiceRelay.view.stations.find(({ room }) => room.name === 'Hall').room.id));
  await untilRole(hall, 'called');
  await daemon.stop('SIGKILL');
  await untilRole(hall, '', 10_000);
  daemon = await startDaemon(daemon.ports, undefined, FLAGS, { VOICE_RELAY__DATA_DIR: daemon.data });
  for (const page of [again, hall]) {
    await until(page, 'connection', 'up', 20_000);
    await page.waitForFunction(() => window.voiceRelay.view.own?.inside?.carries);
    await untilRole(page, '');
    await untilSilent(page);
  }
  const { calls, log } = await (await fetch(`${daemon.url}api/calls`)).json();
  assert.deepEqual(calls, []);
  assert.equal(log[0].outcome, 'cancelled');
  await call(again, 'hall');
  await untilRole(hall, 'called');
  await hall.locator('call-panel #decline').click();
});

test('what is said to one device is heard there alone, and answered there', async () => {
  const anna = await device('Anna', { tone: ANNA });
  const hall = await device('Hall', { tone: HALL });
  const attic = await device('Attic', { tone: ATTIC });
  await anna.click('house-tile[data-room="hall"] .choose');
  await anna.click('talk-button button');
  await until(anna, 'talk', 'live');
  await untilHears(hall, [ANNA]);
  await untilHears(attic, []);
  await anna.click('talk-button button');
  await hall.locator('house-tile[own]', { hasText: 'Anna' }).locator('.choose').click();
  await hall.click('talk-button button');
  await untilHears(anna, [HALL]);
  await untilHears(attic, []);
  await hall.click('talk-button button');
});

test('a device keeps its name and its id, is called by a new name, and is gone when it is removed', async () => {
  const [anna, hall] = [await device('Anna'), await device('Hall tablet')];
  await anna.locator('house-tile[data-room="hall-tablet"]', { hasText: 'Here' }).waitFor();
  await hall.reload();
  await hall.waitForFunction(() => window.voiceRelay.view.own?.room.id === 'hall-tablet');
  await hall.evaluate(() => window.voiceRelay.choose({ name: 'Stairs' }));
  await anna.locator('house-tile[data-room="hall-tablet"]', { hasText: 'Stairs' }).waitFor();
  await hall.context().close();
  await anna.locator('summary', { hasText: 'Not here: 1' }).click();
  await anna.locator('house-tile[data-room="hall-tablet"]', { hasText: 'Not here' }).waitFor();
  await anna.goto(`${daemon.url}#/calls`);
  await anna.locator('[data-station="hall-tablet"] sure-button').click();
  await anna.locator('[data-station="hall-tablet"] #yes').click();
  await anna.locator('[data-station="hall-tablet"]').waitFor({ state: 'detached' });
});

test('a device that does not want to be disturbed is not rung, says so, and is rung by what is urgent', async () => {
  const [anna, hall] = [await device('Anna'), await device('Hall')];
  await hall.goto(`${daemon.url}#/calls`);
  await hall.locator('calls-page select[data-place="hall"]').selectOption({ label: 'For 1 hour' });
  await anna.locator('house-tile[data-room="hall"]', { hasText: 'do not disturb' }).waitFor();
  await call(anna, 'hall');
  await anna.locator('call-panel #ended', { hasText: 'Hall doesn’t want to be disturbed.' }).waitFor();
  await untilRole(hall, '');
  await ring('hall', { name: 'Fire', priority: 'urgent' });
  await untilRole(hall, 'called');
  await hall.locator('call-panel #decline').click();
  await hall.goto(`${daemon.url}#/`);
  await hall.locator('house-page #disturb').click();
  await anna.locator('house-tile[data-room="hall"] .signs').waitFor({ state: 'detached' });
  await call(anna, 'hall');
  await untilRole(hall, 'called');
  await hall.locator('call-panel #decline').click();
});

test('quiet hours are chosen for this device and for the house, and kept', async () => {
  const hall = await device('Hall');
  await hall.goto(`${daemon.url}#/calls`);
  const own = hall.locator('calls-page fieldset[data-place="hall"]');
  await own.locator('input[role="switch"]').check();
  await own.locator('input[data-hours="until"]').fill('06:30');
  await own.locator('input[data-hours="until"]').press('Enter');
  const house = hall.locator('calls-page fieldset[data-place="everybody"]');
  await house.locator('input[role="switch"]').check();
  await house.locator('input[data-hours="from"]').waitFor();
  const kept = async (wanted) => {
    for (const end = Date.now() + 10_000; ; await new Promise((resolve) => setTimeout(resolve, 50))) {
      const { places } = await (await fetch(`${daemon.url}api/quiet-hours`)).json();
      if (JSON.stringify(Object.entries(places).map(([place, { from, until }]) => [place, from, until])) === JSON.stringify(wanted)) return;
      assert.ok(Date.now() < end, JSON.stringify(places));
    }
  };
  await kept([['everybody', '22:00', '07:00'], ['hall', '22:00', '06:30']]);
  await hall.reload();
  await own.locator('input[role="switch"]:checked').waitFor();
  assert.equal(await own.locator('input[data-hours="until"]').inputValue(), '06:30');
  await own.locator('input[role="switch"]').uncheck();
  await house.locator('input[role="switch"]').uncheck();
  await kept([]);
});

test('a device that answers by itself opens its microphone after the bell, says so, and answers no doorbell', async () => {
  const anna = await device('Anna', { tone: ANNA });
  const hall = await device('Hall', { tone: HALL });
  await hall.goto(`${daemon.url}#/calls`);
  await hall.locator('calls-page #answers-itself').check();
  await call(anna, 'hall');
  await untilRole(hall, 'called');
  await hall.locator('call-panel #by-itself').waitFor();
  await hall.waitForFunction(() => window.makesSound());
  assert.equal(await capturesMicrophone(hall), false, 'the bell comes first');
  await untilRole(hall, 'talking');
  await hall.locator('call-panel #microphone', { hasText: 'The microphone is on' }).waitFor();
  await untilHears(anna, [HALL]);
  await anna.locator('call-panel #hang-up').click();
  await untilRole(hall, '');
  const { id } = await ring('hall', { name: 'Gate', seconds: 5 });
  await untilRole(hall, 'called');
  await untilRole(hall, '', 10_000);
  assert.equal((await callOf(id)).outcome, 'missed');
});

test('devices answer by themselves when a room is called that allows it, and in no other', async () => {
  const anna = await device('Anna');
  const hall = await device('Hall', { listensTo: ['kitchen'] });
  await hall.goto(`${daemon.url}#/calls`);
  await hall.locator('calls-page #answers-itself').check();
  await anna.click('house-tile[data-room=kitchen] .choose');
  await anna.click('#ring');
  await untilRole(hall, 'called');
  await hall.waitForFunction(() => window.makesSound());
  assert.equal(await hall.locator('call-panel #by-itself').count(), 0, 'the kitchen does not allow it');
  await anna.click('call-panel #cancel');
  await untilRole(hall, '');
  await anna.goto(`${daemon.url}#/room/kitchen`);
  await anna.locator('room-options #dropIn').check();
  await anna.waitForFunction(() => window.voiceRelay.sessionOf('kitchen')?.view.room?.dropIn);
  await anna.goto(`${daemon.url}#/`);
  await anna.click('house-page #ring');
  await untilRole(hall, 'called');
  await hall.locator('call-panel #by-itself').waitFor();
  await untilRole(hall, 'talking');
  await hall.locator('call-panel #microphone', { hasText: 'The microphone is on' }).waitFor();
  await anna.click('call-panel #hang-up');
  await untilRole(hall, '');
  await fetch(`${daemon.url}api/rooms/kitchen/options`, { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: '{"dropIn":false}' });
});

/** Which tones are in a message, tenth by tenth of a second, as the browser decodes its file. */
async function tonesOf(page, id) {
  const samples = await page.evaluate(async (path) => {
    const file = await (await fetch(path)).arrayBuffer();
    const sound = await new OfflineAudioContext(1, 1, 48_000).decodeAudioData(file);
    return Array.from(sound.getChannelData(0), (sample) => Math.round(sample * 32_767));
  }, `api/voice-messages/${id}/speech.ogg`);
  const tenths = Array.from({ length: Math.floor(samples.length / 4_800) }, (_, tenth) => samples.slice(tenth * 4_800, (tenth + 1) * 4_800));
  return tenths.map((tenth) => tonesIn(tenth, TONES).join());
}

test('who is away finds the message that was left for them, hears it to its end, and deletes it', async () => {
  const anna = await device('Anna', { tone: ANNA });
  const hall = await device('Hall');
  const attic = await device('Attic');
  const storageState = await hall.context().storageState();
  await hall.context().close();
  await anna.locator('summary', { hasText: 'Not here: 1' }).click();
  await anna.click('house-tile[data-room="hall"] #message');
  await anna.locator('call-panel #message-time', { hasText: '0:02' }).waitFor();
  await anna.locator('call-panel #send-message').click();
  await anna.locator('call-panel [data-stage="sent"]', { hasText: 'Hall will find your message.' }).waitFor();
  assert.equal(await capturesMicrophone(anna), false, 'the microphone is off as soon as it is sent');

  const page = await device('Hall', { storageState });
  await page.locator('#new-messages', { hasText: 'New message from Anna' }).waitFor();
  await page.locator('#listen-messages').click();
  const message = page.locator('voice-message', { hasText: 'Anna' });
  await message.locator('.new').waitFor();
  const id = await message.evaluate((element) => element.message.id);
  const tones = await tonesOf(page, id);
  const said = tones.filter((tone) => tone === String(ANNA)).length;
  assert.ok(tones.length >= 19 && said >= tones.length - 3, `said without a gap: ${tones}`);
  await message.locator('#speed').click();
  await message.locator('#play').click();
  await message.locator('#play', { hasText: 'Play' }).waitFor();
  await message.locator('.new').waitFor({ state: 'detached' });
  assert.equal(await attic.evaluate(() => window.voiceRelay.view.messages.messages.length), 0, 'nobody else knows of it');
  await message.locator('sure-button button').click();
  await message.locator('sure-button #yes').click();
  await message.waitFor({ state: 'detached' });
  await page.locator('#messages', { hasText: 'No messages.' }).waitFor();
});

test('a message for a room is told to all who listen there, until one of them has heard it', async () => {
  const anna = await device('Anna', { tone: ANNA });
  const [hall, attic] = [await device('Hall', { listensTo: ['kitchen'] }), await device('Attic', { listensTo: ['home'] })];
  await anna.click('house-tile[data-room="kitchen"] .choose');
  await anna.click('house-page #ring');
  await untilRole(hall, 'called');
  await hall.locator('call-panel #decline').click();
  await anna.locator('call-panel #leave-message').click();
  await anna.locator('call-panel [data-stage="recording"]', { hasText: 'Message for Kitchen' }).waitFor();
  await anna.locator('call-panel #discard-message').click();
  await anna.locator('call-panel [data-stage]').waitFor({ state: 'detached' });
  await anna.click('house-page #ring');
  await untilRole(hall, 'called');
  await hall.locator('call-panel #decline').click();
  await anna.locator('call-panel #leave-message').click();
  await anna.locator('call-panel #message-time', { hasText: '0:01' }).waitFor();
  await anna.locator('call-panel #send-message').click();
  await hall.locator('#new-messages', { hasText: 'New message from Anna' }).waitFor();
  assert.equal(await attic.evaluate(() => window.voiceRelay.view.messages.unseen), 0);
  const { voice_messages: listed } = await (await fetch(`${daemon.url}api/voice-messages`)).json();
  assert.deepEqual(listed.map(({ to, from }) => [to, from.name]), [['kitchen', 'Anna']], 'what was discarded is nowhere');
  await fetch(`${daemon.url}api/voice-messages/${listed[0].id}`, { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: '{"heard":true}' });
  await hall.locator('#new-messages').waitFor({ state: 'detached' });
});
