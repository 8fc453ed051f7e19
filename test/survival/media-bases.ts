import { execFile } from 'node:child_process';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const PORTRAIT = fileURLToPath(new URL('../golden/clips/00002-ang-neu-ang.mp4', import.meta.url));
const PORTRAIT_720P = fileURLToPath(new URL('../golden/clips/00001-hap-hap-neu.mp4', import.meta.url));

const SECOND = ['-i', PORTRAIT, '-t', '1'];
const SMALL = [...SECOND, '-vf', 'scale=192:-2'];
const CARD = ['-f', 'lavfi', '-i', 'testsrc2=size=160x120:rate=10:duration=1'];
const TONE = ['-f', 'lavfi', '-i', 'sine=frequency=220:duration=1'];

/** Sound media, by file name: arguments of ffmpeg that make each from a golden clip or from nothing. */
const WHOLE = {
  'h264-aac.mp4': [...SECOND, '-c', 'copy'],
  'faststart.mp4': [...SECOND, '-c', 'copy', '-movflags', '+faststart'],
  'fragmented.mp4': [...SECOND, '-c', 'copy', '-movflags', '+frag_keyframe+empty_moov'],
  '720p.mp4': ['-i', PORTRAIT_720P, '-t', '0.6', '-c', 'copy'],
  'quicktime.mov': [...SMALL, '-c:v', 'mjpeg', '-c:a', 'pcm_s16le'],
  'h264.mkv': [...SECOND, '-c', 'copy'],
  'vp8-vorbis.webm': [...SMALL, '-c:v', 'libvpx', '-deadline', 'realtime', '-c:a', 'libvorbis'],
  'mpeg4-mp3.avi': [...SMALL, '-c:v', 'mpeg4', '-c:a', 'libmp3lame'],
  'flv1-mp3.flv': [...SMALL, '-c:v', 'flv', '-c:a', 'libmp3lame', '-ar', '22050'],
  'theora.ogg': [...SMALL, '-c:v', 'libtheora', '-c:a', 'libvorbis'],
} as const;

const ONE_SIDED = {
  'sound.mp4': [...SECOND, '-vn', '-c:a', 'copy'],
  'sound.wav': [...SECOND, '-vn', '-ar', '16000'],
  'sound.mp3': [...SECOND, '-vn', '-c:a', 'libmp3lame'],
  'sound.flac': [...SECOND, '-vn', '-c:a', 'flac'],
  'sound.ogg': [...SECOND, '-vn', '-c:a', 'libopus'],
  'pictures.mp4': [...SECOND, '-an', '-c', 'copy'],
  'pictures.mkv': [...SECOND, '-an', '-c', 'copy'],
  'pictures.avi': [...SMALL, '-an', '-c:v', 'mpeg4'],
} as const;

/** Whole files of unusual kinds. */
const STRANGE = {
  'ten-bit-444.mkv': [...SMALL, '-c:v', 'ffv1', '-pix_fmt', 'yuv444p10le', '-c:a', 'flac'],
  'transparent.mov': [...CARD, '-c:v', 'png', '-pix_fmt', 'rgba'],
  'one-frame.mp4': [...CARD, '-frames:v', '1', '-c:v', 'mpeg4'],
  'two-pixels.mkv': ['-f', 'lavfi', '-i', 'testsrc2=size=2x2:rate=10:duration=1', '-c:v', 'ffv1'],
  'one-line.mkv': ['-f', 'lavfi', '-i', 'testsrc=size=4096x2:rate=5:duration=1', '-c:v', 'ffv1'],
  'thousand-frames-a-second.mp4': [
    ...['-f', 'lavfi', '-i', 'testsrc2=size=64x64:rate=1000:duration=1'],
    ...['-c:v', 'mpeg4', '-r', '1000'],
  ],
  'rotated.mp4': [...SECOND, '-c', 'copy', '-metadata:s:v', 'rotate=90'],
  'eight-channels.wav': [...TONE, '-ac', '8', '-ar', '96000'],
  'one-sample.wav': [...TONE, '-af', 'atrim=end_sample=1'],
  'silence.flac': ['-f', 'lavfi', '-i', 'anullsrc=r=8000:d=30'],
  'ten-minutes.flac': ['-f', 'lavfi', '-i', 'sine=frequency=220:sample_rate=8000:duration=599', '-c:a', 'flac'],
  'hour.flac': ['-f', 'lavfi', '-i', 'anullsrc=r=8000:d=3600', '-c:a', 'flac'],
  'hour-of-pictures.mkv': ['-f', 'lavfi', '-i', 'color=size=16x16:rate=1/30:duration=3600', '-c:v', 'ffv1'],
  // ffmpeg makes none of 16384 x 16384; forged-files.ts does.
  '16000-by-16000.mov': [
    ...['-f', 'lavfi', '-i', 'color=size=16000x16000:rate=1', '-frames:v', '1'],
    ...['-c:v', 'png', '-pix_fmt', 'monob'],
  ],
  'thirty-streams.mkv': [...TONE, ...Array.from({ length: 30 }, () => ['-map', '0:a']).flat(), '-c:a', 'pcm_s16le'],
  'cover-picture.mp3': [
    ...[...TONE, ...CARD, '-map', '0:a', '-map', '1:v', '-frames:v', '1'],
    ...['-c:v', 'png', '-disposition:v', 'attached_pic'],
  ],
  'subtitles.mkv': [...SECOND, '-i', 'SUBTITLES', '-map', '0', '-map', '1', '-c', 'copy', '-c:s', 'srt'],
  'picture.gif': [...CARD, '-frames:v', '3'],
  'picture.png': [...CARD, '-frames:v', '1'],
} as const;

export const WHOLE_NAMES = Object.keys(WHOLE);
export const ONE_SIDED_NAMES = Object.keys(ONE_SIDED);
export const STRANGE_NAMES = Object.keys(STRANGE);

/** A file to be sent, made when it is its turn. */
export interface HostileFile {
  name: string;
  make(bases: MediaBases): Promise<Buffer>;
  /** It points at another file of the server's, which must not be read for it. */
  attack?: true;
}

/** Makes each of the media when it is first asked for. */
export class MediaBases {
  readonly #folder: string;
  readonly #made = new Map<string, Promise<Buffer>>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  get(name: string): Promise<Buffer> {
    const made = this.#made.get(name) ?? this.#make(name);
    this.#made.set(name, made);
    return made;
  }

  async #make(name: string): Promise<Buffer> {
    const recipes: Readonly<Record<string, readonly string[]>> = { ...WHOLE, ...ONE_SIDED, ...STRANGE };
    const recipe = recipes[name];
    if (recipe === undefined) throw new Error(`There is no recipe for ${name}.`);
    const subtitles = path.join(this.#folder, 'subtitles.srt');
    await fsp.writeFile(subtitles, '1\n00:00:00,000 --> 00:00:01,000\nhappy\n');
    const file = path.join(this.#folder, name);
    const args = recipe.map((arg) => (arg === 'SUBTITLES' ? subtitles : arg));
    await promisify(execFile)('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...args, file]);
    return fsp.readFile(file);
  }
}
