import fsp from 'node:fs/promises';
import path from 'node:path';
import { MerError } from '../../common/errors.js';
import { readJson, writeFileAtomic, writeJsonAtomic } from '../../common/files.js';
import { chartFile, chartSvg, reportMarkdown, tablesMarkdown } from './render.js';
import { SUITES, type SuiteName, type SuiteReport, suiteReportSchema } from './schema.js';
import { reportCharts } from './tables.js';

/**
 * Writes `<suite>.json` and `<suite>-<chart>.svg`, and `report.md` anew over all suites whose JSON lies in the folder,
 * so that suites may be run one by one or on several machines.
 *
 * @throws MerError bad_file naming another suite's JSON that is none
 */
export async function writeReport(folder: string, report: SuiteReport): Promise<void> {
  await writeJsonAtomic(path.join(folder, `${report.suite}.json`), report);
  const charts = reportCharts(report);
  const stale = new RegExp(`^${report.suite}-[a-z0-9-]+\\.svg$`);
  const written = new Set(charts.map(({ name }) => chartFile(report, name)));
  for (const chart of charts) await writeFileAtomic(path.join(folder, chartFile(report, chart.name)), chartSvg(chart));
  for (const file of await fsp.readdir(folder)) {
    if (stale.test(file) && !written.has(file)) await fsp.rm(path.join(folder, file));
  }
  const reports: SuiteReport[] = [];
  for (const suite of SUITES) {
    const file = path.join(folder, `${suite}.json`);
    if (await exists(file)) reports.push(await readJson(file, suiteReportSchema));
  }
  await writeFileAtomic(path.join(folder, 'report.md'), reportMarkdown(reports));
}

/**
 * Reads the report to compare with.
 *
 * @param file of a report, or a folder of them
 * @returns null when the folder has none of this suite
 * @throws MerError not_found, or bad_file also when it is the report of another suite
 */
export async function readOldReport(file: string, suite: SuiteName): Promise<SuiteReport | null> {
  const isFolder = (await fsp.stat(file).catch(() => null))?.isDirectory() ?? false;
  const report = isFolder ? path.join(file, `${suite}.json`) : file;
  if (isFolder && !(await exists(report))) return null;
  const old = await readJson(report, suiteReportSchema);
  if (old.suite === suite) return old;
  throw new MerError(
    'bad_file',
    `${file} is a report of the suite ${old.suite}, not of ${suite}.`,
    'Compare reports of the same suite.',
  );
}

/**
 * Puts the tables of a suite between the two marks `<!-- bench SUITE -->` of a document, or makes the file of them.
 *
 * @throws MerError bad_file when the file is there and has no two such marks, since its text would be lost
 */
export async function writeTables(file: string, report: SuiteReport): Promise<void> {
  const mark = `<!-- bench ${report.suite} -->`;
  const block = `${mark}\n${tablesMarkdown(report)}\n${mark}`;
  const old = await fsp.readFile(file, 'utf8').catch(() => `${mark}${mark}\n`);
  const pieces = old.split(mark);
  if (pieces.length !== 3) {
    throw new MerError('bad_file', `${file} has no two marks ${mark}.`, 'Put them where the tables belong.');
  }
  await writeFileAtomic(file, `${pieces[0]}${block}${pieces[2]}`);
}

async function exists(file: string): Promise<boolean> {
  return fsp.access(file).then(
    () => true,
    () => false,
  );
}
