import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { withCorpus } from '../corpus-helpers.js';

describe('a manifest', () => {
  it('is a table with a header; quoted values may hold commas and line breaks', async () => {
    await withCorpus(async ({ folder, write, list }) => {
      await write(
        'manifest.csv',
        '\ufeffpath,label,face_label,speech_label,transcript,words,speaker,split\r\n' +
          'clips/1.mp4,happy,neu,,"so, ""glad""\nto see you",,kim,train\r\n' +
          'clips/2.wav,ang,,sad,,w/2.npz,lee,dev\r\n' +
          '\r\n' +
          'clips/3.mp4,,,,,,,test\r\n',
      );
      for (const name of ['clips/1.mp4', 'clips/2.wav', 'clips/3.mp4', 'w/2.npz']) await write(name);
      const { format, splitMode, clips, failures } = await list();
      expect([format, splitMode, failures]).toEqual(['manifest', 'given', []]);
      const shared = { source: 'manifest.csv' };
      expect(clips).toEqual([
        {
          ...{ ...shared, split: 'train', stem: 'clips-1', fileId: 'clips-1', clip: path.join(folder, 'clips/1.mp4') },
          ...{ labels: { inte: 'hap', face: 'neu', speech: 'hap' }, speaker: 'kim' },
          transcript: 'so, "glad"\nto see you',
        },
        {
          ...{ ...shared, split: 'val', stem: 'clips-2', fileId: 'clips-2', clip: path.join(folder, 'clips/2.wav') },
          ...{
            labels: { inte: 'ang', face: 'ang', speech: 'sad' },
            speaker: 'lee',
            words: path.join(folder, 'w/2.npz'),
          },
        },
        {
          ...{ ...shared, split: 'test', stem: 'clips-3', fileId: 'clips-3', clip: path.join(folder, 'clips/3.mp4') },
          ...{ labels: null, speaker: null },
        },
      ]);
    });
  });

  it('may be JSON lines, and may be given as a file of any name', async () => {
    await withCorpus(async ({ folder, write, list }) => {
      await write(
        'clips.jsonl',
        '{"path": "1.mp4", "label": "sad", "speaker": 7}\n{"path": "2.mp4", "label": "sur"}\n',
      );
      for (const name of ['1.mp4', '2.mp4']) await write(name);
      const { clips } = await list({ corpusDir: path.join(folder, 'clips.jsonl') });
      expect(clips.map(({ stem, labels, speaker }) => [stem, labels?.inte, speaker])).toEqual([
        ['1', 'sad', '7'],
        ['2', 'sur', null],
      ]);
    });
  });

  it('may name clips outside of its folder', async () => {
    await withCorpus(async ({ folder, write, list }) => {
      await write('clips/1.mp4');
      await write('clips/2.mp4');
      await write('lists/manifest.csv', `path,label\n../clips/1.mp4,hap\n${path.join(folder, 'clips/2.mp4')},hap\n`);
      const { clips } = await list({ corpusDir: path.join(folder, 'lists') });
      expect(clips.map(({ clip }) => path.relative(folder, clip))).toEqual(['clips/1.mp4', 'clips/2.mp4']);
      expect(clips.every(({ stem }) => !stem.includes('/') && !stem.includes('..'))).toBe(true);
    });
  });

  it.each([
    ['label', 'path,label\n1.mp4,joyous\n', '"joyous" is no class'],
    ['label', 'path,label,split\n1.mp4,,train\n', 'only clips without any label in the split test may leave it'],
    ['face_label', 'path,label,face_label\n1.mp4,hap,glad\n', '"glad" is no class'],
    ['split', 'path,label,split\n1.mp4,hap,holdout\n', '"holdout" is no split'],
    ['path', 'path,label\n2.mp4,hap\n', '2.mp4 is no file'],
    ['path', 'path,label\n.,hap\n', '. is no file'],
    ['path', 'path,label\nhttp://localhost/1.mp4,hap\n', 'it is a URL'],
    ['path', 'path,label\nfile:///etc/passwd,hap\n', 'it is a URL'],
    ['words', 'path,label,words\n1.mp4,hap,2.npz\n', '2.npz is no file'],
  ])('reports a wrong %s by file, line and field: %j', async (field, table, why) => {
    await withCorpus(async ({ write, list }) => {
      await write('1.mp4');
      await write('manifest.csv', table);
      const { clips, failures } = await list();
      expect(clips).toEqual([]);
      expect(failures[0]?.message).toContain(`manifest.csv:2: field ${field}: `);
      expect(failures[0]?.message).toContain(why);
    });
  });

  it.each([
    ['manifest.csv', 'path,label\n1.mp4,hap\n2.mp4,"hap\n', /manifest\.csv:3: .*[Qq]uote/],
    ['manifest.csv', 'path,label\n1.mp4\n', /manifest\.csv:2: /],
    ['manifest.csv', 'path,emotion\n1.mp4,hap\n', /manifest\.csv:1: field label: there is no such column/],
    ['manifest.csv', 'path,label,actor\n1.mp4,hap,kim\n', /manifest\.csv:1: field actor: /],
    ['manifest.jsonl', '{"path": "1.mp4", "label": "hap"}\n{"path"\n', /manifest\.jsonl:2: the line is not JSON/],
  ])('is refused with file and line when it cannot be read: %s %j', async (name, table, message) => {
    await withCorpus(async ({ write, list }) => {
      await write('1.mp4');
      await write(name, table);
      await expect(list()).rejects.toMatchObject({ code: 'bad_file', message: expect.stringMatching(message) });
    });
  });

  it('reports an unknown field of a JSON line', async () => {
    await withCorpus(async ({ write, list }) => {
      await write('1.mp4');
      await write('manifest.jsonl', '{"path": "1.mp4", "label": "hap", "actor": "kim"}\n');
      expect((await list()).failures[0]?.message).toMatch(/manifest\.jsonl:1: field actor: /);
    });
  });

  it('refuses the second of two clips of one name, and a split for some clips only', async () => {
    await withCorpus(async ({ write, list }) => {
      await write('1.mp4');
      await write('1.wav');
      await write('manifest.csv', 'path,label\n1.mp4,hap\n1.wav,hap\n');
      expect((await list()).failures).toMatchObject([{ message: expect.stringContaining('is named 1, too') }]);
      await write('manifest.csv', 'path,label,split\n1.mp4,hap,train\n1.wav,hap,\n');
      await expect(list()).rejects.toMatchObject({
        code: 'bad_file',
        message: expect.stringContaining('no split to 1'),
      });
    });
  });
});
