import fsp from 'node:fs/promises';
import { MerError } from '../../common/errors.js';

/** The ffmpeg demuxers that may open an upload. None of them follows references to other files. */
export const DEMUXERS = ['mov', 'matroska', 'avi', 'wav', 'flv', 'mp3', 'ogg', 'flac'] as const;
export type Demuxer = (typeof DEMUXERS)[number];

const MOV_BOXES = new Set(['ftyp', 'moov', 'mdat', 'wide', 'free']);
const HEAD_BYTES = 16;

/**
 * The demuxer that a file's first bytes ask for. ffmpeg is then forced to use this one: left to guess, it would take a
 * playlist (HLS, DASH, ffconcat) under any file name and read whatever local file the playlist points at.
 *
 * @param head the first 12 bytes or more of the file
 * @returns null when the bytes are of no known kind
 */
export function sniffDemuxer(head: Uint8Array): Demuxer | null {
  if (head.length < 4) return null;
  const ascii = (from: number, to: number) => Buffer.from(head.subarray(from, to)).toString('latin1');
  if (MOV_BOXES.has(ascii(4, 8))) return 'mov';
  if (head[0] === 0x1a && head[1] === 0x45 && head[2] === 0xdf && head[3] === 0xa3) return 'matroska';
  if (ascii(0, 4) === 'RIFF') {
    if (ascii(8, 12) === 'AVI ') return 'avi';
    if (ascii(8, 12) === 'WAVE') return 'wav';
    return null;
  }
  if (ascii(0, 4) === 'FLV\x01') return 'flv';
  if (ascii(0, 4) === 'OggS') return 'ogg';
  if (ascii(0, 4) === 'fLaC') return 'flac';
  if (ascii(0, 3) === 'ID3' || isMpegAudioHeader(head[0]!, head[1]!, head[2]!)) return 'mp3';
  return null;
}

/** Sync word of an MPEG audio frame whose version, layer and bit rate are not reserved values. */
function isMpegAudioHeader(first: number, second: number, third: number): boolean {
  const version = (second >> 3) & 3;
  const layer = (second >> 1) & 3;
  return first === 0xff && second >> 5 === 7 && version !== 1 && layer !== 0 && third >> 4 !== 15;
}

/**
 * Sniffs a file on disk.
 *
 * @throws MerError not_found, empty_file or unsupported_media
 */
export async function sniffFile(file: string): Promise<Demuxer> {
  const head = new Uint8Array(HEAD_BYTES);
  let bytesRead: number;
  try {
    const handle = await fsp.open(file, 'r');
    try {
      ({ bytesRead } = await handle.read(head, 0, HEAD_BYTES, 0));
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw new MerError('not_found', `${file} cannot be read.`, 'Check the path.', { cause: error });
  }
  if (bytesRead === 0) throw new MerError('empty_file', 'The clip is an empty file.', 'Send a video or audio file.');
  const demuxer = sniffDemuxer(head.subarray(0, bytesRead));
  if (demuxer === null) {
    throw new MerError(
      'unsupported_media',
      'The clip is of no kind that is accepted.',
      'Send MP4, MOV, WebM, Matroska, AVI, FLV, WAV, MP3, Ogg or FLAC.',
    );
  }
  return demuxer;
}
