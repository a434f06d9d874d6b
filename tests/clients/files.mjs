// A file over a data channel, as any stack fetches it: cut in the midst, taken up again, and closed in good order.

import assert from 'node:assert/strict';

import { PATIENCE_MS, sha256, wantedFile } from './house.mjs';

/**
 * Fetches the file in several connections, of which `connect` makes one: it posts its offer, calls `opened`, `said` and
 * `chunk`, and gives `say` and `close`.
 */
export async function fetchWithCuts(house, connect, cuts = 3) {
  const wanted = await wantedFile(house);
  const got = [];
  for (let cut = 0; cut <= cuts; cut++) {
    const enough = cut === cuts ? Infinity : (wanted.size * (cut + 1)) / (cuts + 1);
    await fetchPart(house, connect, wanted, got, enough);
  }
  assert.equal(sha256(Buffer.concat(got)), wanted.sha256);
}

/** Goes on where `got` ends, until there are `enough` bytes, or all. */
async function fetchPart(house, connect, wanted, got, enough) {
  let connection;
  const held = () => got.reduce((sum, chunk) => sum + chunk.length, 0);
  await new Promise((resolve, reject) => {
    const patience = setTimeout(() => reject(new Error(`nothing more after ${held()} bytes`)), PATIENCE_MS);
    const done = () => {
      clearTimeout(patience);
      resolve();
    };
    const events = {
      opened: () => connection.say(JSON.stringify({ type: 'play', file: wanted.id, fromChunk: got.length, sha256: wanted.sha256 })),
      said: (text) => {
        const message = JSON.parse(text);
        if (message.type === 'error') reject(new Error(text));
        if (message.type === 'metadata' && message.file !== wanted.id) reject(new Error('another file than was asked for'));
        if (message.type === 'complete') done();
      },
      chunk: (bytes) => {
        got.push(Buffer.from(bytes));
        if (held() >= enough) done();
      },
    };
    void connect(events).then((made) => (connection = made), reject);
  });
  // What comes after that is not wanted any more.
  await connection.close();
}

/** Posts an offer for files; gives the answer. */
export async function postOffer(house, sdp) {
  const body = JSON.stringify({ offer: { type: 'offer', sdp }, clientId: 'a test', waits: true });
  const headers = { 'Content-Type': 'application/json' };
  const reply = await fetch(new URL('api/offer', house.url), { method: 'POST', headers, body });
  assert.equal(reply.status, 200, await reply.clone().text());
  return (await reply.json()).answer.sdp;
}
