// What keeps sound from getting through while everything else works, and that people are told of it, and of what to do:
// no UDP passes, or the microphone gives nothing.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';

import { closeTabs, openPage, startBrowser, until } from './browser.mjs';
import { startDaemon } from './daemon.mjs';
import { makeNetwork } from './network.mjs';
import { come } from './rooms.mjs';
import { beep } from './sound.mjs';

/** People are told by then. */
const [BLOCKED, SILENT] = [10_000, 4_500];

let folder, network, daemon, browser;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'voice-relay-obstacles-'));
  network = makeNetwork({ here: '10.213.94.1', moved: '10.213.94.3', there: '10.213.94.2' });
  const data = mkdtempSync(join(folder, 'data-'));
  daemon = await startDaemon(undefined, network, ['--tls-mode=off', '--files-folders=auto', `--data-dir=${data}`]);
  browser = await startBrowser(beep(folder, 500), [`--unsafely-treat-insecure-origin-as-secure=${new URL(daemon.url).origin}`]);
});

after(async () => {
  await browser?.close();
  await daemon?.stop();
  network?.remove();
  rmSync(folder, { recursive: true });
});

afterEach(() => closeTabs(browser));

/** Does something while a firewall lets TCP alone pass. */
async function withoutUdp(act) {
  network.blockUdp();
  try {
    await act();
  } finally {
    network.mend();
  }
}

const saysBlocked = (tab, where, timeout = BLOCKED) =>
  tab.locator(where, { hasText: `UDP ${daemon.ports.media} is blocked` }).waitFor({ timeout });

test('whoever talks where no UDP passes is told which port is blocked, and is live once it passes', async () => {
  const page = await openPage(browser, daemon.url);
  await withoutUdp(async () => {
    await page.click('#talk');
    await saysBlocked(page, '#state');
    assert.match(await page.innerText('#state'), /microphone is on/);
    assert.equal(await page.innerText('.connection'), 'No sound');
  });
  await until(page, 'talk', 'live', 20_000);
  await page.locator('.connection', { hasText: 'Connected' }).waitFor();
  assert.doesNotMatch(await page.innerText('#state'), /blocked/);
});

test('whoever listens where no UDP is let out is told so', async () => {
  const talker = await openPage(browser, daemon.url);
  await talker.click('#talk');
  await until(talker, 'talk', 'live');
  // As a company's policy or a VPN's extension sets it: the talker is heard all the while.
  const shut = await startBrowser(undefined, ['--webrtc-ip-handling-policy=disable_non_proxied_udp']);
  try {
    const listener = await openPage(shut, daemon.url);
    await listener.click('#listen');
    await saysBlocked(listener, '#state');
    await closeTabs(shut);
  } finally {
    await shut.close();
  }
});

test('whoever is in a room where no UDP passes is told so, and talks once it passes', async () => {
  await withoutUdp(async () => {
    const tab = await come(browser, daemon.url, 'home', { name: 'Anna' });
    await saysBlocked(tab, 'room-page #state');
    await tab.click('room-page #talk');
    assert.match(await tab.innerText('room-page #state'), /UDP .* is blocked/);
  });
  const [tab] = browser.contexts().flatMap((context) => context.pages());
  await tab.locator('room-page[data-talk="live"]').waitFor({ state: 'attached', timeout: 20_000 });
});

test('sounds where no UDP passes play by http, and say why', async () => {
  const page = await openPage(browser, `${daemon.url}#/sounds`);
  await page.locator('.play', { hasText: 'gong' }).waitFor();
  await withoutUdp(async () => {
    await page.locator('.play', { hasText: 'gong' }).click();
    await page.locator('#by-http', { hasText: `UDP ${daemon.ports.files} is blocked` }).waitFor({ timeout: BLOCKED });
    await page.waitForFunction(() => document.querySelector('sounds-page').player.position > 0.3);
    assert.equal(await page.locator('sounds-page').getAttribute('data-way'), 'address');
  });
});

test('the self-test finds both ports where UDP passes, and both blocked where it does not', async () => {
  const page = await openPage(browser, `${daemon.url}#/status`);
  const verdicts = async () => Promise.all(['media', 'files'].map((check) => page.locator(`[data-check=${check}]`).getAttribute('data-verdict')));
  await page.locator('#self-test[data-verdict]').waitFor({ timeout: 20_000 });
  assert.deepEqual(await verdicts(), ['ok', 'ok']);
  await withoutUdp(async () => {
    const began = performance.now();
    await page.click('#test-again');
    await saysBlocked(page, '[data-check=media]');
    await page.locator('[data-check=files]', { hasText: `UDP ${daemon.ports.files} is blocked` }).waitFor();
    assert.ok(performance.now() - began < BLOCKED);
    assert.deepEqual(await verdicts(), ['wrong', 'attention']);
  });
});

test('within two seconds of the end of the relay everything looks away', async () => {
  const page = await openPage(browser, daemon.url, { name: 'Ben', listensTo: ['home'] });
  const room = await come(browser, daemon.url, 'home', { name: 'Anna' });
  await page.locator('house-tile[data-room=home] .who', { hasText: 'Anna' }).waitFor();
  network.cut();
  try {
    // As a plug that is pulled: nobody says good-bye, so this is as long as it takes to be sure.
    for (const tab of [page, room]) await tab.locator('[data-connection=down]').first().waitFor({ state: 'attached', timeout: 10_000 });
    await page.locator('house-page[data-away=yes]').waitFor({ timeout: 2_000 });
    await room.locator('#away').waitFor({ timeout: 2_000 });
    for (const button of ['house-page #talk', 'house-page #listen', '#announce', 'house-tile .choose', 'house-tile .hear']) {
      assert.equal(await page.locator(button).first().isDisabled(), true, button);
    }
    assert.equal(await page.locator('house-tile .who').count(), 0);
  } finally {
    network.mend();
  }
});

test('nobody is told that UDP is blocked while the relay is away', async () => {
  const page = await openPage(browser, daemon.url);
  await page.click('#talk');
  await until(page, 'talk', 'live');
  const { ports } = daemon;
  await daemon.stop('SIGKILL');
  await until(page, 'connection', 'down');
  await page.waitForTimeout(BLOCKED);
  assert.doesNotMatch(await page.innerText('#state'), /blocked/);
  daemon = await startDaemon(ports, network);
  await until(page, 'talk', 'live', 20_000);
});

test('a microphone that gives nothing is said to, on the page and in a room, with the others to choose from', async () => {
  const path = join(folder, 'silence.wav');
  execFileSync('sox', ['-n', '-D', '-r', '48000', '-c', '1', '-b', '16', path, 'trim', '0', '5']);
  const silent = await startBrowser(path, [`--unsafely-treat-insecure-origin-as-secure=${new URL(daemon.url).origin}`]);
  try {
    const page = await openPage(silent, daemon.url);
    await page.click('#talk');
    await until(page, 'talk', 'live');
    await page.locator('#silent', { hasText: 'gives no sound' }).waitFor({ timeout: SILENT });
    assert.ok((await page.locator('#silent option').count()) > 1);
    await page.click('#talk');
    await page.locator('#silent').waitFor({ state: 'detached' });
    const tab = await come(silent, daemon.url, 'home', { name: 'Anna' });
    await tab.locator('room-page[data-carries="yes"]').waitFor({ state: 'attached' });
    await tab.click('room-page #talk');
    await tab.locator('room-page #silent', { hasText: 'gives no sound' }).waitFor({ timeout: SILENT });
    await closeTabs(silent);
  } finally {
    await silent.close();
  }
});

test('a microphone that gives something is not said to be silent, nor one that was muted here', async () => {
  const page = await openPage(browser, daemon.url);
  await page.click('#talk');
  await until(page, 'talk', 'live');
  await page.click('#mute');
  await page.waitForTimeout(SILENT);
  assert.equal(await page.locator('#silent').count(), 0);
});
