import fsp from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { inferOutcome } from '../../benchmarks/infer-report.js';
import { compareReports, regressions } from '../../benchmarks/report/compare.js';
import { readOldReport, writeReport, writeTables } from '../../benchmarks/report/files.js';
import type { Figure } from '../../benchmarks/report/schema.js';
import { summarise } from '../../benchmarks/statistics.js';
import { suiteReport } from '../helpers/suite-report.js';
import { inTemporaryFolder } from '../helpers/temporary-folder.js';

const figure = (name: string, value: number, more: Partial<Figure> = {}): Figure => ({
  ...{ name, unit: 's', better: 'lower', value, low: 0.9 * value, high: 1.1 * value },
  ...more,
});

function compare(old: Figure[], recent: Figure[], cpu = 'a processor') {
  const report = suiteReport('infer', { figures: recent });
  return compareReports(suiteReport('infer', { figures: old }), { ...report, machine: { ...report.machine, cpu } });
}

describe('the comparison of two runs', () => {
  test('a change within the spread is none; beyond it the direction decides', () => {
    const { changes } = compare(
      [figure('a', 1), figure('b', 1), figure('c', 1), figure('d', 1, { better: 'higher' })],
      [figure('a', 1.15), figure('b', 1.3), figure('c', 0.7), figure('d', 0.7, { better: 'higher' })],
    );
    expect(changes.map(({ name, verdict }) => `${name} ${verdict}`)).toEqual([
      'a same',
      'b worse',
      'c better',
      'd worse',
    ]);
  });

  test('what was measured once may differ by five per cent', () => {
    const once = { low: undefined, high: undefined };
    const { changes } = compare(
      [figure('a', 100, once), figure('b', 100, once)],
      [figure('a', 104, once), figure('b', 106, once)],
    );
    expect(changes.map(({ verdict }) => verdict)).toEqual(['same', 'worse']);
  });

  test('on a machine that was busy with something else no regression is claimed', () => {
    const [old, recent] = [1, 9].map((value) => suiteReport('infer', { figures: [figure('a', value)] }));
    const comparison = compareReports(old!, { ...recent!, others: 0.3 });
    expect(comparison.doubt).toContain('30 % of the cores');
    expect(regressions(comparison)).toEqual([]);
    expect(regressions(compareReports(old!, recent!))).toHaveLength(1);
  });

  test('on another machine no regression is claimed, and figures of one run only are named', () => {
    const comparison = compare([figure('a', 1), figure('gone', 1)], [figure('a', 9), figure('new', 1)], 'another');
    expect(comparison.doubt).toContain('another');
    expect(regressions(comparison)).toEqual([]);
    expect(comparison.unmatched).toEqual(['gone', 'new']);
  });
});

describe('the report', () => {
  const rival = { rival: { name: 'PyTorch', value: 3, low: 2.9, high: 3.1 }, ratio: 3 };
  const curve = (name: string) => ({
    ...{ kind: 'curves' as const, name, title: 'Clients' },
    panels: [
      {
        title: 'Clients',
        xLabel: 'clients',
        yLabel: 's',
        series: [{ name: 'p50', points: [[1, 2] as [number, number]] }],
      },
    ],
  });

  test('ratios come first, charts are pictures, and suites that ran apart stand in one document', async () => {
    await inTemporaryFolder(async (folder) => {
      const tables = [{ title: 'Own table', header: ['x'], rows: [['1']], notes: [] }];
      await writeReport(
        folder,
        suiteReport('serve', { tables, figures: [figure('clip', 1, rival)], charts: [curve('clients')] }),
      );
      await writeReport(folder, suiteReport('preprocess', { notes: ['A note.'] }));
      const text = await fsp.readFile(path.join(folder, 'report.md'), 'utf8');
      const order = [
        '## preprocess',
        'A note.',
        '## serve',
        '3.00x',
        'serve-ratios.svg',
        'serve-clients.svg',
        'Own table',
      ];
      const places = order.map((part) => text.indexOf(part));
      expect(places).toEqual([...places].sort((a, b) => a - b));
      expect(places[0]).toBeGreaterThan(0);
      for (const file of ['serve-ratios.svg', 'serve-clients.svg']) {
        const { width } = await sharp(path.join(folder, file)).png().metadata();
        expect(width).toBeGreaterThan(300);
      }
      await writeReport(folder, suiteReport('serve', { charts: [curve('length')] }));
      expect((await fsp.readdir(folder)).sort()).toEqual([
        'preprocess.json',
        'report.md',
        'serve-length.svg',
        'serve.json',
      ]);
    });
  });

  test('a ratio that is not claimed shows as none', async () => {
    await inTemporaryFolder(async (folder) => {
      await writeReport(folder, suiteReport('train', { figures: [figure('step', 1, { ...rival, ratio: null })] }));
      expect(await fsp.readFile(path.join(folder, 'report.md'), 'utf8')).not.toMatch(/\dx/);
    });
  });

  test('a report is read again to be compared with; that of another suite is refused', async () => {
    await inTemporaryFolder(async (folder) => {
      const report = suiteReport('infer', { figures: [figure('a', 1)] });
      await writeReport(folder, report);
      expect(await readOldReport(folder, 'infer')).toEqual(report);
      expect(await readOldReport(folder, 'train')).toBeNull();
      await expect(readOldReport(path.join(folder, 'infer.json'), 'train')).rejects.toMatchObject({ code: 'bad_file' });
    });
  });

  test('the tables replace what stands between the marks of a document, and never its other text', async () => {
    await inTemporaryFolder(async (folder) => {
      const file = path.join(folder, 'speed.md');
      const mark = '<!-- bench train -->';
      await fsp.writeFile(file, `# Speed\n${mark}\nold\n${mark}\nThe end.\n`);
      await writeTables(file, suiteReport('train', { notes: ['New.'] }));
      const text = await fsp.readFile(file, 'utf8');
      expect(text).toMatch(/^# Speed\n<!-- bench train -->\n[\s\S]*New\.[\s\S]*<!-- bench train -->\nThe end\.\n$/);
      expect(text).not.toContain('old');
      await fsp.writeFile(file, '# No marks\n');
      await expect(writeTables(file, suiteReport('train', {}))).rejects.toMatchObject({ code: 'bad_file' });
      expect(await fsp.readFile(file, 'utf8')).toBe('# No marks\n');
    });
  });
});

test('the networks of the reference are named by their sizes, with the ratio to PyTorch of the medians', () => {
  const sizes = { network: 'face', clips: 1, frames: 32, words: 38 } as const;
  const pass = { ...sizes, ours: summarise([0.2, 0.3, 0.25]), pytorch: summarise([1, 0.9, 2]) };
  const { figures } = inferOutcome(null, { threads: 2, repeats: 3, cases: [pass] });
  expect(figures).toMatchObject([
    { name: 'reference face, 1 clip of 32 frames', unit: 'ms', value: 250, ratio: 4, rival: { value: 1000 } },
  ]);
});
