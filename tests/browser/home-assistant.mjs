// The real Home Assistant, without a Supervisor: its core and its frontend as Python packages, in a folder of their own.

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** It installs what it lacks when it starts for the first time. */
const START_MS = 300_000;

/** Whoever comes from this machine is Anna, without a password. */
const configuration = (port) => `
homeassistant:
  name: Home
  latitude: 52
  longitude: 13
  elevation: 0
  unit_system: metric
  time_zone: UTC
  auth_providers:
    - type: trusted_networks
      trusted_networks: ["127.0.0.1", "::1"]
      allow_bypass_login: true
    - type: homeassistant
http:
  server_port: ${port}
frontend:
onboarding:
media_player:
  - platform: universal
    name: Kitchen
logger:
  default: warning
`;

/** Starts it by this program (`hass`) on a port that is free; gives its address, and the means to end it. */
export async function startHomeAssistant(program, port) {
  const folder = mkdtempSync(join(tmpdir(), 'voice-relay-'));
  mkdirSync(join(folder, 'www'));
  writeFileSync(join(folder, 'configuration.yaml'), configuration(port));
  const log = openSync(join(folder, 'log'), 'w');
  const child = spawn(program, ['-c', folder], { stdio: ['ignore', log, log] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const url = `http://localhost:${port}`;
  const end = async () => {
    child.kill();
    await ended;
    rmSync(folder, { recursive: true });
  };
  try {
    await moveIn(url);
  } catch (error) {
    await end();
    throw error;
  }
  return { url, end };
}

/** Answers what it asks whoever has just installed it. */
async function moveIn(url) {
  const client = { client_id: `${url}/` };
  const post = async (path, body, token) => {
    const headers = { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) };
    return fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  };
  await untilItAnswers(`${url}/api/onboarding`);
  const anna = { ...client, name: 'Anna', username: 'anna', password: 'a password', language: 'en' };
  const { auth_code: code } = await (await post('/api/onboarding/users', anna)).json();
  const grant = new URLSearchParams({ ...client, grant_type: 'authorization_code', code });
  const { access_token: token } = await (await fetch(`${url}/auth/token`, { method: 'POST', body: grant })).json();
  // The first of them also asks the internet for the weather, in vain.
  for (const step of ['core_config', 'analytics']) await post(`/api/onboarding/${step}`, {}, token);
  await post('/api/onboarding/integration', { ...client, redirect_uri: `${url}/` }, token);
  const steps = await (await fetch(`${url}/api/onboarding`)).json();
  if (!steps.every(({ done }) => done)) throw new Error(`Home Assistant still asks: ${JSON.stringify(steps)}`);
}

async function untilItAnswers(address) {
  const end = Date.now() + START_MS;
  while (!(await fetch(address).then(({ ok }) => ok, () => false))) {
    if (Date.now() > end) throw new Error('Home Assistant does not start');
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** Its frontend in a tab of its own. Without its service worker, for which it would load itself a second time. */
export async function openFrontend(browser, url, options = {}) {
  const look = { viewport: { width: 1280, height: 900 }, serviceWorkers: 'block' };
  const tab = await (await browser.newContext({ ...look, ...options })).newPage();
  await tab.goto(`${url}/lovelace/0`);
  await tab.waitForFunction(() => document.querySelector('home-assistant')?.hass?.config?.state === 'RUNNING', undefined, { timeout: 60_000 });
  return tab;
}

/** Asks by its own connection, as its pages do. */
export async function ask(tab, message) {
  return tab.evaluate((wanted) => document.querySelector('home-assistant').hass.callWS(wanted), message);
}
