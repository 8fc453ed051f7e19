import fsp from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { listTree, withCorpus } from './corpus-helpers.js';
import { goldenClip } from './helpers.js';

/** Playlists of a clip that lies elsewhere: ffmpeg, left to itself, would decode it under any of the names. */
const PLAYLISTS = {
  hls: `#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n${goldenClip(2)}\n#EXT-X-ENDLIST\n`,
  dash: `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT5S">
<Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1000"><BaseURL>${goldenClip(2)}</BaseURL>
</Representation></AdaptationSet></Period></MPD>`,
  concat: `ffconcat version 1.0\nfile '${goldenClip(2)}'\n`,
};

const ENDINGS = ['mp4', 'mkv', 'wav'];

describe('a hostile clip in a corpus', () => {
  beforeEach(() => {
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('that is a playlist gives no features, found in a folder or named in a manifest', async () => {
    await withCorpus(async ({ folder, features, write, run }) => {
      const names = Object.keys(PLAYLISTS).flatMap((kind) => ENDINGS.map((ending) => `${kind}_${ending}.${ending}`));
      for (const name of names) await write(`val/hap/${name}`, PLAYLISTS[name.split('_')[0] as keyof typeof PLAYLISTS]);
      await write(
        'lists/manifest.csv',
        `path,label,split\n${names.map((name) => `../val/hap/${name},hap,val\n`).join('')}`,
      );
      for (const corpusDir of [folder, path.join(folder, 'lists')]) {
        const { summary, failures } = await run({ corpusDir });
        expect(summary.splits.val).toMatchObject({ clips: 9, failed: 9 });
        expect(new Set(failures.map(({ code }) => code))).toEqual(new Set(['unsupported_media']));
        expect(await listTree(features)).toEqual(['failures.json', 'summary.json']);
      }
    });
  });

  it('that a manifest names by a protocol of ffmpeg is refused or no file', async () => {
    await withCorpus(async ({ write, run }) => {
      const paths = [
        `file://${goldenClip(2)}`,
        'https://localhost/1.mp4',
        `concat:${goldenClip(2)}`,
        `subfile,,start,0,end,100,,:${goldenClip(2)}`,
      ];
      await write('manifest.jsonl', paths.map((name) => JSON.stringify({ path: name, label: 'hap' })).join('\n'));
      const { failures } = await run();
      expect(failures.map(({ message }) => /field path: .*(it is a URL|is no file)/.test(message))).toEqual(
        paths.map(() => true),
      );
    });
  });

  it('that is given as words says nothing of the file in its message', async () => {
    await withCorpus(async ({ folder, write, run }) => {
      await write('secret', 'top secret');
      await fsp.mkdir(path.join(folder, 'val/hap'), { recursive: true });
      await fsp.copyFile(goldenClip(2), path.join(folder, 'val/hap/1.mp4'));
      await write('manifest.csv', 'path,label,words,split\nval/hap/1.mp4,hap,secret,val\n');
      const { failures } = await run();
      expect(failures).toMatchObject([{ code: 'bad_words' }]);
      expect(JSON.stringify(failures)).not.toContain('top');
    });
  });
});
