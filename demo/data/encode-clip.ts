import { execFile, spawn } from 'node:child_process';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { promisify } from 'node:util';
import { MerError } from '../../common/errors.js';
import { ffmpegMissing } from '../../preprocessing/media/probe.js';

export const VIDEO_ENCODERS = ['libx264', 'mpeg4'] as const;
export type VideoEncoder = (typeof VIDEO_ENCODERS)[number];

/** H.264, which browsers play, where this ffmpeg can write it; else MPEG-4, which every ffmpeg can. */
export async function findVideoEncoder(): Promise<VideoEncoder> {
  const listed = await promisify(execFile)('ffmpeg', ['-hide_banner', '-encoders']).catch((error: unknown) => {
    throw ffmpegMissing(error);
  });
  return /\blibx264\b/.test(listed.stdout) ? 'libx264' : 'mpeg4';
}

export interface RawClip {
  /** RGBA rows of width * height * 4 bytes a frame. */
  frames: readonly Uint8Array[];
  width: number;
  height: number;
  framesPerSecond: number;
  /** Mono samples within [-1, 1]. */
  samples: Float32Array;
  sampleRate: number;
}

const QUALITY: Record<VideoEncoder, readonly string[]> = {
  libx264: ['-preset', 'ultrafast', '-crf', '20'],
  mpeg4: ['-q:v', '4'],
};

/**
 * Writes an MP4, whole or not at all. The same clip gives the same bytes from the same ffmpeg.
 *
 * @throws MerError internal with ffmpeg's words, or missing_part
 */
export async function encodeClip(file: string, clip: RawClip, encoder: VideoEncoder): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  const rate = String(clip.framesPerSecond);
  const options = [
    ...['-y', '-nostdin', '-v', 'error', '-fflags', '+bitexact'],
    ...['-f', 'rawvideo', '-pix_fmt', 'rgba', '-s', `${clip.width}x${clip.height}`, '-r', rate, '-i', 'pipe:0'],
    ...['-f', 'f32le', '-ar', String(clip.sampleRate), '-ac', '1', '-i', 'pipe:3'],
    ...['-map', '0:v', '-map', '1:a', '-c:v', encoder, ...QUALITY[encoder], '-pix_fmt', 'yuv420p', '-threads', '1'],
    ...['-c:a', 'aac', '-b:a', '64k', '-fflags', '+bitexact', '-flags:v', '+bitexact', '-flags:a', '+bitexact'],
    ...['-movflags', '+faststart', '-f', 'mp4', path.resolve(temporary)],
  ];
  try {
    const child = spawn('ffmpeg', options, { stdio: ['pipe', 'ignore', 'pipe', 'pipe'] });
    const exit = new Promise<number | null>((resolve, reject) => {
      child.on('error', (error) => reject(ffmpegMissing(error)));
      child.on('close', resolve);
    });
    const { stdin, stderr } = child;
    const sound = child.stdio[3];
    if (!stdin || !stderr || !(sound instanceof Writable)) throw new Error('spawn made no pipes');
    let complaint = '';
    stderr.on('data', (chunk: Buffer) => {
      complaint += chunk.toString();
    });
    const { buffer, byteOffset, byteLength } = clip.samples;
    // When ffmpeg stops reading, its exit code and its words say why: the broken pipe itself adds nothing.
    const fed = Promise.allSettled([
      feed(stdin, clip.frames),
      feed(sound, [new Uint8Array(buffer, byteOffset, byteLength)]),
    ]);
    const code = await exit;
    await fed;
    if (code !== 0) {
      throw new MerError(
        'internal',
        `ffmpeg could not write ${file}: ${complaint.trim() || `exit code ${code}`}.`,
        'Check that there is room on the disk, and that this ffmpeg is whole (ffmpeg -version).',
      );
    }
    await fsp.rename(temporary, file);
  } catch (error) {
    await fsp.rm(temporary, { force: true });
    throw error;
  }
}

async function feed(stream: Writable, chunks: readonly Uint8Array[]): Promise<void> {
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  await finished(stream);
}
