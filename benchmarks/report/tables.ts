import { regressions } from './compare.js';
import type { Chart, Comparison, Figure, Measured, ReportTable, SuiteReport } from './schema.js';

/** Where and how a suite ran, as lines. */
export function describeRun({ command, date, commit, machine, others, seconds, caveat }: SuiteReport): string[] {
  const busy = others === null ? '' : `; others took ${Math.round(100 * others)} % of the cores meanwhile`;
  const lines = [
    `\`${command}\`, ${date.slice(0, 16).replace('T', ' ')} UTC, commit ${commit ?? 'unknown'}, ${minutes(seconds)}`,
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.system}, Node ${machine.node}${busy}`,
  ];
  return caveat === undefined ? lines : lines.map((line) => `${line} (${caveat})`);
}

/** Every table of a report: what changed, then the ratios to the rival, then the suite's own. */
export function reportTables({ comparison, figures, tables }: SuiteReport): ReportTable[] {
  const rivals = figures.filter(({ rival }) => rival !== undefined);
  return [
    ...(comparison === undefined ? [] : [comparisonTable(comparison)]),
    ...(rivals.length > 0 ? [ratioTable(rivals)] : []),
    ...tables,
  ];
}

/** The charts of a report: the ratios to the rival first. */
export function reportCharts({ figures, charts }: SuiteReport): Chart[] {
  const claimed = figures.flatMap(({ name, ratio }) => (typeof ratio === 'number' ? [{ name, ratio }] : []));
  if (claimed.length === 0) return charts;
  const ratios: Chart = {
    kind: 'bars',
    name: 'ratios',
    title: 'Times better than the rival in the same run',
    xLabel: 'rival / ours; above 1 ours is better',
    series: ['ratio'],
    groups: claimed.map(({ name, ratio }) => ({ name, values: [{ value: ratio }] })),
  };
  return [ratios, ...charts];
}

function ratioTable(figures: readonly Figure[]): ReportTable {
  const range = (measured: Measured) => {
    const { value, low, high } = measured;
    if (low === undefined || high === undefined) return formatNumber(value);
    return `${formatNumber(value)} (${formatNumber(low)}–${formatNumber(high)})`;
  };
  return {
    title: 'Against the rival, in one run',
    header: ['what', 'times better', 'unit', 'ours', 'rival', 'rival is'],
    rows: figures.map((figure) => [
      figure.name,
      typeof figure.ratio === 'number' ? `${figure.ratio.toFixed(2)}x` : '–',
      figure.unit,
      range(figure),
      figure.rival ? range(figure.rival) : '',
      figure.rival?.name ?? '',
    ]),
    notes: ['Medians, with the bounds of the middle half where it was repeated.'],
  };
}

/** What changed since an older report; regressions first. */
function comparisonTable(comparison: Comparison): ReportTable {
  const { old, changes, unmatched, doubt } = comparison;
  const worse = regressions(comparison);
  const order = { worse: 0, better: 1, same: 2 };
  const sorted = [...changes].sort((a, b) => order[a.verdict] - order[b.verdict]);
  const verdict = { same: 'within the spread', better: 'better', worse: doubt === null ? 'REGRESSION' : 'worse' };
  return {
    title: `Against the run of ${old.date.slice(0, 16).replace('T', ' ')} UTC, commit ${old.commit ?? 'unknown'}`,
    header: ['what', 'unit', 'then', 'now', 'change', 'verdict'],
    rows: sorted.map((change) => [
      change.name,
      change.unit,
      formatNumber(change.old),
      formatNumber(change.new),
      `${change.new >= change.old ? '+' : ''}${((100 * (change.new - change.old)) / change.old).toFixed(1)}%`,
      verdict[change.verdict],
    ]),
    notes: [
      doubt === null
        ? `${worse.length} regressions: changes for the worse by more than the middle halves of both runs' repeats.`
        : `No regression is claimed: ${doubt}.`,
      ...(unmatched.length > 0 ? [`In one of the runs only: ${unmatched.join(', ')}.`] : []),
    ],
  };
}

/** Three digits that count; large numbers whole. */
export function formatNumber(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

function minutes(seconds: number): string {
  return seconds < 90 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(1)} minutes`;
}
