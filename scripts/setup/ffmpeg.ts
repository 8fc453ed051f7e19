import fs from 'node:fs';
import process from 'node:process';
import { execute, lastLine } from './execute.js';
import { missingPart } from './machine.js';
import type { Step } from './step.js';

/** Decodes the clips. The one on the PATH is used; where set-up may, it installs the distribution's. */
export const ffmpegStep: Step = {
  name: 'ffmpeg',

  async isDone() {
    const found = await Promise.all(['ffmpeg', 'ffprobe'].map((program) => execute(program, ['-version'])));
    return found.every(({ status }) => status === 0);
  },

  async check() {
    if (mayInstall()) return;
    throw missingPart('ffmpeg and ffprobe are not on the PATH.', `Install them (${installCommand()})`);
  },

  async run() {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    for (const args of [['update'], ['install', '--yes', '--no-install-recommends', 'ffmpeg']]) {
      const { status, stderr } = await execute('apt-get', args, { env });
      if (status !== 0)
        throw missingPart(
          `apt-get ${args[0]} failed: ${lastLine(stderr)}`,
          'Check the network and the package sources, or put ffmpeg and ffprobe on the PATH yourself',
        );
    }
  },
};

/** As root on Debian, Ubuntu and their kin. */
function mayInstall(): boolean {
  return process.getuid?.() === 0 && fs.existsSync('/usr/bin/apt-get');
}

/** The one command to type. */
function installCommand(): string {
  if (process.platform === 'darwin') return 'brew install ffmpeg';
  if (process.platform === 'win32') return 'winget install ffmpeg';
  return fs.existsSync('/usr/bin/dnf') ? 'sudo dnf install ffmpeg-free' : 'sudo apt-get install ffmpeg';
}
