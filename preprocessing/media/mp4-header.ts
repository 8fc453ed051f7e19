import fsp from 'node:fs/promises';
import type { MediaInfo } from './probe.js';

/** Boxes at the top of a file, and bytes of its description, beyond which no guess is made. */
const MAX_TOP_BOXES = 32;
const MAX_DESCRIPTION_BYTES = 2 ** 20;
/** Where the picture's size stands in the description of a video track's samples. */
const SAMPLE_SIZE_OFFSET = 40;

/**
 * What the description of an MP4 or MOV file most likely says, read without ffprobe, which takes as long to start as a
 * short clip takes to decode. Only a guess: ffprobe has the last word, and nothing is refused or taken on its account.
 *
 * @param file sniffed as `mov`
 * @returns null where the description is missing, large, damaged or unusual
 */
export async function guessMp4Info(file: string): Promise<MediaInfo | null> {
  try {
    const description = await readDescription(file);
    return description && guess(description);
  } catch {
    // Offsets that lie point out of the buffer.
    return null;
  }
}

/** The content of the `moov` box. */
async function readDescription(file: string): Promise<Buffer | null> {
  const handle = await fsp.open(file, 'r');
  try {
    const head = Buffer.alloc(16);
    let position = 0;
    for (let box = 0; box < MAX_TOP_BOXES; box++) {
      const { bytesRead } = await handle.read(head, 0, 16, position);
      if (bytesRead < 8) return null;
      const extended = head.readUInt32BE(0) === 1;
      const size = extended ? Number(head.readBigUInt64BE(8)) : head.readUInt32BE(0);
      const start = extended ? 16 : 8;
      if (size < start) return null;
      if (head.toString('latin1', 4, 8) === 'moov') {
        if (size > MAX_DESCRIPTION_BYTES) return null;
        const content = Buffer.alloc(size - start);
        const read = await handle.read(content, 0, content.length, position + start);
        return read.bytesRead === content.length ? content : null;
      }
      position += size;
    }
    return null;
  } finally {
    await handle.close();
  }
}

function guess(moov: Buffer): MediaInfo | null {
  const movie = child(moov, 'mvhd');
  const total = movie && readTime(movie);
  if (!total) return null;
  const tracks = children(moov, 'trak').map((trak) => readTrack(trak, total.scale));
  const audio = tracks.findIndex((track) => track?.kind === 'soun');
  const video = tracks.findIndex((track) => track?.kind === 'vide');
  const [sound, pictures] = [tracks[audio], tracks[video]];
  if (tracks.includes(null)) return null;
  return {
    demuxer: 'mov',
    duration: Math.max(seconds(total), sound?.duration ?? 0, pictures?.duration ?? 0),
    audio: sound ? { index: audio, duration: sound.duration } : null,
    // The decoder is told only whether the pictures come as planes, as they do of most files.
    video: pictures ? { index: video, ...pictures.size, fps: null, matrix: 'bt601' } : null,
  };
}

interface Time {
  ticks: number;
  /** Ticks a second. */
  scale: number;
}

/** Null for a track that is played in parts, or described too briefly. */
function readTrack(trak: Buffer, movieScale: number) {
  const [header, handler] = [child(trak, 'mdia', 'mdhd'), child(trak, 'mdia', 'hdlr')];
  const samples = child(trak, 'mdia', 'minf', 'stbl', 'stsd');
  const time = header && readTime(header);
  if (!time || !handler || !samples) return null;
  const edits = child(trak, 'edts', 'elst');
  const played = edits ? readOnlyEdit(edits) : Number.POSITIVE_INFINITY;
  if (played === null) return null;
  const ticks = Math.min(time.ticks, Math.round((played * time.scale) / movieScale));
  const kind = handler.toString('latin1', 8, 12);
  const size = (at: number) => (kind === 'vide' ? samples.readUInt16BE(at) : 0);
  return {
    kind,
    duration: seconds({ ...time, ticks }),
    size: { width: size(SAMPLE_SIZE_OFFSET), height: size(SAMPLE_SIZE_OFFSET + 2) },
  };
}

/** Length of the one part of a track that is played, in ticks of the movie; null where there are several. */
function readOnlyEdit(edits: Buffer): number | null {
  const long = edits[0] === 1;
  if (edits.readUInt32BE(4) !== 1) return null;
  const start = long ? Number(edits.readBigInt64BE(16)) : edits.readInt32BE(12);
  return start < 0 ? null : long ? Number(edits.readBigUInt64BE(8)) : edits.readUInt32BE(8);
}

/** What a movie or media header states; null for nothing. */
function readTime(header: Buffer): Time | null {
  const long = header[0] === 1;
  const scale = header.readUInt32BE(long ? 20 : 12);
  const ticks = long ? Number(header.readBigUInt64BE(24)) : header.readUInt32BE(16);
  return scale > 0 && ticks > 0 ? { ticks, scale } : null;
}

/** To the microsecond, as ffprobe prints them. */
function seconds({ ticks, scale }: Time): number {
  return Number((ticks / scale).toFixed(6));
}

/** The content of the first box at the end of a path of types. */
function child(parent: Buffer, ...types: string[]): Buffer | null {
  return types.reduce<Buffer | null>((box, type) => box && (children(box, type)[0] ?? null), parent);
}

function children(parent: Buffer, type: string): Buffer[] {
  const found: Buffer[] = [];
  for (let position = 0; position + 8 <= parent.length; ) {
    const size = parent.readUInt32BE(position);
    if (size < 8) break;
    if (parent.toString('latin1', position + 4, position + 8) === type) {
      found.push(parent.subarray(position + 8, position + size));
    }
    position += size;
  }
  return found;
}
