import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { zipSync } from 'fflate';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PROJECT_ROOT, SETUP_DIR } from '../../common/paths.js';

const MAIN = path.join(PROJECT_ROOT, 'scripts', 'setup', 'main.ts');

/** Set-up in a process of its own, in a folder of its own. */
describe('npm run setup', () => {
  let home: string;
  beforeEach(() => {
    home = fs.mkdtempSync(path.join(os.tmpdir(), 'mer-setup-'));
  });
  afterEach(() => fs.rmSync(home, { recursive: true }));

  function setUp(args: string[], env: NodeJS.ProcessEnv = {}) {
    const code = `const { setUp } = await import(${JSON.stringify(MAIN)}); await setUp(${JSON.stringify(args)});`;
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', code],
      { cwd: PROJECT_ROOT, env: { ...process.env, MER_HOME: home, ...env }, encoding: 'utf8' },
    );
    return { status, stdout, stderr };
  }

  /** A PATH on which `python3` is the given shell script, or absent. */
  function pathWithPython(script: string | null): string {
    const folder = path.join(home, 'bin');
    fs.mkdirSync(folder);
    if (script) fs.writeFileSync(path.join(folder, 'python3'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return folder;
  }

  /** The finished Python environment of this checkout, shared with the folder under test. */
  const borrowEnvironment = () => fs.symlinkSync(path.join(SETUP_DIR, 'venv'), path.join(home, 'venv'));

  it('says in one line that there is no Python, and how to bring it', () => {
    const { status, stderr } = setUp(['--for', 'train'], { PATH: pathWithPython(null) });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error: There is no python3\. Install it .*, then run this again\.\n$/);
  });

  it('names the oldest Python that will do', () => {
    const { status, stderr } = setUp(['--for', 'train'], { PATH: pathWithPython('echo 3 8') });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error: python3 is 3\.8, and 3\.9 or later is needed\. .*\n$/);
  });

  it('says that Python lacks the modules for environments', () => {
    const python = 'case "$*" in *ensurepip*) exit 1;; *) echo 3 11;; esac';
    const { status, stderr } = setUp(['--for', 'train'], { PATH: pathWithPython(python) });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error: python3 lacks the modules venv or ensurepip\. .*python3-venv.*\n$/);
  });

  it('misses the C++ compiler before it downloads TensorFlow', () => {
    borrowEnvironment();
    const { status, stderr } = setUp(['--for', 'train'], { CXX: 'no-such-compiler' });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error: There is no C\+\+ compiler \(no-such-compiler\).*g\+\+.*\n$/);
    expect(fs.existsSync(path.join(home, 'downloads'))).toBe(false);
  });

  it('says that the package index cannot be reached', () => {
    borrowEnvironment();
    const { status, stderr } = setUp(['--for', 'preprocess'], {
      PIP_INDEX_URL: 'http://127.0.0.1:9/',
      PIP_FIND_LINKS: '',
      PIP_RETRIES: '0',
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error: Wheels of facenet-pytorch: the Python package index cannot be reached.*\n$/);
  });

  it('refuses a download with another checksum than the pinned one', () => {
    borrowEnvironment();
    const wheel = zipSync({
      'facenet_pytorch-2.6.0.dist-info/METADATA': Buffer.from('Name: facenet-pytorch\nVersion: 2.6.0\n'),
      'facenet_pytorch-2.6.0.dist-info/WHEEL': Buffer.from('Wheel-Version: 1.0\n'),
    });
    fs.writeFileSync(path.join(home, 'facenet_pytorch-2.6.0-py3-none-any.whl'), wheel);
    const { status, stderr } = setUp(['--for', 'preprocess'], { PIP_NO_INDEX: '1', PIP_FIND_LINKS: home });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error: .* a download does not have the checksum that this project pins\..*\n$/);
    expect(fs.existsSync(path.join(home, 'mtcnn'))).toBe(false);
  });

  it('keeps out of the way of another set-up that is at work', () => {
    const other = spawn('sleep', ['600']);
    fs.writeFileSync(path.join(home, 'setup.lock'), String(other.pid));
    const { status, stderr } = setUp(['--for', 'train'], { CXX: 'no-such-compiler' });
    other.kill();
    expect(status).toBe(1);
    expect(stderr).toMatch(`error: Another set-up (process ${other.pid}) is at work.`);
  });

  it('takes over from a set-up that was killed', () => {
    const { pid } = spawnSync('true');
    fs.writeFileSync(path.join(home, 'setup.lock'), String(pid));
    const { stderr } = setUp(['--for', 'train'], { CXX: 'no-such-compiler' });
    expect(stderr).toMatch('There is no C++ compiler');
    expect(fs.existsSync(path.join(home, 'setup.lock'))).toBe(false);
  });

  it('finds everything there on a second run', () => {
    const { status, stdout } = setUp(['--for', 'all'], { MER_HOME: SETUP_DIR });
    expect(status).toBe(0);
    const states = stdout
      .trim()
      .split('\n')
      .map((line) => line.replace(/\s+\d+\.\d s$/, ''));
    expect(states.length).toBeGreaterThanOrEqual(5);
    for (const state of states) expect(state).toMatch(/already there$/);
  });
});
