import { execFile } from 'node:child_process';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const PORTRAIT = fileURLToPath(new URL('../golden/clips/00002-ang-neu-ang.mp4', import.meta.url));

/** The clips of the scenarios' ordinary requests, cut from a golden one. */
export async function makeClips(folder: string): Promise<{ face: Buffer; sound: Buffer }> {
  const file = (name: string) => path.join(folder, name);
  const ffmpeg = (...args: string[]) => promisify(execFile)('ffmpeg', ['-v', 'error', '-y', '-i', PORTRAIT, ...args]);
  await ffmpeg('-t', '1', '-c', 'copy', '-movflags', '+faststart', file('face.mp4'));
  await ffmpeg('-t', '0.5', '-vn', '-ac', '1', '-ar', '16000', file('sound.wav'));
  return { face: await fsp.readFile(file('face.mp4')), sound: await fsp.readFile(file('sound.wav')) };
}
