import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import type { Hass } from './hass';
import { throughIngress } from './ingress';

type Answers = Record<string, () => unknown>;

const document = { cookie: '', addEventListener: vi.fn(), removeEventListener: vi.fn() };

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('document', document);
  vi.stubGlobal('location', { origin: 'https://ha', protocol: 'https:' });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const refuse = (code: string) => () => {
  // As Home Assistant does, with a plain object.
  // eslint-disable-next-line @typescript-eslint/only-throw-error
  throw { code, message: code };
};

/** Home Assistant that knows these commands; what is asked is kept in `asked`. */
function house(answers: Answers) {
  const asked: string[] = [];
  const callWS = (async (message: { type: string; slug?: string; endpoint?: string }) => {
    await Promise.resolve();
    const question = [message.type, message.endpoint ?? message.slug].filter(Boolean).join(' ');
    asked.push(question);
    return (answers[question] ?? refuse(message.type === 'supervisor/api' ? 'not_found' : 'unknown_command'))();
  }) as NonNullable<Hass['callWS']>;
  return { asked, callWS };
}

const started = () => ({ ingress_url: '/api/hassio_ingress/token', state: 'started' });

test('the newer commands are used where there are any', async () => {
  const { callWS } = house({
    'supervisor/ingress/info local_voice_relay': started,
    'supervisor/ingress/session local_voice_relay': () => ({ session: 's1' }),
  });
  const way = await throughIngress({}, callWS, '');
  expect(way.base.href).toBe('https://ha/api/hassio_ingress/token/');
  expect(document.cookie).toBe('ingress_session=s1;path=/api/hassio_ingress/;SameSite=Strict;Secure');
  way.close();
});

test('older versions are asked through the Supervisor, and the slug is found by its end', async () => {
  const { callWS } = house({
    'supervisor/api /addons': () => ({ addons: [{ slug: 'core_ssh' }, { slug: 'a0d7b954_voice_relay' }] }),
    'supervisor/api /addons/a0d7b954_voice_relay/info': started,
    'supervisor/api /ingress/session': () => ({ session: 's2' }),
  });
  const way = await throughIngress({}, callWS, '');
  expect(document.cookie).toContain('ingress_session=s2;');
  way.close();
});

test('who is no administrator finds the app by the sidebar', async () => {
  const { callWS, asked } = house({
    'supervisor/api /addons': refuse('unauthorized'),
    'supervisor/ingress/info a0d7b954_voice_relay': started,
    'supervisor/ingress/session a0d7b954_voice_relay': () => ({ session: 's3' }),
  });
  (await throughIngress({ panels: { lovelace: {}, a0d7b954_voice_relay: {} } }, callWS, '')).close();
  expect(asked).toContain('supervisor/ingress/info a0d7b954_voice_relay');
});

test('the session is validated every minute, and renewed when it has lapsed', async () => {
  let count = 0;
  const { callWS, asked } = house({
    'supervisor/ingress/info mine': started,
    'supervisor/ingress/session mine': () => ({ session: `s${++count}` }),
    'supervisor/ingress/validate_session': () => (count > 1 ? {} : refuse('unknown_error')()),
  });
  const way = await throughIngress({}, callWS, 'mine');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(document.cookie).toContain('ingress_session=s2;');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked.filter((question) => question.startsWith('supervisor/ingress/session'))).toHaveLength(2);
  way.close();
  const before = asked.length;
  await vi.advanceTimersByTimeAsync(600_000);
  expect(asked).toHaveLength(before);
});

test.each<[Answers, string]>([
  [{ 'supervisor/ingress/info mine': refuse('unknown_error') }, 'notInstalled'],
  [{ 'supervisor/ingress/info mine': () => ({ ingress_url: '/x/', state: 'stopped' }) }, 'notStarted'],
  [{ 'supervisor/ingress/info mine': refuse('unauthorized') }, 'notAllowed'],
  [{ 'supervisor/api /addons/mine/info': refuse('unknown_command') }, 'noApps'],
  [{ 'supervisor/ingress/info mine': started, 'supervisor/ingress/session mine': refuse('unauthorized') }, 'notAllowed'],
])('what is in the way is told apart: %#', async (answers, code) => {
  await expect(throughIngress({}, house(answers).callWS, 'mine')).rejects.toMatchObject({ code });
});
