import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { addServeCommand } from '../../cli/serve.js';
import { PROJECT_ROOT } from '../../common/paths.js';
import { FLAG_TABLE, serveFlagTable } from '../../scripts/serving-docs.js';

const MER = fileURLToPath(new URL('../helpers/mer.ts', import.meta.url));

test('the table of flags in docs/serving.md is that of the command: npx tsx scripts/write-serving-docs.ts writes it', () => {
  const guide = fs.readFileSync(path.join(PROJECT_ROOT, 'docs', 'serving.md'), 'utf8');
  expect(FLAG_TABLE.exec(guide)?.[0]).toBe(serveFlagTable());
});

test('every flag of the server has an environment variable of its name', () => {
  const program = new Command();
  addServeCommand(program);
  const { options } = program.commands[0]!;
  expect(options.length).toBeGreaterThan(20);
  for (const option of options) expect(option.envVar).toBe(`MER_${option.name().toUpperCase()}`);
});

const serve = (args: string[], env: Record<string, string>) =>
  spawnSync(process.execPath, ['--import', 'tsx', MER, 'serve', '--bundle', '/nowhere', ...args], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });

test('the environment is read as strictly as flags are, and a flag wins over it', () => {
  const wrong = { MER_MAX_QUEUE: 'many' };
  expect(serve([], wrong).stderr).toMatch(/MER_MAX_QUEUE.*not a whole number/s);
  // The bundle is looked for only when all flags are understood.
  expect(serve([], { MER_MAX_QUEUE: '3' }).stderr).toContain('/nowhere');
  expect(serve(['--max_upload_mb', '300'], { MER_MAX_DISK_MB: '400' }).stderr).toContain('--max_disk_mb 400');
  expect(serve(['--max_upload_mb', '10'], { MER_MAX_UPLOAD_MB: '300', MER_MAX_DISK_MB: '400' }).stderr).toContain(
    '/nowhere',
  );
});
