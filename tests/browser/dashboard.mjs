// A dashboard without Home Assistant: a page of another origin that loads the cards from the relay, a stub of
// the `hass` object, and what Home Assistant's ingress does with a request and its cookie.

import { createServer, request } from 'node:http';
import { connect } from 'node:net';

const INGRESS = '/api/hassio_ingress/the-token/';
const SESSION = 'the-session';

/** Runs in the page: makes `hass` and cards. */
function stub(ingressPath, session) {
  const refuse = (code) => Promise.reject({ code, message: code });
  window.calls = [];
  window.asked = [];
  /** How Home Assistant shows itself to a card; `app` is what it knows of the relay's app, which may change. */
  window.makeHass = ({ app = null, darkMode = false, language = 'en' } = {}) => ({
    app,
    language,
    locale: { language },
    themes: { darkMode },
    panels: {},
    user: { name: 'Anna', is_admin: true },
    connection: {},
    callService: async (...call) => void window.calls.push(call),
    callWS: async ({ type, slug }) => {
      window.asked.push(type);
      if (type === 'supervisor/ingress/info' && slug === app?.slug) return { state: app.state, ingress_url: ingressPath };
      if (type === 'supervisor/ingress/session') return { session };
      if (type === 'supervisor/ingress/validate_session') return {};
      return refuse(type === 'supervisor/ingress/info' ? 'not_found' : 'unknown_command');
    },
  });
  /** Does with a card what a dashboard does. */
  window.addCard = (config, hass = window.makeHass(), { preview = false, id = '' } = {}) => {
    const card = document.createElement(config.type.replace('custom:', ''));
    card.id = id;
    card.setConfig(config);
    card.hass = hass;
    card.preview = preview;
    document.querySelector('main').append(card);
  };
  Object.defineProperty(window, 'voiceRelay', { get: () => [...window.voiceRelayLines.open.values()][0]?.session });
}

const page = (cardUrl) => `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Dashboard</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<script>(${stub})(${JSON.stringify(INGRESS)}, ${JSON.stringify(SESSION)})</script>
<script type="module" src="${cardUrl}"></script></head>
<body><main></main></body></html>`;

/** Serves the dashboard, with the relay behind ingress; `cards` is where the module of the cards comes from. */
export async function startDashboard(daemon, cards = `${daemon.url}voice-relay-card.js`) {
  const turnedAway = [];
  /** The relay's path for a request through ingress, or null for one that may not. */
  const admit = ({ url, headers }) => {
    if (url.startsWith(INGRESS) && headers.cookie?.includes(`ingress_session=${SESSION}`)) return `/${url.slice(INGRESS.length)}`;
    turnedAway.push(url);
    return null;
  };
  const server = createServer((incoming, answer) => {
    if (incoming.url === '/') {
      answer.setHeader('Content-Type', 'text/html');
      answer.end(page(cards));
      return;
    }
    const path = admit(incoming);
    if (path === null) {
      answer.writeHead(401).end();
      return;
    }
    const onward = request({ port: daemon.ports.http, path, method: incoming.method }, (reply) => {
      answer.writeHead(reply.statusCode, reply.headers);
      reply.pipe(answer);
    });
    incoming.pipe(onward);
  });
  server.on('upgrade', (incoming, socket) => {
    const path = admit(incoming);
    if (path === null) {
      socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n');
      return;
    }
    const { rawHeaders } = incoming;
    const lines = rawHeaders.flatMap((name, index) => (index % 2 ? [] : [`${name}: ${rawHeaders[index + 1]}`]));
    const onward = connect(daemon.ports.http, '127.0.0.1', () => {
      onward.write(`GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      onward.pipe(socket).pipe(onward);
    });
    for (const [one, other] of [[onward, socket], [socket, onward]]) one.on('error', () => other.destroy());
  });
  await new Promise((resolve) => server.listen(0, resolve));
  const { port } = server.address();
  return {
    port,
    url: `http://localhost:${port}/`,
    turnedAway,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** The dashboard in a tab of its own, with its cards defined. */
export async function openDashboard(browser, url, options = {}) {
  const tab = await (await browser.newContext(options)).newPage();
  tab.errors = [];
  tab.on('pageerror', (error) => tab.errors.push(error));
  await tab.goto(url);
  await tab.waitForFunction(() => customElements.get('voice-receiving-card'));
  return tab;
}

/** Puts a card on the dashboard. */
export async function addCard(tab, config, { hass = {}, ...rest } = {}) {
  await tab.evaluate(([options, house, more]) => window.addCard(options, window.makeHass(house), more), [config, hass, rest]);
}

/** Waits until the card says so: one of its data attributes. */
export async function untilCard(tab, card, attribute, value, timeout = 15_000) {
  await tab.locator(`${card}[data-${attribute}="${value}"]`).waitFor({ state: 'attached', timeout });
}
