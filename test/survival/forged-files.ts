import type { HostileFile, MediaBases } from './media-bases.js';

const HOUR = 3600;

/**
 * Files that nobody makes by accident: playlists that name another file, headers that state what is not there, bombs.
 *
 * @param secret path of a media file on the server's disk, which no answer may come from
 */
export function forgedFiles(secret: string): HostileFile[] {
  const text = (name: string, content: string, attack?: true): HostileFile => ({
    name,
    make: async () => Buffer.from(content),
    ...(attack && { attack }),
  });
  return [
    text('nothing', ''),
    text('one byte', 'f'),
    text('plain text', 'This is not a video.\n'.repeat(100)),
    text('an executable', '\x7fELF\x02\x01\x01\0'.padEnd(4000, '\0')),
    text('a zip', 'PK\x03\x04'.padEnd(4000, 'x')),
    text('a web page', '<html><video src="file:///etc/passwd"></video></html>'),
    text('HLS playlist', `#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile://${secret}\n#EXT-X-ENDLIST\n`, true),
    text('HLS playlist without a scheme', `#EXTM3U\n#EXTINF:5,\n${secret}\n#EXT-X-ENDLIST\n`, true),
    text(
      'HLS playlist with a key from a file',
      `#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="file:///etc/passwd"\n#EXTINF:5,\n${secret}\n#EXT-X-ENDLIST\n`,
      true,
    ),
    text(
      'DASH manifest',
      `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet>` +
        `<Representation id="1" bandwidth="1"><BaseURL>file://${secret}</BaseURL></Representation></AdaptationSet></Period></MPD>`,
      true,
    ),
    text('ffconcat list', `ffconcat version 1.0\nfile '${secret}'\n`, true),
    text('SDP', `v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n`, true),
    text('subtitles that name a file', `1\n00:00:00,000 --> 00:00:01,000\nfile://${secret}\n`, true),
    text('a playlist behind the head of an MP4', `\0\0\0\x18ftypisom\0\0\x02\0isomiso2#EXTM3U\n${secret}\n`, true),
    text('a playlist in an MP4 box', `\0\0\0\x20ftypisom\0\0\x02\0isomiso2\0\0\x10\0mdat#EXTM3U\n${secret}\n`, true),
    text('head of an MP4 alone', '\0\0\0\x18ftypisom\0\0\x02\0isomiso2'),
    text('head of a Matroska file alone', Buffer.from('1a45dfa3', 'hex').toString('latin1')),
    text('boxes in boxes', '\0\0\0\x08moov'.repeat(20_000)),
    text('a box of four exabytes', '\0\0\0\x01mdat\x40\0\0\0\0\0\0\0'.padEnd(1000, 'x')),
    text('ID3 tag of 256 MB', 'ID3\x03\0\0\x7f\x7f\x7f\x7f'.padEnd(2000, '\0')),
    edited('external data reference', 'h264-aac.mp4', (file) => referTo(file, secret)),
    edited('16k x 16k in the sample entry', 'faststart.mp4', (file) => setPictureSize(file, 16_384)),
    edited('64k x 64k in the sample entry', 'faststart.mp4', (file) => setPictureSize(file, 65_535)),
    edited('16k x 16k in the pictures themselves', 'transparent.mov', (file) =>
      setAt(setAt(file, 'IHDR', 4, 16_384), 'IHDR', 8, 16_384),
    ),
    edited('16k x 16k in the track header', 'faststart.mp4', (file) => setTrackSize(file, 16_384)),
    edited('an hour in the headers', 'faststart.mp4', (file) => setDurations(file, HOUR)),
    edited('a day in the headers', 'faststart.mp4', (file) => setDurations(file, 24 * HOUR)),
    edited('no time scale', 'faststart.mp4', (file) => setTimeScale(file, 0)),
    edited('a time scale of two thousand millions', 'faststart.mp4', (file) => setTimeScale(file, 0x7fffffff)),
    edited('a WAV of four gigabytes', 'sound.wav', (file) => setAt(file, 'data', 4, 0xfffffff0)),
    edited('a WAV of no channels', 'sound.wav', (file) => setAt(file, 'fmt ', 10, 0, 2)),
    edited('a WAV of a billion samples a second', 'sound.wav', (file) => setAt(file, 'fmt ', 12, 0xca9a3b)),
    edited('a million samples in the sample table', 'faststart.mp4', (file) => setAt(file, 'stsz', 12, 0x7fffffff)),
    edited('two thousand million chunks', 'faststart.mp4', (file) => setAt(file, 'stco', 8, 0x7fffffff)),
    edited('chunks outside of the file', 'faststart.mp4', (file) => setAt(file, 'stco', 12, 0x7ffffff0)),
  ];
}

function edited(name: string, base: string, edit: (file: Buffer) => Buffer): HostileFile {
  return { name, make: async (bases: MediaBases) => edit(Buffer.from(await bases.get(base))) };
}

/** Positions of a four-letter code. */
function* positions(file: Buffer, code: string): Generator<number> {
  for (let at = file.indexOf(code, 0, 'latin1'); at >= 0; at = file.indexOf(code, at + 4, 'latin1')) yield at;
}

/** Writes a number some bytes behind the start of every occurrence of a code; two bytes big-endian, or four. */
function setAt(file: Buffer, code: string, offset: number, value: number, bytes: 2 | 4 = 4): Buffer {
  for (const at of positions(file, code)) {
    if (at + offset + bytes > file.length) continue;
    if (bytes === 2) file.writeUInt16BE(value, at + offset);
    else file.writeUInt32BE(value, at + offset);
  }
  return file;
}

function setPictureSize(file: Buffer, side: number): Buffer {
  return setAt(setAt(file, 'avc1', 28, side, 2), 'avc1', 30, side, 2);
}

function setTrackSize(file: Buffer, side: number): Buffer {
  return setAt(setAt(file, 'tkhd', 80, side * 65_536), 'tkhd', 84, side * 65_536);
}

/** In version 0 of the boxes: mvhd and mdhd hold time scale and duration, tkhd the duration in the movie's scale. */
function setDurations(file: Buffer, seconds: number): Buffer {
  for (const code of ['mvhd', 'mdhd']) {
    for (const at of positions(file, code)) {
      file.writeUInt32BE(Math.min(0xfffffffe, seconds * file.readUInt32BE(at + 16)), at + 20);
    }
  }
  return setAt(setAt(file, 'tkhd', 24, seconds * 1000), 'elst', 12, seconds * 1000);
}

function setTimeScale(file: Buffer, scale: number): Buffer {
  return setAt(setAt(file, 'mvhd', 16, scale), 'mdhd', 16, scale);
}

/** Says of the media data that they lie in another file (`url ` with a location instead of its self-contained flag). */
function referTo(file: Buffer, target: string): Buffer {
  for (const at of positions(file, 'url ')) {
    const location = Buffer.from(`${target}\0`);
    const box = Buffer.concat([Buffer.alloc(8), Buffer.from([0, 0, 0, 0]), location]);
    box.writeUInt32BE(box.length, 0);
    box.write('url ', 4, 'latin1');
    // Written over what follows: the description is broken behind it, and a reader that follows the reference is seen.
    box.copy(file, at - 4);
  }
  return file;
}
