// A stand-in for Home Assistant's Supervisor, at its own address in a network namespace: it tells the daemon of
// its port, and passes the requests of a signed-in user on to it, with the headers that the real one sets.

import { readFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { connect } from 'node:net';

/** The addresses that Home Assistant's own network gives to the Supervisor and to its host. */
export const ADDRESSES = { here: '172.30.32.2', moved: '172.30.32.4', there: '172.30.32.1' };

const INGRESS = '/api/hassio_ingress/Zp1LbRlkVt0';
const TOKEN = 'the-supervisor-token';
const PORT = 62_001;

/** What the app asks for. */
const MANIFEST = JSON.parse(readFileSync(new URL('../../config.json', import.meta.url)));

/** Whether the real Supervisor lets an app with this manifest ask for this path (its api/middleware/security.py). */
const isAllowed = (path) =>
  (!path.startsWith('/services/') || MANIFEST.services?.some((wanted) => wanted.startsWith(`${path.split('/')[2]}:`))) &&
  isAllowedByPath(path);

const isAllowedByPath = (path) =>
  ['/addons/self/', '/info', '/services', '/discovery', '/auth'].some((prefix) => path.startsWith(prefix)) ||
  (MANIFEST.homeassistant_api && path.startsWith('/core/api')) ||
  (MANIFEST.hassio_api && /^\/.+\/info$/.test(path));

/** Starts it; `user` is who is signed in to Home Assistant. */
export async function startSupervisor(user) {
  const asked = [];
  const answers = {
    '/addons/self/info': { slug: 'local_voice_relay', ingress_port: PORT, network: null },
    '/network/info': { interfaces: [{ enabled: true, ipv4: { address: [`${ADDRESSES.there}/23`] }, ipv6: null }] },
  };
  const api = createServer((incoming, answer) => {
    asked.push(incoming.url);
    if (!isAllowed(incoming.url)) return void answer.writeHead(403).end('403: Forbidden');
    const data = incoming.headers.authorization === `Bearer ${TOKEN}` ? answers[incoming.url] : undefined;
    answer.writeHead(data ? 200 : 401, { 'Content-Type': 'application/json' });
    return void answer.end(JSON.stringify(data ? { result: 'ok', data } : { result: 'error', message: 'not known' }));
  });
  const headersFor = (headers) => ({
    ...headers,
    'x-ingress-path': INGRESS,
    'x-hass-source': 'core.ingress',
    'x-forwarded-for': '192.168.1.77',
    'x-forwarded-host': headers.host,
    'x-remote-user-id': '1',
    'x-remote-user-name': user.toLowerCase(),
    'x-remote-user-display-name': user,
  });
  const pathOf = (url) => url.slice(INGRESS.length);
  const proxy = createServer((incoming, answer) => {
    if (!incoming.url.startsWith(`${INGRESS}/`)) return void answer.writeHead(404).end();
    const { method, headers, url } = incoming;
    const way = { host: ADDRESSES.there, port: PORT, localAddress: ADDRESSES.here };
    const onward = request({ ...way, path: pathOf(url), method, headers: headersFor(headers) }, (reply) => {
      answer.writeHead(reply.statusCode, reply.headers);
      reply.pipe(answer);
    });
    onward.on('error', () => answer.writeHead(502).end());
    return void incoming.pipe(onward);
  });
  proxy.on('upgrade', (incoming, socket) => {
    const lines = Object.entries(headersFor(incoming.headers)).map(([name, value]) => `${name}: ${value}`);
    const onward = connect({ host: ADDRESSES.there, port: PORT, localAddress: ADDRESSES.here }, () => {
      onward.write(`GET ${pathOf(incoming.url)} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      onward.pipe(socket).pipe(onward);
    });
    for (const [one, other] of [[onward, socket], [socket, onward]]) one.on('error', () => other.destroy());
  });
  await new Promise((resolve) => api.listen(0, ADDRESSES.here, resolve));
  await new Promise((resolve) => proxy.listen(0, resolve));
  return {
    asked,
    /** The panel, as a browser opens it. */
    url: `http://localhost:${proxy.address().port}${INGRESS}/`,
    port: PORT,
    /** What an app is given. */
    env: { SUPERVISOR_TOKEN: TOKEN, VOICE_RELAY__HASS__SUPERVISOR: `http://${ADDRESSES.here}:${api.address().port}` },
    stop() {
      for (const server of [api, proxy]) {
        server.closeAllConnections();
        server.close();
      }
    },
  };
}
