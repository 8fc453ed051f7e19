import fsp from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeMedia } from '../../preprocessing/media/decode.js';
import { DEFAULT_LIMITS, type MediaLimits } from '../../preprocessing/media/media-limits.js';
import { probeMedia } from '../../preprocessing/media/probe.js';
import { sniffDemuxer } from '../../preprocessing/media/sniff.js';
import { streamFrames } from '../../preprocessing/media/stream-frames.js';
import { inTemporaryFolder } from '../helpers/temporary-folder.js';
import { goldenClip, runFfmpeg } from './helpers.js';

/** Playlists that make ffmpeg, left to itself, decode another local file: here a real clip. */
const PLAYLISTS: readonly [string, string][] = [
  ['HLS', `#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n${goldenClip(2)}\n#EXT-X-ENDLIST\n`],
  ['HLS by a file URL', `#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile://${goldenClip(2)}\n#EXT-X-ENDLIST\n`],
  ['ffconcat', `ffconcat version 1.0\nfile '${goldenClip(2)}'\n`],
  [
    'DASH',
    `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT5S">
<Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1000"><BaseURL>${goldenClip(2)}</BaseURL>
</Representation></AdaptationSet></Period></MPD>`,
  ],
];

/** First bytes that pass the sniffing. */
const DISGUISES: readonly [string, Buffer][] = [
  ['an MP4', Buffer.from('\0\0\0\x10ftypisom\0\0\0\0', 'latin1')],
  ['a WAV', Buffer.from('RIFF\xff\xff\0\0WAVE', 'latin1')],
  ['a Matroska', Buffer.from([0x1a, 0x45, 0xdf, 0xa3, 0x80])],
];

/** Decodes a probed clip under limits that probing has not seen, as a file that lies of itself would have it. */
async function decodeUnder(limits: Partial<MediaLimits>) {
  const info = await probeMedia(goldenClip(2), DEFAULT_LIMITS);
  const options = { framesPerSecond: 5, maxFrames: 50, maxFramePixels: 640 * 360, threads: 1 };
  return decodeMedia(goldenClip(2), info, { ...options, limits: { ...DEFAULT_LIMITS, ...limits } });
}

/** The same, all frames one after the other; the number of them. */
async function streamUnder(limits: Partial<MediaLimits>): Promise<number> {
  const { video, demuxer } = await probeMedia(goldenClip(2), DEFAULT_LIMITS);
  const { frames } = streamFrames(goldenClip(2), video!, demuxer, {
    limits: { ...DEFAULT_LIMITS, ...limits },
    threads: 1,
  });
  let count = 0;
  for await (const _ of frames) count += 1;
  return count;
}

async function probeBytes(bytes: string | Buffer): Promise<unknown> {
  return inTemporaryFolder(async (folder) => {
    const file = path.join(folder, 'upload.mp4');
    await fsp.writeFile(file, bytes);
    return probeMedia(file, DEFAULT_LIMITS);
  });
}

describe('hostile media', () => {
  it.each(PLAYLISTS)('refuses %s that is named .mp4', async (_, text) => {
    await expect(probeBytes(text)).rejects.toMatchObject({ code: 'unsupported_media', status: 415 });
  });

  const disguised = DISGUISES.flatMap(([name, head]) => PLAYLISTS.map(([kind, text]) => ({ kind, name, head, text })));
  it.each(disguised)('reads nothing through $kind behind the first bytes of $name', async ({ head, text }) => {
    const bytes = Buffer.concat([head, Buffer.from(`\n${text}`)]);
    await expect(probeBytes(bytes)).rejects.toMatchObject({ code: 'undecodable_media' });
  });

  it('reads nothing through an MP4 whose samples lie in another file', async () => {
    await inTemporaryFolder(async (folder) => {
      // The data reference says "in this file" (flag 1); without the flag it names a file by its path.
      const clip = await fsp.readFile(goldenClip(2));
      const reference = clip.indexOf('url \0\0\0\x01', 0, 'latin1');
      expect(reference).toBeGreaterThan(0);
      clip.writeUInt32BE(0, reference + 4);
      const file = path.join(folder, 'upload.mp4');
      await fsp.writeFile(file, clip);
      // With references off ffmpeg reads the samples from the file itself.
      await expect(probeMedia(file, DEFAULT_LIMITS)).resolves.toMatchObject({ demuxer: 'mov' });
    });
  });

  it.each([
    ['mov', ['-c', 'copy', '-f', 'mp4']],
    ['mov', ['-c', 'copy', '-f', 'mov']],
    ['matroska', ['-c', 'copy', '-f', 'matroska']],
    ['avi', ['-c:v', 'mpeg4', '-c:a', 'copy', '-f', 'avi']],
    ['flv', ['-c', 'copy', '-f', 'flv']],
    ['wav', ['-vn', '-f', 'wav']],
    ['mp3', ['-vn', '-f', 'mp3']],
    ['mp3', ['-vn', '-id3v2_version', '0', '-write_xing', '0', '-f', 'mp3']],
    ['flac', ['-vn', '-f', 'flac']],
    ['ogg', ['-vn', '-c:a', 'libvorbis', '-f', 'ogg']],
  ])('knows real media of kind %s by its first bytes (%j)', async (demuxer, args) => {
    await inTemporaryFolder(async (folder) => {
      const file = path.join(folder, 'clip');
      await runFfmpeg('-t', '1', '-i', goldenClip(2), ...args, file);
      expect(await probeMedia(file, DEFAULT_LIMITS)).toMatchObject({ demuxer, audio: expect.anything() });
    });
  });

  it('is decoded no further than the longest clip allows, whatever duration it states', async () => {
    const { seconds, frames, pcm } = await decodeUnder({ maxSeconds: 1 });
    expect(seconds).toBeLessThanOrEqual(1.1);
    expect([frames.length, pcm?.length]).toEqual([5, 16000]);
    expect(await streamUnder({ maxSeconds: 1 })).toBeLessThanOrEqual(31);
  });

  it('is too_large when it decodes to more bytes than are taken', async () => {
    // Three frames and a little sound.
    const limits = { maxOutputBytes: 3 * 640 * 360 * 3 + 10_000 };
    await expect(decodeUnder(limits)).rejects.toMatchObject({ code: 'too_large' });
    await expect(streamUnder(limits)).rejects.toMatchObject({ code: 'too_large' });
  });

  it('is timeout when its decoder takes longer than the limit', async () => {
    // No process starts and ends within a millisecond.
    await expect(decodeUnder({ timeoutSeconds: 0.001 })).rejects.toMatchObject({ code: 'timeout' });
    await expect(streamUnder({ timeoutSeconds: 0.001 })).rejects.toMatchObject({ code: 'timeout' });
  });

  it.each([
    ['nothing', ''],
    ['three bytes', 'abc'],
    ['text', 'this is only text, whatever its name says'],
    ['PNG', '\x89PNG\r\n\x1a\n0000IHDR'],
    ['GIF', 'GIF89a000000'],
    ['a WebP picture', 'RIFF\0\0\0\0WEBPVP8 '],
    ['AAC without a container', '\xff\xf1\x50\x80\x04\x3f\xfc\x21'],
    ['an MPEG transport stream', 'G@\0\x10\0\0\xb0\r\0\x01\xc1\0'],
    ['zeros', '\0'.repeat(16)],
  ])('takes %s for no media', (_, text) => {
    expect(sniffDemuxer(Buffer.from(text, 'latin1'))).toBeNull();
  });
});
