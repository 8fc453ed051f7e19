import path from 'node:path';
import { PROJECT_ROOT, SETUP_DIR, VENV_PYTHON } from '../../common/paths.js';
import { execute, lastLine } from './execute.js';
import { missingPart } from './machine.js';

/** The oldest Python that the pinned packages run on. */
const OLDEST = [3, 9] as const;

/** The Python of the machine that the private environment is made with. @throws MerError naming what it lacks */
export async function requirePython(): Promise<string> {
  const program = 'python3';
  const { status, stdout } = await execute(program, ['-c', 'import sys; print(*sys.version_info[:2])']);
  if (status !== 0)
    throw missingPart('There is no python3.', 'Install it (Debian or Ubuntu: apt-get install python3 python3-venv)');
  const [major = 0, minor = 0] = stdout.trim().split(' ').map(Number);
  if (major !== OLDEST[0] || minor < OLDEST[1])
    throw missingPart(`python3 is ${major}.${minor}, and 3.9 or later is needed.`, 'Install a newer Python');
  // Debian splits these two from its Python.
  if ((await execute(program, ['-c', 'import venv, ensurepip'])).status !== 0)
    throw missingPart(
      'python3 lacks the modules venv or ensurepip.',
      'Install them (Debian or Ubuntu: apt-get install python3-venv)',
    );
  return program;
}

/**
 * Runs pip.
 * @param what named in the error
 * @param options.show lets pip draw its progress bar on a terminal
 * @param options.python interpreter of the environment whose pip it is; the private one when absent
 * @throws MerError that tells a wrong checksum, a full disk and a missing network apart
 */
export async function pip(
  args: readonly string[],
  what: string,
  { show = false, python = VENV_PYTHON }: { show?: boolean; python?: string } = {},
): Promise<void> {
  // The user's own index, mirror and certificates stay in force; where pip installs to and from what it builds do not.
  const env: NodeJS.ProcessEnv = { ...process.env, TMPDIR: SETUP_DIR, PIP_DISABLE_PIP_VERSION_CHECK: '1' };
  for (const name of ['PIP_USER', 'PIP_TARGET', 'PIP_PREFIX', 'PIP_NO_BINARY', 'PIP_CONSTRAINT', 'PYTHONPATH'])
    delete env[name];
  const visible = show && process.stderr.isTTY;
  const all = ['-m', 'pip', ...args, '--no-input', ...(visible ? [] : ['--quiet'])];
  const { status, stderr } = await execute(python, all, { env, show: visible });
  if (status === 0) return;
  if (stderr.includes('DO NOT MATCH THE HASHES'))
    throw missingPart(
      `${what}: a download does not have the checksum that this project pins.`,
      'Check the package index of your pip configuration (pip config list)',
    );
  if (stderr.includes('No space left on device'))
    throw missingPart(`${what}: the disk is full.`, 'Free some space or set MER_HOME to a folder on a larger disk');
  if (/from versions: none|Connection|Timeout|Temporary failure/.test(stderr))
    throw missingPart(
      `${what}: the Python package index cannot be reached or lacks them.`,
      'Check the network and the index of your pip configuration (pip config list)',
    );
  const reason = stderr.split('\n').find((line) => line.startsWith('ERROR:')) ?? lastLine(stderr);
  throw missingPart(
    `${what}: pip failed: ${reason.replace('ERROR: ', '')}`,
    'Check the index of your pip configuration (pip config list)',
  );
}

/** Wheels are fetched for this Python, whatever the one of the machine: only their native libraries are used. */
const WHEEL_PYTHON = '3.11';

/** Every tag of a wheel that runs on Linux x64 with glibc 2.28: pip matches tags exactly. */
const WHEEL_PLATFORMS = [
  ...Array.from({ length: 28 - 5 + 1 }, (_, index) => `manylinux_2_${28 - index}_x86_64`),
  ...['manylinux2014_x86_64', 'manylinux2010_x86_64', 'manylinux1_x86_64', 'any'],
];

/**
 * Downloads the wheels of a requirements file of scripts/wheels/ without what they depend on. pip compares each with
 * the checksum in that file.
 * @param folder where they are put; those already there are not fetched again
 */
export async function downloadWheels(requirements: string, folder: string): Promise<void> {
  const tag = `cp${WHEEL_PYTHON.replace('.', '')}`;
  await pip(
    [
      ...['download', '--no-deps', '--only-binary=:all:', '--require-hashes', '--no-cache-dir', '--dest', folder],
      ...['--python-version', WHEEL_PYTHON, '--implementation', 'cp', '--abi', tag, '--abi', 'abi3', '--abi', 'none'],
      ...WHEEL_PLATFORMS.flatMap((platform) => ['--platform', platform]),
      ...['--requirement', path.join(PROJECT_ROOT, 'scripts', 'wheels', requirements)],
    ],
    `Wheels of ${requirements.replace('.txt', '')}`,
    { show: true },
  );
}

/** Unpacks from every wheel of `folder` the entries whose names start with one of `prefixes`, paths kept. */
export async function unpackWheels(folder: string, prefixes: readonly string[], target: string): Promise<void> {
  const script = path.join(PROJECT_ROOT, 'scripts', 'wheels', 'unpack.py');
  const { status, stderr } = await execute(VENV_PYTHON, [script, folder, target, ...prefixes]);
  if (status !== 0)
    throw missingPart(`${folder} cannot be unpacked: ${lastLine(stderr)}`, 'Free some disk space, delete that folder');
}
