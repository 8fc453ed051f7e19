import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { PROJECT_ROOT } from '../../common/paths.js';

it('a test run ends with the numbers of passed, failed and skipped tests, alone on the last line', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'mer-closing-'));
  fs.writeFileSync(
    path.join(folder, 'some.test.js'),
    'it("holds", () => {}); it("fails", () => expect(1).toBe(2)); it.skip("waits", () => {});',
  );
  fs.writeFileSync(path.join(folder, 'broken.test.js'), 'throw new Error("does not load");');
  const vitest = path.join(PROJECT_ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const reporter = path.join(PROJECT_ROOT, 'test', 'closing-line.ts');
  const args = ['run', '--root', folder, '--globals', '--reporter', 'default', '--reporter', reporter];
  const { status, stdout } = spawnSync(process.execPath, [vitest, ...args], { encoding: 'utf8' });
  fs.rmSync(folder, { recursive: true });
  expect(stdout.trimEnd().split('\n').at(-1)).toBe('1 passed, 2 failed, 1 skipped');
  expect(status).toBe(1);
});
