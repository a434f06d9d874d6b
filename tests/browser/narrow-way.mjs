// A way from a daemon's UDP port to a browser that can be made narrow: a proxy with a rate and a queue, as a router at the end of
// a thin line has it. What the browser sends goes through as it is.

import { createSocket } from 'node:dgram';

/** What waits at most, in milliseconds, before more is dropped. */
const QUEUE_MS = 300;

/** Bytes of the headers of IP and UDP. */
const HEADERS = 28;

/** Opens one before this port of the daemon; gives its port, and the means to make it narrow. */
export async function openNarrowWay(port) {
  const outside = createSocket('udp4');
  await new Promise((resolve) => outside.bind(0, '127.0.0.1', resolve));
  const inside = new Map();
  const way = { bits: Infinity, dropped: 0, freeAt: 0, isClosed: false };

  /** Sends it when its turn has come. */
  const send = (datagram, client) => {
    const now = performance.now();
    const begins = Math.max(way.freeAt, now);
    if (begins - now > QUEUE_MS) {
      way.dropped += 1;
      return;
    }
    way.freeAt = begins + ((datagram.length + HEADERS) * 8_000) / way.bits;
    const wait = way.freeAt - now;
    const deliver = () => {
      if (!way.isClosed) outside.send(datagram, client.port, client.address);
    };
    if (wait < 1) deliver();
    else setTimeout(deliver, wait);
  };

  outside.on('message', (datagram, client) => {
    const key = `${client.address}:${client.port}`;
    let socket = inside.get(key);
    if (!socket) {
      socket = createSocket('udp4');
      socket.on('message', (answer) => send(answer, client));
      inside.set(key, socket);
    }
    socket.send(datagram, port, '127.0.0.1');
  });

  return {
    port: outside.address().port,
    /** So many bits a second pass from now on. */
    narrow(bits) {
      way.bits = bits;
    },
    get dropped() {
      return way.dropped;
    },
    close() {
      way.isClosed = true;
      outside.close();
      for (const socket of inside.values()) socket.close();
    },
  };
}

/** Has a page reach this port of the daemon by another one. To be called before the page is loaded. */
export const detour = (page, from, to) =>
  page.addInitScript(
    ([former, other]) => {
      const original = RTCPeerConnection.prototype.setRemoteDescription;
      RTCPeerConnection.prototype.setRemoteDescription = function (description) {
        const sdp = description.sdp.replaceAll(new RegExp(`(a=candidate:.* 127\\.0\\.0\\.1 )${former} `, 'g'), `$1${other} `);
        return original.call(this, { type: description.type, sdp: sdp.replaceAll(new RegExp(`a=candidate:.* ${former} typ.*\r\n`, 'g'), '') });
      };
    },
    [from, to],
  );
