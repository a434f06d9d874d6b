import { describe, expect, it } from 'vitest';

import { diagnose, worstOf, type Check, type ConnectionFact, type Facts } from './diagnosis';

const HEARING: ConnectionFact = { roundTripMs: 4, lossPercent: 0 };

const FINE: Facts = {
  http: { milliseconds: 5, healthy: true },
  socketMs: 4,
  obstacle: null,
  permission: 'granted',
  problem: null,
  mp3: { result: 'reached', host: 'relay.local', port: 8_081 },
  voices: { result: 'reached', port: 8_082 },
  files: { result: 'reached', port: 8_083 },
  connections: [HEARING],
  mediaAddresses: ['192.0.2.2:8082'],
  soundBlocked: false,
  hidden: false,
  timersLateMs: 4,
  clockDifferenceMs: -900,
};

function finding(check: Check, facts: Partial<Facts>) {
  const found = diagnose({ ...FINE, ...facts }).find((one) => one.check === check);
  if (!found) throw new Error(check);
  return found;
}

it('says that all is fine, and gives no advice then', () => {
  const findings = diagnose(FINE);
  expect(worstOf(findings)).toBe('ok');
  for (const { verdict, says, advice } of findings) expect([verdict, says !== '', advice]).toEqual(['ok', true, '']);
});

describe('what is wrong is said once, with what to do', () => {
  const cases: [Check, Partial<Facts>, string, RegExp][] = [
    ['http', { http: null }, 'wrong', /same network/],
    ['http', { http: { milliseconds: 9, healthy: false } }, 'wrong', /Restart/],
    ['http', { http: { milliseconds: 1_500, healthy: true } }, 'attention', /Wi-Fi/],
    ['socket', { socketMs: null }, 'wrong', /proxy/],
    ['microphone', { obstacle: 'insecure', permission: null }, 'attention', /https/],
    ['microphone', { permission: 'denied' }, 'wrong', /settings/],
    ['microphone', { problem: { code: 'busy', detail: '' } }, 'wrong', /Another program/],
    ['media', { voices: { result: 'blocked', port: 8_082 } }, 'wrong', /UDP .*192\.0\.2\.2:8082/],
    ['files', { files: { result: 'blocked', port: 8_083 } }, 'attention', /UDP 8083/],
    ['quality', { connections: [HEARING, { ...HEARING, roundTripMs: 300 }] }, 'attention', /cable/],
    ['quality', { connections: [{ ...HEARING, lossPercent: 8 }] }, 'attention', /cable/],
    ['sound', { soundBlocked: true }, 'attention', /Tap to hear/],
    ['mp3', { mp3: { result: 'refused', host: 'a', port: 81 } }, 'wrong', /port 81/],
    ['mp3', { mp3: { result: 'silent', host: 'a', port: 81 } }, 'attention', /port 81/],
    ['timers', { hidden: true }, 'attention', /front/],
    ['timers', { timersLateMs: 800 }, 'attention', /energy/],
    ['clock', { clockDifferenceMs: -600_000 }, 'attention', /https/],
  ];
  it.each(cases)('%s %o', (check, facts, verdict, advice) => {
    const others = diagnose({ ...FINE, ...facts }).filter((one) => one.check !== check);
    expect(finding(check, facts).verdict).toBe(verdict);
    expect(finding(check, facts).advice).toMatch(advice);
    expect(others.filter((one) => one.verdict === verdict)).toEqual([]);
  });
});

describe('what cannot be tested', () => {
  it('is no trouble, and says what would make it testable', () => {
    const findings = diagnose({ ...FINE, voices: { result: 'unknown', port: null }, files: { result: 'unknown', port: null }, connections: [], mp3: { result: 'https', host: 'a', port: 81 } });
    expect(worstOf(findings)).toBe('ok');
    const skipped = findings.filter(({ verdict }) => verdict === 'skipped');
    expect(skipped.map(({ check }) => check)).toEqual(['media', 'files', 'quality', 'mp3']);
    for (const { advice } of skipped.slice(2)) expect(advice).toMatch(/test again|http:\/\/a:81/);
  });

  it('is the microphone where the browser does not tell: it will ask', () => {
    expect(finding('microphone', { permission: null }).says).toMatch(/will ask/);
  });
});
