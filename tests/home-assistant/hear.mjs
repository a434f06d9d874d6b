// What Home Assistant speaks into a room is heard in a browser there, and is the speech that it made. Usage: hear.mjs RELAY
// CORE TOKEN-FILE SPEECH.wav

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import { openPage, record, startBrowser } from '../browser/browser.mjs';
import { likeness, readWav } from '../browser/sound.mjs';

const ROOM = 'media_player.kitchen_intercom_speaker';
const SECONDS = 4;
const ALIKE = 0.75;

const [relay, core, tokenFile, speech] = process.argv.slice(2);
const token = readFileSync(tokenFile, 'utf8');

async function call(service, data) {
  const answer = await fetch(`${core}/api/services/${service}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(data),
  });
  assert.ok(answer.ok, `${service}: ${answer.status} ${await answer.text()}`);
}

const browser = await startBrowser();
try {
  const page = await openPage(browser, relay, { name: 'Kitchen tablet', listensTo: ['kitchen'] });
  await page.waitForFunction(() => window.voiceRelay.sessionOf('kitchen')?.view.carries);
  const source = { media_content_id: 'media-source://tts/tts.lab_speech?message=Tea', media_content_type: 'music' };
  for (const [service, data] of [
    ['tts/speak', { entity_id: 'tts.lab_speech', media_player_entity_id: ROOM, message: 'Dinner', cache: false }],
    ['media_player/play_media', { entity_id: ROOM, announce: true, ...source }],
  ]) {
    const began = Date.now();
    void call(service, data);
    await page.waitForFunction(() => window.voiceRelay.view.heard.length === 1, undefined, { polling: 5 });
    const heardAfter = Date.now() - began;
    const [heard] = await record(page, SECONDS);
    const alike = likeness(heard, readWav(speech));
    assert.ok(alike > ALIKE, `what is heard is the speech: ${alike.toFixed(2)}`);
    console.log(`ok: ${service} into a room is heard in a browser there after ${heardAfter} ms, and is like its source: ${alike.toFixed(2)}`);
    await page.waitForFunction(() => window.voiceRelay.view.heard.length === 0);
  }
} finally {
  await browser.close();
}
