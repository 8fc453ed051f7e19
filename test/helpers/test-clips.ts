import { execFile } from 'node:child_process';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { madeOnce } from './made-once.js';

const PORTRAIT = fileURLToPath(new URL('../golden/clips/00002-ang-neu-ang.mp4', import.meta.url));

/** Short clips of one kind each, by path. */
export interface TestClips {
  /** Two seconds of a speaking face. */
  whole: string;
  /** The same five times over, longer than one window. */
  long: string;
  /** The same pictures without sound. */
  soundless: string;
  /** The same sound without pictures. */
  pictureless: string;
  /** A test card with a tone. */
  faceless: string;
  /** A test card without sound: nothing to score. */
  nothing: string;
  /** An MP4 file that ends in the middle of its media data. */
  truncated: string;
  /** A text file that calls itself .mp4. */
  text: string;
  empty: string;
}

/** Makes the clips with ffmpeg. */
export async function testClips(): Promise<TestClips> {
  const folder = await madeOnce('clips', async (directory) => {
    const file = (name: string) => path.join(directory, name);
    const ffmpeg = (...args: string[]) => promisify(execFile)('ffmpeg', ['-v', 'error', '-y', ...args]);
    const card = ['-f', 'lavfi', '-i', 'testsrc2=size=320x240:rate=15:duration=1.5'];
    const tone = ['-f', 'lavfi', '-i', 'sine=frequency=220:duration=1.5'];
    await ffmpeg('-i', PORTRAIT, '-t', '2', '-c', 'copy', '-movflags', '+faststart', file('whole.mp4'));
    await ffmpeg('-stream_loop', '4', '-i', file('whole.mp4'), '-c', 'copy', file('long.mp4'));
    await ffmpeg('-i', file('whole.mp4'), '-an', '-c', 'copy', file('soundless.mp4'));
    await ffmpeg('-i', file('whole.mp4'), '-vn', '-c', 'copy', file('pictureless.mp4'));
    await ffmpeg(...card, ...tone, '-c:v', 'mpeg4', '-c:a', 'aac', '-shortest', file('faceless.mp4'));
    await ffmpeg(...card, '-c:v', 'mpeg4', file('nothing.mp4'));
    const whole = await fsp.readFile(file('whole.mp4'));
    await fsp.writeFile(file('truncated.mp4'), whole.subarray(0, Math.floor(whole.length / 4)));
    await fsp.writeFile(file('text.mp4'), 'This is not a video.\n'.repeat(100));
    await fsp.writeFile(file('empty.mp4'), '');
  });
  const clip = (name: string) => path.join(folder, `${name}.mp4`);
  return {
    whole: clip('whole'),
    long: clip('long'),
    soundless: clip('soundless'),
    pictureless: clip('pictureless'),
    faceless: clip('faceless'),
    nothing: clip('nothing'),
    truncated: clip('truncated'),
    text: clip('text'),
    empty: clip('empty'),
  };
}
