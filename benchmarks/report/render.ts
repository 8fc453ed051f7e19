import { barsSvg } from '../../common/plots/bars.js';
import { curvesSvg } from '../../common/plots/curves.js';
import { formatMarkdownTable, formatTable } from '../../common/table.js';
import { regressions } from './compare.js';
import type { Chart, ReportTable, SuiteReport } from './schema.js';
import { describeRun, reportCharts, reportTables } from './tables.js';

/** Several suites as one Markdown document, which shows the charts of {@link chartFile} beside it. */
export function reportMarkdown(reports: readonly SuiteReport[]): string {
  const sections = reports.map((report) => `## ${report.suite}\n\n${suiteMarkdown(report)}`);
  return `# Benchmarks\n\n${sections.join('\n')}`;
}

/** One suite as Markdown, the charts after its first table. */
function suiteMarkdown(report: SuiteReport): string {
  const charts = reportCharts(report).map(({ name, title }) => `![${title}](${chartFile(report, name)})`);
  const [first, ...rest] = reportTables(report).map(markdownTable);
  const parts = [...describeRun(report), ...report.notes, ...(first ? [first] : []), ...charts, ...rest];
  return `${parts.join('\n\n')}\n`;
}

/** The tables of a suite as Markdown, for a document that has them among its own text. */
export function tablesMarkdown(report: SuiteReport): string {
  return [...describeRun(report), ...report.notes, ...reportTables(report).map(markdownTable)].join('\n\n');
}

/** A suite as text for a terminal; regressions stand once more at the end. */
export function suiteText(report: SuiteReport): string {
  const tables = reportTables(report).map(({ title, header, rows, notes }) =>
    [title, formatTable(header, rows), ...notes].join('\n'),
  );
  const worse = report.comparison === undefined ? [] : regressions(report.comparison);
  const last = worse.map(({ name }) => `REGRESSION: ${report.suite}, ${name}`);
  return [[...describeRun(report), ...report.notes].join('\n'), ...tables, ...last].join('\n\n');
}

/** The name of a chart's SVG file in the folder of the reports. */
export function chartFile({ suite }: Pick<SuiteReport, 'suite'>, name: string): string {
  return `${suite}-${name}.svg`;
}

export function chartSvg(chart: Chart): string {
  return chart.kind === 'curves' ? curvesSvg(chart.panels) : barsSvg(chart);
}

function markdownTable({ title, header, rows, notes }: ReportTable): string {
  return [`### ${title}`, formatMarkdownTable(header, rows), ...notes].join('\n\n');
}
