import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PROJECT_ROOT } from '../../common/paths.js';

/** A folder with the files that run before anything is installed, and nothing else. */
describe('a bare clone', () => {
  let clone: string;
  beforeEach(() => {
    clone = fs.mkdtempSync(path.join(os.tmpdir(), 'mer-clone-'));
    for (const file of ['package.json', 'package-lock.json', 'bin/mer.mjs', 'scripts/run.mjs']) {
      fs.mkdirSync(path.dirname(path.join(clone, file)), { recursive: true });
      fs.copyFileSync(path.join(PROJECT_ROOT, file), path.join(clone, file));
    }
  });
  afterEach(() => fs.rmSync(clone, { recursive: true }));

  const run = (script: string, ...args: string[]) =>
    spawnSync(process.execPath, [path.join(clone, script), ...args], { cwd: clone, encoding: 'utf8' });

  it('sends `mer` to set-up while the packages are missing', () => {
    const { status, stderr } = run('bin/mer.mjs', '--help');
    expect(status).toBe(1);
    expect(stderr).toBe(
      'error: The npm packages are not installed. Run `npm run setup` in the project folder first.\n',
    );
  });

  it('sends `mer` to set-up while the program is not compiled', () => {
    fs.mkdirSync(path.join(clone, 'node_modules'));
    const { status, stderr } = run('bin/mer.mjs', '--help');
    expect(status).toBe(1);
    expect(stderr).toBe('error: The project is not compiled. Run `npm run setup` in the project folder first.\n');
  });

  it('says which Node it needs before it installs anything', () => {
    const file = path.join(clone, 'package.json');
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace(/"node": ".*"/, '"node": "^99.1.0"'));
    const { status, stderr } = run('scripts/run.mjs', 'setup');
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error: Node \S+ is not supported\. Install one of \^99\.1\.0, then run this again\.\n$/);
  });

  it('says in its last line that the packages could not be installed', () => {
    // An npm that fails as one without network does.
    const tools = path.join(clone, 'tools');
    fs.mkdirSync(tools);
    fs.writeFileSync(path.join(tools, 'npm'), '#!/bin/sh\nexit 7\n', { mode: 0o755 });
    const { status, stderr } = spawnSync(process.execPath, [path.join(clone, 'scripts/run.mjs'), 'setup'], {
      cwd: clone,
      env: { ...process.env, PATH: `${tools}:${process.env.PATH}` },
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error: npm could not install the packages \(exit code 7\)\. Check the network.*\n$/);
  });
});
