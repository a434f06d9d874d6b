// People in rooms: each in a tab of its own, with a tone for a voice, so that it can be told who is heard.

import { knowRoom } from './browser.mjs';
import { powerAt } from './sound.mjs';

/** One tone must be louder than another by this to be the one that is heard, as a ratio of powers. */
const CLEARLY = 100;

/** Runs before the page: its microphone is a tone. The browser's own knows only one sound for all tabs. */
export function speakInTones(frequency) {
  navigator.mediaDevices.getUserMedia = async () => {
    const context = new AudioContext();
    const output = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
    const tone = new OscillatorNode(context, { frequency });
    tone.connect(new GainNode(context, { gain: 0.5 })).connect(output);
    tone.start();
    const [track] = output.stream.getAudioTracks();
    const stop = track.stop.bind(track);
    track.stop = () => {
      stop();
      void context.close();
    };
    return output.stream;
  };
}

/** Somebody comes into a room: a tab on its page, in a browser context of its own. */
export async function come(browser, url, room, { name = '', tone = 0, ...options } = {}) {
  const tab = await (await browser.newContext(options)).newPage();
  tab.errors = [];
  tab.on('pageerror', (error) => tab.errors.push(error));
  if (tone) await tab.addInitScript(speakInTones, tone);
  await knowRoom(tab);
  // Before the page reads it.
  await tab.addInitScript((called) => {
    if (called && !localStorage.getItem('voice-relay')) localStorage.setItem('voice-relay', JSON.stringify({ name: called }));
  }, name);
  await tab.goto(`${url}#/room/${room}`);
  return tab;
}

/** The same, until sound gets through. */
export async function comeInside(browser, url, room, options) {
  const tab = await come(browser, url, room, options);
  await untilRoom(tab, 'carries', 'yes');
  return tab;
}

/** Waits until the room's page says so: one of its data attributes. */
export async function untilRoom(tab, attribute, value, timeout = 15_000) {
  await tab.locator(`room-page[data-${attribute}="${value}"]`).waitFor({ state: 'attached', timeout });
}

/** Waits until the room is as wanted: `isWanted` runs in the page and gets its view. */
export async function untilView(tab, isWanted, argument, timeout = 15_000) {
  // By the debugger, so that the page keeps its policy, which forbids code made of texts.
  await tab.evaluate(`window.isWanted = ${isWanted}`);
  const look = (wanted) => Boolean(window.room()) && window.isWanted(window.room().view, wanted);
  await tab.waitForFunction(look, argument, { timeout, polling: 20 });
}

/** Waits until exactly these are heard talking, by their names. */
export async function untilTalking(tab, names, timeout) {
  const isWanted = ({ people }, wanted) => people.filter(({ talking }) => talking).map(({ name }) => name).sort().join() === wanted.join();
  await untilView(tab, isWanted, names.toSorted(), timeout);
}

/** The id of somebody in the room, as this tab knows it. */
export async function idOf(tab, name) {
  return tab.evaluate((wanted) => window.room().view.people.find((person) => person.name === wanted).id, name);
}

/** Begins or ends to talk by the button; done when the page says so. */
export async function press(tab, isOn = true) {
  await tab.click('room-page #talk');
  await untilRoom(tab, 'talk', isOn ? 'live' : 'idle');
}

/** Records what comes in all slots together, as loud as it is sent: seconds of samples at 48 kHz, left and right. */
export async function hear(tab, seconds) {
  const channels = await tab.evaluate(async (length) => {
    const context = new AudioContext({ sampleRate: 48_000 });
    const tap = context.createScriptProcessor(4_096, 2, 2);
    const recorded = [[], []];
    const done = new Promise((resolve) => {
      tap.onaudioprocess = ({ inputBuffer }) => {
        for (const [channel, samples] of recorded.entries()) {
          for (const sample of inputBuffer.getChannelData(channel)) samples.push(Math.round(sample * 32_767));
        }
        if (recorded[0].length >= length * context.sampleRate) resolve();
      };
    });
    for (const { audio } of window.room().ears.slots.values()) context.createMediaStreamSource(audio.srcObject).connect(tap);
    tap.connect(context.destination);
    await done;
    await context.close();
    return recorded;
  }, seconds);
  return channels.map((samples) => Float64Array.from(samples));
}

/** Which of these tones are in the samples: those that are not far below the loudest. */
export function tonesIn(samples, tones) {
  const powers = tones.map((tone) => powerAt(tone, samples));
  const loudest = Math.max(...powers);
  // Below this it is no tone at all, but what is left of silence.
  return loudest < 1e6 ? [] : tones.filter((_, index) => powers[index] * CLEARLY > loudest);
}

/** Opens a room by the API; gives its id and its host's key. */
export async function openRoom(url, wish) {
  const answer = await fetch(new URL('api/rooms', url), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(wish),
  });
  if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
  return answer.json();
}

/** The host comes: with the key that the API gave. */
export async function comeAsHost(browser, url, { roomId, hostId }, options) {
  const context = { ...options };
  const storageState = { cookies: [], origins: [{ origin: new URL(url).origin, localStorage: [{ name: `voice-relay-room-${roomId}`, value: hostId }] }] };
  return comeInside(browser, url, roomId, { ...context, storageState });
}
