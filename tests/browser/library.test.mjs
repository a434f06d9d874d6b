// The player of files in the page: what is heard of them, and what becomes of it when the relay or a file goes.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';

import { openPage, startBrowser, until } from './browser.mjs';
import { startDaemon } from './daemon.mjs';
import { powerAt } from './sound.mjs';

/** What is to be heard when: the files of several tones change from one to the next every `PART` seconds. */
const TONES = [440, 660, 990, 1_485];
const PART = 50;

/** A tone is there if it is louder than every other by this, as a ratio of powers. */
const CLEARLY = 50;

let folder, browser, daemon;

/** A file of tones, one after another, of so many seconds each. */
function makeTones(name, tones, seconds, ...how) {
  const path = join(folder, name);
  const inputs = tones.flatMap((tone) => ['-f', 'lavfi', '-i', `sine=frequency=${tone}:sample_rate=48000:duration=${seconds}`]);
  const chain = `concat=n=${tones.length}:v=0:a=1,volume=4`;
  execFileSync('ffmpeg', ['-loglevel', 'error', '-y', ...inputs, '-filter_complex', chain, '-ac', '2', ...how, path]);
  return path;
}

async function start(ports) {
  const flags = ['--tls-mode=off', `--files-folders=${folder}`, `--data-dir=${join(folder, '.data')}`];
  daemon = await startDaemon(ports, undefined, flags);
}

/** Waits until the relay lists so many files. */
async function untilListed(count) {
  for (;;) {
    const { total } = await (await fetch(`${daemon.url}api/files`)).json();
    if (total >= count) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'voice-relay-library-'));
  makeTones('long.mp3', TONES, PART, '-b:a', '320k');
  makeTones('varied.mp3', TONES, PART, '-q:a', '2');
  makeTones('first.mp3', [440], 12);
  makeTones('second.mp3', [990], 12);
  makeTones('doomed.mp3', [440], 12);
  makeTones('whole.ogg', [660, 1_485], 12, '-c:a', 'libvorbis');
  makeTones('whole.m4a', [440, 990], 12);
  makeTones('whole.wav', [990, 440], 12);
  makeTones('large.wav', TONES, 2 * PART);
  breakSound(makeTones('broken.flac', [440], 12));
  browser = await startBrowser();
  await start();
  await untilListed(10);
});

after(async () => {
  await browser.close();
  await daemon.stop();
  rmSync(folder, { recursive: true });
});

afterEach(async () => {
  for (const context of browser.contexts()) {
    for (const page of context.pages()) assert.deepEqual(page.errors, []);
    await context.close();
  }
});

/** Leaves the head of the file as it is, and nothing of its sound. */
function breakSound(path) {
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.fill(0x55, 9_000));
}

/** A tab that shows the sounds. */
async function openSounds(options) {
  const page = await openPage(browser, `${daemon.url}#/sounds`, options);
  await page.locator('#files li').first().waitFor();
  return page;
}

async function play(page, name) {
  await page.locator('.play', { hasText: name }).click();
}

async function untilState(page, state, timeout = 15_000) {
  await page.locator(`sounds-page[data-state="${state}"]`).waitFor({ timeout });
}

/** Seconds into the file. */
const positionOf = (page) => page.evaluate(() => document.querySelector('sounds-page').player.position);

/** Goes to this second by the slider, as a person does. */
async function seek(page, second) {
  await page.locator('#position').evaluate((slider, value) => {
    slider.value = String(value);
    slider.dispatchEvent(new Event('change'));
  }, second);
}

/** Which tone is heard now; null: none. */
async function heard(page) {
  const samples = await page.evaluate(async () => {
    const { audio } = document.querySelector('sounds-page').player;
    const context = new AudioContext({ sampleRate: 48_000 });
    const tap = context.createScriptProcessor(4_096, 1, 1);
    const recorded = [];
    const done = new Promise((resolve) => {
      tap.onaudioprocess = ({ inputBuffer }) => {
        for (const sample of inputBuffer.getChannelData(0)) recorded.push(Math.round(sample * 32_767));
        if (recorded.length > 48_000) resolve();
      };
    });
    context.createMediaStreamSource(audio.captureStream()).connect(tap).connect(context.destination);
    await done;
    await context.close();
    return recorded.slice(-24_000);
  });
  const powers = TONES.map((tone) => powerAt(tone, samples));
  const loudest = Math.max(...powers);
  const others = powers.filter((power) => power !== loudest);
  return loudest > 1e6 && others.every((power) => power * CLEARLY < loudest) ? TONES[powers.indexOf(loudest)] : null;
}

test('a file is found, played as it comes, and heard', async () => {
  const page = await openSounds();
  await page.locator('#search').fill('long');
  await page.waitForFunction(() => document.querySelector('sounds-page').shadowRoot.querySelectorAll('#files li').length === 1);
  await play(page, 'long');
  await untilState(page, 'playing');
  assert.equal(await page.locator('sounds-page').getAttribute('data-way'), 'stream');
  assert.equal(await heard(page), TONES[0]);
});

for (const name of ['long', 'varied']) {
  test(`${name}: another place has another sound, forwards and backwards`, async () => {
    const page = await openSounds();
    await play(page, name);
    await untilState(page, 'playing');
    for (const part of [2, 3, 0, 1]) {
      await seek(page, part * PART + 20);
      await untilState(page, 'playing');
      assert.equal(await heard(page), TONES[part], `part ${part}`);
      const at = await positionOf(page);
      assert.ok(at > part * PART + 19 && at < part * PART + 26, `${at} s`);
    }
  });
}

test('a pause is silent, and goes on where it was', async () => {
  const page = await openSounds();
  await play(page, 'long');
  await untilState(page, 'playing');
  await page.click('#toggle');
  await untilState(page, 'paused');
  const at = await positionOf(page);
  assert.equal(await heard(page), null);
  assert.equal(await positionOf(page), at);
  await page.click('#toggle');
  await untilState(page, 'playing');
  assert.equal(await heard(page), TONES[0]);
});

test('it goes on at the same second after a restart of the relay', async () => {
  const page = await openSounds();
  await play(page, 'long');
  await untilState(page, 'playing');
  await daemon.stop();
  // Far behind everything that is here already.
  await seek(page, 3 * PART + 10);
  await untilState(page, 'reconnecting', 30_000);
  await start(daemon.ports);
  await untilState(page, 'playing', 30_000);
  const at = await positionOf(page);
  assert.ok(Math.abs(at - (3 * PART + 10)) < 1, `${at} s`);
  assert.equal(await heard(page), TONES[3]);
});

test('the relay goes and comes back while it is played, and nobody hears a gap', async () => {
  const page = await openSounds();
  await play(page, 'long');
  await untilState(page, 'playing');
  await seek(page, PART - 15);
  await untilState(page, 'playing');
  const began = await page.evaluate(() => [performance.now() / 1_000, document.querySelector('sounds-page').player.position]);
  await daemon.stop('SIGKILL');
  await start(daemon.ports);
  await page.waitForFunction((place) => document.querySelector('sounds-page').player.position > place, PART + 2, { timeout: 30_000 });
  const now = await page.evaluate(() => [performance.now() / 1_000, document.querySelector('sounds-page').player.position]);
  const lost = now[0] - began[0] - (now[1] - began[1]);
  assert.ok(lost < 1, `${lost} s late`);
  assert.equal(await heard(page), TONES[1]);
});

test('a later visit begins where the file was left', async () => {
  const page = await openSounds();
  await play(page, 'long');
  await untilState(page, 'playing');
  await seek(page, PART + 20);
  await untilState(page, 'playing');
  await page.reload();
  await page.locator('#files li').first().waitFor();
  await play(page, 'long');
  await untilState(page, 'playing');
  const at = await positionOf(page);
  assert.ok(at > PART + 18 && at < PART + 24, `${at} s`);
  assert.equal(await heard(page), TONES[1]);
});

for (const [name, second] of [['whole.ogg', 1_485], ['whole.m4a', 990], ['whole.wav', 440]]) {
  test(`${name}, which comes whole before it is heard, has another sound at another place`, async () => {
    const page = await openSounds();
    await play(page, name);
    await untilState(page, 'playing');
    assert.equal(await page.locator('sounds-page').getAttribute('data-way'), 'whole');
    await seek(page, 17);
    await untilState(page, 'playing');
    assert.equal(await heard(page), second);
    // What is drawn is what was decoded.
    const loudest = await page.evaluate(() => Math.max(...document.querySelector('sounds-page').player.peaks.columns));
    assert.ok(loudest > 0.2, `${loudest}`);
  });
}

test('what waits follows when the first has ended, and all once more after the last', async () => {
  const page = await openSounds();
  await page.locator('queue-panel summary').click();
  await page.locator('#repeat').selectOption('all');
  await page.locator('.add[aria-label="Queue first"]').click();
  await page.locator('.add[aria-label="Queue second"]').click();
  await untilState(page, 'playing');
  assert.equal(await page.locator('#title').textContent(), 'first');
  assert.equal(await page.locator('#coming li').count(), 1);
  await seek(page, 10);
  await page.locator('#title', { hasText: 'second' }).waitFor({ timeout: 10_000 });
  await untilState(page, 'playing');
  assert.equal(await heard(page), 990);
  await page.click('#next');
  await page.locator('#title', { hasText: 'first' }).waitFor();
  await untilState(page, 'playing');
  assert.equal(await heard(page), 440);
});

test('a file that was deleted is told, and the next one can be had', async () => {
  const page = await openSounds();
  rmSync(join(folder, 'doomed.mp3'));
  await play(page, 'doomed');
  await untilState(page, 'failed');
  assert.match(await page.locator('#failed').textContent(), /was deleted/);
  await play(page, 'first');
  await untilState(page, 'playing');
  assert.equal(await page.locator('#failed').count(), 0);
});

test('a file that cannot be decoded ends after three tries, with a way out', async () => {
  const page = await openSounds();
  await play(page, 'broken');
  await untilState(page, 'failed', 30_000);
  assert.match(await page.locator('#failed').textContent(), /can’t play/);
  const { status } = await fetch(await page.locator('#download').getAttribute('href'));
  assert.equal(status, 200);
  assert.ok(await page.locator('#again').isVisible());
});

test('a file that is replaced while the relay is away begins anew, and that is told', async () => {
  const page = await openSounds();
  await play(page, 'varied');
  await untilState(page, 'playing');
  await daemon.stop();
  makeTones('varied.mp3', [1_485, 660], PART, '-q:a', '2');
  await seek(page, 3 * PART);
  await start(daemon.ports);
  await page.locator('#state', { hasText: 'replaced' }).waitFor({ timeout: 30_000 });
  await untilState(page, 'playing');
  assert.equal(await heard(page), 1_485);
  assert.ok((await positionOf(page)) < 10);
});

test('beside the house sounds are a drawer, and the space bar is for talking there', async () => {
  const page = await openSounds({ viewport: { width: 1280, height: 800 }, name: 'Anna' });
  await play(page, 'long');
  await untilState(page, 'playing');
  await page.locator('house-page #talk').waitFor();
  await page.locator('sounds-page h1').focus();
  await page.keyboard.down('Space');
  await until(page, 'talk', 'live');
  // A hold, and no tap.
  await page.waitForTimeout(500);
  await page.keyboard.up('Space');
  await until(page, 'talk', 'idle');
  await untilState(page, 'playing');
  await page.setViewportSize({ width: 1024, height: 768 });
  await page.locator('house-page').waitFor({ state: 'hidden' });
  await page.click('sounds-page .back');
  await page.locator('house-page #talk').waitFor();
});

test('keys and the system play, pause and seek', async () => {
  const page = await openSounds({ viewport: { width: 1024, height: 768 } });
  await play(page, 'long');
  await untilState(page, 'playing');
  await page.locator('sounds-page h1').focus();
  await page.keyboard.press('Space');
  await untilState(page, 'paused');
  const at = await positionOf(page);
  await page.keyboard.press('ArrowRight');
  assert.ok(Math.abs((await positionOf(page)) - at - 5) < 0.2);
  await page.keyboard.press('ArrowDown');
  assert.ok(await page.evaluate(() => document.querySelector('sounds-page').player.audio.volume < 1));
  await page.keyboard.press('Space');
  await untilState(page, 'playing');
  assert.deepEqual(await page.evaluate(() => [navigator.mediaSession.metadata.title, navigator.mediaSession.playbackState]), ['long', 'playing']);
});

test('what is far ahead, or long heard, takes no memory', async () => {
  const page = await openSounds();
  await play(page, 'long');
  await untilState(page, 'playing');
  const kept = () => page.evaluate(() => {
    const { buffered, currentTime } = document.querySelector('sounds-page').player.audio;
    return { ranges: buffered.length, behind: currentTime - buffered.start(0), ahead: buffered.end(buffered.length - 1) - currentTime };
  });
  await page.evaluate(() => (document.querySelector('sounds-page').player.speed = 2));
  // Long enough that all of it would have come, and that what was heard is more than is kept.
  await page.waitForFunction(() => document.querySelector('sounds-page').player.position > 60, undefined, { timeout: 60_000 });
  const { ranges, behind, ahead } = await kept();
  assert.equal(ranges, 1);
  assert.ok(behind < 50, `${behind} s behind`);
  assert.ok(ahead > 30 && ahead < 90, `${ahead} s ahead`);
});

test('a file that is too large to be kept is played by its address, and comes back at the same second, too', async () => {
  const page = await openSounds();
  await play(page, 'large');
  await untilState(page, 'playing');
  assert.equal(await page.locator('sounds-page').getAttribute('data-way'), 'address');
  await seek(page, 4 * PART + 20);
  await untilState(page, 'playing');
  assert.equal(await heard(page), TONES[2]);
  await daemon.stop();
  await seek(page, 6 * PART + 10);
  await untilState(page, 'reconnecting', 60_000);
  await start(daemon.ports);
  await untilState(page, 'playing', 30_000);
  const at = await positionOf(page);
  assert.ok(Math.abs(at - (6 * PART + 10)) < 1, `${at} s`);
  assert.equal(await heard(page), TONES[3]);
});

test('ten seconds are fetched first; a fast start begins sooner', async () => {
  const page = await openSounds();
  await page.evaluate(() => {
    const { player } = document.querySelector('sounds-page');
    const play = player.audio.play.bind(player.audio);
    player.audio.play = () => {
      window.aheadAtStart ??= player.audio.buffered.end(0);
      return play();
    };
  });
  const aheadAtStart = async () => {
    await page.evaluate(() => (window.aheadAtStart = undefined));
    await play(page, 'long');
    await untilState(page, 'playing');
    await page.click('#stop');
    return page.evaluate(() => window.aheadAtStart);
  };
  const usual = await aheadAtStart();
  await page.check('#fast-start');
  const fast = await aheadAtStart();
  assert.ok(usual >= 10 && fast < usual && fast >= 1, `${usual} s, ${fast} s`);
});
