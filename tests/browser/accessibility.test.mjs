// What axe says of every page and card in every state, and what hands on a keyboard can do.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import axe from 'axe-core';

import { openPage, until } from './browser.mjs';
import { addCard, openDashboard, untilCard } from './dashboard.mjs';
import { openHouse, showCalls, showCards, showHelp, showHouse, showPages, showRooms, showSounds } from './scenes.mjs';

/** More presses of Tab than any page has stops. */
const MANY_STOPS = 60;

/** Longer than any tap, however slow this machine is today. */
const HOLD_MS = 700;

let house;

before(async () => {
  house = await openHouse();
});

after(async () => {
  await house.close();
});

/** What axe has against this part of the tab, a line for each element. */
async function violations(tab, { part, state, screen, scheme }, within) {
  // By the debugger, so that the page keeps its policy, which forbids scripts from elsewhere.
  const devtools = await tab.context().newCDPSession(tab);
  await devtools.send('Runtime.evaluate', { expression: `window.axe ?? (() => { ${axe.source} })()` });
  await devtools.detach();
  const { passes, found } = await tab.evaluate(async (selector) => {
    const result = await window.axe.run(selector);
    return {
      passes: result.passes.length,
      found: result.violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => ({ id, target, failureSummary }))),
    };
  }, within);
  // Without anything that could be wrong, nothing was looked at.
  assert.ok(passes > 5, `${part} ${state}: axe found nothing to look at`);
  return found.map(({ id, target, failureSummary }) => `${part} ${state} ${screen} ${scheme}: ${id} at ${target.flat().join(' ')}: ${failureSummary}`);
}

test('axe has nothing against any page in any state', async () => {
  const found = [];
  await showPages(house, async (tab, scene) => {
    found.push(...(await violations(tab, scene, 'html')));
  });
  assert.deepEqual(found, []);
});

test('axe has nothing against the first visit, announcements, and what else is on the page of the house', async () => {
  const found = [];
  await showHouse(house, async (tab, scene) => {
    found.push(...(await violations(tab, scene, 'html')));
  });
  assert.deepEqual(found, []);
});

test('axe has nothing against any room, or its door', async () => {
  const found = [];
  await showRooms(house, async (tab, scene) => {
    found.push(...(await violations(tab, scene, 'html')));
  });
  assert.deepEqual(found, []);
});

test('axe has nothing against devices with names, and calls between them', async () => {
  const found = [];
  await showCalls(house, async (tab, scene) => {
    found.push(...(await violations(tab, scene, 'html')));
  });
  assert.deepEqual(found, []);
});

test('axe has nothing against the sounds and their player', async () => {
  const found = [];
  await showSounds(house, async (tab, scene) => {
    found.push(...(await violations(tab, scene, 'html')));
  });
  assert.deepEqual(found, []);
});

test('axe has nothing against the guides', async () => {
  const found = [];
  await showHelp(house, async (tab, scene) => {
    found.push(...(await violations(tab, scene, 'html')));
  });
  assert.deepEqual(found, []);
});

test('axe has nothing against any card in any state', async () => {
  const found = [];
  // The dashboard around it is no part of the product.
  await showCards(house, async (tab, scene) => {
    found.push(...(await violations(tab, scene, 'main > *')));
  });
  assert.deepEqual(found, []);
});

/** Runs in the page: the element with the focus, as a person would tell where they are. */
function focusedElement() {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  if (!element || element === document.body) return null;
  const { outlineStyle, outlineWidth } = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  // Nothing may lie over it, such as the dock of the talk button.
  const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
  let top = document.elementFromPoint(x, y);
  while (top?.shadowRoot?.elementFromPoint(x, y) && top.shadowRoot.elementFromPoint(x, y) !== top) {
    top = top.shadowRoot.elementFromPoint(x, y);
  }
  return {
    name: element.id || element.className || element.textContent.trim(),
    isMarked: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2,
    isUncovered: element === top || element.contains(top) || top?.contains(element) === true,
  };
}

/** All stops of the Tab key, in their order. */
async function stopsOf(tab) {
  const stops = [];
  for (let count = 0; count < MANY_STOPS; count++) {
    await tab.keyboard.press('Tab');
    const stop = await tab.evaluate(focusedElement);
    if (!stop) break;
    stops.push(stop);
  }
  return stops;
}

/** Their names, once each is known to be seen. */
function seen(stops) {
  for (const { name, isMarked, isUncovered } of stops) {
    assert.ok(isMarked, `${name} has the focus, and does not show it`);
    assert.ok(isUncovered, `${name} has the focus below something else`);
  }
  return stops.map(({ name }) => name);
}

/** Those of other tests have no tiles any more. */
async function forgetDevices(url) {
  const { stations } = await (await fetch(`${url}api/stations`)).json();
  for (const { id } of stations) await fetch(`${url}api/stations/${id}`, { method: 'DELETE' });
}

const phone = { viewport: { width: 360, height: 740 } };

test('all of the page is reached by Tab, in an order that makes sense, and seen when it is', async () => {
  await forgetDevices(house.daemon.url);
  const page = await openPage(house.browserFor('idle'), house.daemon.url, phone);
  await page.locator('house-tile').first().waitFor();
  await page.locator('.menu').evaluate((menu) => menu.setAttribute('open', ''));
  assert.deepEqual(seen(await stopsOf(page)), [
    ...['menu', 'settings-link', 'status-link', 'calls-link'],
    ...['listen', 'talk', 'announce', 'sounds-link'],
    ...['choose', 'hear', 'choose', 'hear', 'choose', 'hear', 'new-room'],
    ...['ring', 'room-link', 'speaker-link', 'Chat in Everyone'],
  ]);
  await page.click('#announce');
  await page.locator('announce-sheet #record').waitFor();
  assert.equal(await page.evaluate(() => document.querySelector('house-page').shadowRoot.activeElement?.localName), 'announce-sheet');
  await page.keyboard.press('Escape');
  await page.locator('announce-sheet').waitFor({ state: 'detached' });
  await page.evaluate(() => (location.hash = '#/settings'));
  await page.locator('settings-page #name').waitFor();
  await page.waitForFunction(() => document.querySelector('settings-page').shadowRoot.activeElement?.matches('h1'));
  assert.deepEqual(seen(await stopsOf(page)), [
    ...['On this device', 'name', 'microphone', 'loudspeaker', 'echoCancellation', 'noiseSuppression', 'autoGainControl'],
    ...['test-sound', 'test-microphone'],
  ]);
  await page.context().close();
});

test('all of the other views is reached by Tab, from the way back to the end', async () => {
  const page = await openPage(house.browserFor('idle'), house.daemon.url, phone);
  for (const [hash, ready, last] of [['#/speaker/home', 'speaker-page #players', 'Copy'], ['#/status', '#self-test[data-verdict]', 'copy-report']]) {
    await page.evaluate((wanted) => (location.hash = wanted), hash);
    await page.locator(ready).waitFor({ timeout: 20_000 });
    // The heading has the focus; the way back is before it.
    await page.waitForFunction(() => document.querySelector('[data-view]').shadowRoot.activeElement?.matches('h1'));
    await page.keyboard.press('Shift+Tab');
    const back = await page.evaluate(focusedElement);
    const names = seen([back, ...(await stopsOf(page))]);
    assert.deepEqual([names[0], names.at(-1)], ['back', last]);
  }
  await page.context().close();
});

test('a card is used by Tab, Enter and Space alone', async () => {
  const tab = await openDashboard(house.browserFor('idle'), house.dashboard.url, phone);
  const card = 'voice-relay-card';
  await addCard(tab, { type: `custom:${card}`, server_url: house.daemon.url });
  await untilCard(tab, card, 'connection', 'up');
  await tab.keyboard.press('Tab');
  await tab.keyboard.press('Enter');
  await untilCard(tab, card, 'talk', 'live');
  await tab.keyboard.press('Enter');
  await untilCard(tab, card, 'talk', 'idle');
  // Held for a while, so that it is no tap.
  await tab.keyboard.down('Space');
  await untilCard(tab, card, 'talk', 'live');
  await tab.waitForTimeout(HOLD_MS);
  await tab.keyboard.up('Space');
  await untilCard(tab, card, 'talk', 'idle');
  await tab.keyboard.press('Tab');
  for (const [key, listens] of [['Space', 'on'], ['Enter', 'off']]) {
    await tab.keyboard.press(key);
    await untilCard(tab, card, 'listen', listens);
  }
  await tab.keyboard.press('Shift+Tab');
  const talk = await tab.evaluate(focusedElement);
  assert.deepEqual(seen([talk, ...(await stopsOf(tab))]), ['talk', 'listen']);
  await tab.context().close();
});

test('whoever wants less motion gets none', async () => {
  for (const [reducedMotion, isStill] of [['reduce', true], ['no-preference', false]]) {
    const page = await openPage(house.browserFor('talking'), house.daemon.url, { ...phone, reducedMotion });
    await page.click('#talk');
    await until(page, 'talk', 'live');
    const moving = await page.evaluate(() => {
      const elements = (root) => [...root.querySelectorAll('*')].flatMap((one) => [one, ...(one.shadowRoot ? elements(one.shadowRoot) : [])]);
      const moves = ({ animationName, transitionDuration }) => animationName !== 'none' || parseFloat(transitionDuration) > 0;
      return elements(document.body).filter((one) => moves(getComputedStyle(one))).length;
    });
    assert.equal(moving === 0, isStill, `${moving} elements move with ${reducedMotion}`);
    await page.context().close();
  }
});
