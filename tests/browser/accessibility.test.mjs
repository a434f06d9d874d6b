// What axe says of every page and card in every state, and what hands on a keyboard can do.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import axe from 'axe-core';

import { openPage, until } from './browser.mjs';
import { openHouse, showCards, showPages } from './scenes.mjs';

/** More presses of Tab than any page has stops. */
const MANY_STOPS = 60;

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
async function stopsOf(page) {
  const stops = [];
  for (let count = 0; count < MANY_STOPS; count++) {
    await page.keyboard.press('Tab');
    const stop = await page.evaluate(focusedElement);
    if (!stop) break;
    stops.push(stop);
  }
  return stops;
}

test('everything is reached by Tab, in an order that makes sense, and is seen when it is', async () => {
  const page = await openPage(house.browserFor('idle'), house.daemon.url, { viewport: { width: 360, height: 740 } });
  await page.locator('#mp3-link').waitFor();
  await page.click('summary');
  await page.evaluate(() => document.activeElement.blur());
  await page.evaluate(() => window.getSelection().removeAllRanges());
  await page.mouse.click(1, 1);
  const stops = await stopsOf(page);
  console.log(stops.map(({ name }) => name).join(' · '));
  for (const { name, isMarked, isUncovered } of stops) {
    assert.ok(isMarked, `${name} has the focus, and does not show it`);
    assert.ok(isUncovered, `${name} has the focus below something else`);
  }
  await page.context().close();
});
