import type { Command } from 'commander';
import type { SuiteName, SuiteOutcome } from '../benchmarks/report/schema.js';

/** The flags of every suite of `mer bench`. */
export interface ReportFlags {
  out?: string;
  compare?: string;
  markdown?: string;
  json?: true;
}

export function addReportFlags(command: Command): Command {
  return command
    .option('--out <dir>', 'write SUITE.json, its charts, and report.md over all suites that are there')
    .option('--compare <file>', 'an older SUITE.json, or a folder of them: show changes, exit with 1 on a regression')
    .option('--markdown <file>', 'put the tables between the marks `<!-- bench SUITE -->` of this document')
    .option('--json', 'print the report as JSON');
}

/** Runs one suite and reports it as the flags ask. */
export async function reportSuite(
  suite: SuiteName,
  flags: ReportFlags,
  measure: () => Promise<SuiteOutcome>,
): Promise<void> {
  const [{ runSuite }, { compareReports, regressions }, { suiteText }, { readOldReport, writeReport, writeTables }] =
    await Promise.all([
      import('../benchmarks/report/run-suite.js'),
      import('../benchmarks/report/compare.js'),
      import('../benchmarks/report/render.js'),
      import('../benchmarks/report/files.js'),
    ]);
  // Before the long work: a wrong name would be a pity after it.
  const old = flags.compare === undefined ? null : await readOldReport(flags.compare, suite);
  const found = await runSuite(suite, commandLine(), measure);
  const report = old === null ? found : { ...found, comparison: compareReports(old, found) };
  if (flags.out !== undefined) await writeReport(flags.out, report);
  if (flags.markdown !== undefined) await writeTables(flags.markdown, report);
  process.stdout.write(`${flags.json ? JSON.stringify(report, null, 2) : suiteText(report)}\n`);
  if (report.comparison !== undefined && regressions(report.comparison).length > 0) process.exitCode = 1;
}

/** The command as it was typed. */
function commandLine(): string {
  const words = process.argv.slice(2).map((word) => (/[\s"'*$]/.test(word) ? `'${word}'` : word));
  return ['mer', ...words].join(' ');
}
