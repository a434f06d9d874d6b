// A phone on the home network, in the person of Chromium: it trusts the relay's own authority as a user's
// device does, opens the page by the machine's address, and talks.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { capturesMicrophone, openPage, startBrowser, until, untilHeard } from './browser.mjs';
import { startDaemon } from './daemon.mjs';
import { speak } from './sound.mjs';

/** A bank and a printer, both here. */
const FAKE_NAMES = '--host-resolver-rules=MAP bank.example 127.0.0.1, MAP printer.local 127.0.0.1';

let folder, daemon, urls, trusting, doubting;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'voice-relay-'));
  daemon = await startDaemon(undefined, undefined, ['--http-tls-port=0', `--data-dir=${join(folder, 'data')}`]);
  urls = ownAddresses().map((address) => `https://${address}:${daemon.ports.https}/`);
  const authority = await (await fetch(`${daemon.url}ca.crt`)).text();
  const speech = speak(folder);
  [trusting, doubting] = await Promise.all([
    startBrowser(speech, [FAKE_NAMES], { ...process.env, HOME: homeThatTrusts(authority) }),
    startBrowser(speech, [], { ...process.env, HOME: mkdtempSync(join(folder, 'home-')) }),
  ]);
});

after(async () => {
  await Promise.all([trusting, doubting].map((browser) => browser?.close()));
  await daemon?.stop();
  rmSync(folder, { recursive: true });
});

/** Addresses of this machine that browsers do not trust as they do localhost. */
function ownAddresses() {
  const outer = Object.values(networkInterfaces()).flat().filter(({ internal, scopeid }) => !internal && !scopeid);
  return outer.map(({ family, address }) => (family === 'IPv6' ? `[${address}]` : address));
}

/** A home folder with this certificate in its NSS database, where Chromium on Linux looks for a user's own. */
function homeThatTrusts(authority) {
  const home = mkdtempSync(join(folder, 'home-'));
  const [database, file] = [join(home, '.pki/nssdb'), join(home, 'ca.crt')];
  mkdirSync(database, { recursive: true });
  writeFileSync(file, authority);
  execFileSync('certutil', ['-d', `sql:${database}`, '-N', '--empty-password']);
  execFileSync('certutil', ['-d', `sql:${database}`, '-A', '-t', 'C,,', '-n', 'voice-relay', '-i', file]);
  return home;
}

test('whoever has not been told to trust the relay is warned', async () => {
  const page = await (await doubting.newContext()).newPage();
  for (const url of urls) await assert.rejects(page.goto(url), /ERR_CERT_AUTHORITY_INVALID/);
});

test('whoever trusts it has a secure page at every address of the machine', async () => {
  assert.ok(urls.length > 0, 'a machine with a network');
  for (const url of urls) {
    const page = await openPage(trusting, url);
    assert.equal(await page.evaluate(() => window.isSecureContext), true, url);
    assert.deepEqual(page.errors, []);
    await page.context().close();
  }
});

/** A certificate for this name by the authority's stolen key; gives the flags for a daemon that shows it. */
function stolenCertificate(name) {
  const [authority, key, request, certificate] = ['data/tls/authority.pem', `${name}.key`, `${name}.csr`, `${name}.pem`].map(
    (file) => join(folder, file),
  );
  const fresh = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', request];
  const openssl = (...words) => execFileSync('openssl', words, { stdio: 'pipe' });
  openssl('req', '-new', ...fresh, '-subj', '/CN=thief', '-addext', `subjectAltName=DNS:${name}`);
  const signed = ['-CA', authority, '-CAkey', authority, '-set_serial', '7', '-days', '90', '-copy_extensions', 'copy'];
  openssl('x509', '-req', '-in', request, ...signed, '-out', certificate);
  return [`--tls-certificate=${certificate}`, `--tls-key=${key}`];
}

test('not even with its key stolen does the authority vouch for a website', async () => {
  for (const [name, isBelieved] of [['printer.local', true], ['bank.example', false]]) {
    const thief = await startDaemon(undefined, undefined, ['--http-tls-port=0', ...stolenCertificate(name)]);
    const page = await (await trusting.newContext()).newPage();
    const visit = page.goto(`https://${name}:${thief.ports.https}/`);
    if (isBelieved) await visit;
    else await assert.rejects(visit, /ERR_CERT_/);
    await page.context().close();
    await thief.stop();
  }
});

test('on a secure page the microphone opens, and a second page hears it', async () => {
  const [talker, listener] = [await openPage(trusting, urls[0]), await openPage(trusting, urls[0])];
  await listener.click('#listen');
  await talker.click('#talk');
  await until(talker, 'talk', 'live');
  assert.equal(await capturesMicrophone(talker), true);
  await untilHeard(listener, 1);
  await until(talker, 'mic', 'live');
  for (const page of [talker, listener]) assert.deepEqual(page.errors, []);
});

test('the guide has the steps of the device at hand, the fingerprint, and the secure address', async () => {
  const userAgent = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1';
  const page = await (await doubting.newContext({ userAgent })).newPage();
  await page.goto(`${daemon.url}#/trust`);
  const guide = page.locator('trust-page');
  assert.equal(await guide.locator('#secure-link a').getAttribute('href'), `https://localhost:${daemon.ports.https}/`);
  const open = guide.locator('details[open]');
  assert.deepEqual(await open.evaluateAll((all) => all.map(({ dataset }) => dataset.device)), ['ios']);
  assert.equal(await open.locator('a').first().getAttribute('href'), `${daemon.url}ca.mobileconfig`);
  const words = ['x509', '-noout', '-fingerprint', '-sha256', '-in', join(folder, 'data/tls/authority.pem')];
  const [, fingerprint] = execFileSync('openssl', words, { encoding: 'utf8' }).trim().split('=');
  assert.equal(await guide.locator('#fingerprint').innerText(), fingerprint);
  assert.match(await guide.locator('#confines').innerText(), /\*\.local.*192\.168\.0\.0\/16/);
});
