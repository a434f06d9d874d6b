// Pictures of every page and card in every state, on phone and desktop, light and dark: to look at, after
// `make screenshots`. The language is that of SCREENSHOTS_LOCALE.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { ALL_SCREENS, openHouse, showCalls, showCards, showHelp, showHouse, showPages, showRooms, showSounds } from './scenes.mjs';

const FOLDER = fileURLToPath(new URL('../../target/screenshots', import.meta.url));
const locale = process.env.SCREENSHOTS_LOCALE ?? 'en-US';

mkdirSync(FOLDER, { recursive: true });
const house = await openHouse({ locale });
try {
  const take = async (tab, { part, state, screen, scheme }) => {
    // The meters move.
    await tab.waitForTimeout(150);
    const path = join(FOLDER, `${[part, state, screen, scheme, locale.slice(0, 2)].join('-')}.png`);
    await tab.screenshot({ path, fullPage: part !== 'home' && part !== 'welcome' });
  };
  await showPages(house, take, ALL_SCREENS);
  await showHouse(house, take, ALL_SCREENS);
  await showRooms(house, take, ALL_SCREENS);
  await showCalls(house, take, ALL_SCREENS);
  await showSounds(house, take, ALL_SCREENS);
  await showHelp(house, take, ALL_SCREENS);
  await showCards(house, take);
} finally {
  await house.close();
}
