// Real Firefox with a tone for a microphone, driven as a person would: by what is written on the page.

import puppeteer from 'puppeteer-core';

const PROGRAM = process.env.FIREFOX ?? '/usr/bin/firefox-esr';

/** Firefox, for a relay at this address; it hears no blocked sound, as anywhere, before the first click. */
export async function startFirefox(address) {
  return puppeteer.launch({
    browser: 'firefox',
    executablePath: PROGRAM,
    headless: true,
    extraPrefsFirefox: {
      // A page by plain http has no microphone; the real one is https or localhost.
      'dom.securecontext.allowlist': address,
      'media.devices.insecure.enabled': true,
      'media.getusermedia.insecure.enabled': true,
      // A tone for a microphone, which is allowed.
      'media.navigator.streams.fake': true,
      'media.navigator.permission.disabled': true,
      // Of each of the machine's addresses there is a candidate, not of that of the default route alone.
      'media.peerconnection.ice.default_address_only': false,
    },
  });
}

/** The page of the relay in a tab of its own, of somebody who has never been here. */
export async function visitByFirefox(browser, url) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  await page.setViewport({ width: 390, height: 780 });
  page.errors = [];
  page.on('pageerror', (error) => page.errors.push(error));
  await page.goto(url);
  return page;
}

/** Somebody at Firefox: clicks what they can read, and counts. */
export class FirefoxPerson {
  clicks = 0;

  constructor(page) {
    this.page = page;
  }

  /** Clicks the button or link that is called so, as soon as it is there and can be used. */
  async click(name) {
    this.clicks += 1;
    const found = await this.page.waitForFunction(findControl, { polling: 50 }, name instanceof RegExp ? name.source : `^${name}$`);
    // A click scrolls to what it is for, as a finger would.
    await found.asElement().click();
  }

  /** Waits until something that can be seen says so. */
  async read(words, timeout = 20_000) {
    await this.page.waitForSelector(`::-p-text(${words})`, { visible: true, timeout });
  }
}

/** Runs in the page: a visible button or link of this name that can be used, through all shadow roots; or nothing. */
function findControl(pattern) {
  const named = new RegExp(pattern);
  const nameOf = (element) => (element.getAttribute('aria-label') ?? element.textContent).replace(/\s+/g, ' ').trim();
  const search = (root) => {
    for (const element of root.querySelectorAll('*')) {
      if (element.matches('button:not(:disabled), a[href]') && element.checkVisibility() && named.test(nameOf(element))) return element;
      const inside = element.shadowRoot && search(element.shadowRoot);
      if (inside) return inside;
    }
    return null;
  };
  return search(document);
}
