// Runs all tests in browsers: those that look at pages two files at a time, and those that listen, or wait for a time, one
// after the other, since whoever counts milliseconds must have the machine to themselves.

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';

const LOOKS = ['accessibility', 'budget', 'dashboard', 'page', 'rooms-card', 'rooms-host', 'tls'].map((name) => `${name}.test.mjs`);

const all = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.test.mjs'));
const passes = [
  [2, all.filter((name) => LOOKS.includes(name))],
  [1, all.filter((name) => !LOOKS.includes(name))],
];

// What fails in the first must not hide what fails in the second.
let failed = false;
for (const [atOnce, files] of passes) {
  const { status } = spawnSync(process.execPath, ['--test', `--test-concurrency=${atOnce}`, ...files], {
    cwd: import.meta.dirname,
    stdio: 'inherit',
  });
  failed ||= status !== 0;
}
process.exitCode = failed ? 1 : 0;
