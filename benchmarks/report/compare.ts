import type { Change, Comparison, Figure, Measured, SuiteReport } from './schema.js';

/** Relative change that counts where neither run repeated a measurement. */
const UNREPEATED_TOLERANCE = 0.05;

/** Compares two reports of one suite. Figures change when they differ by more than their spread. */
export function compareReports(old: SuiteReport, recent: SuiteReport): Comparison {
  const before = new Map(old.figures.map((figure) => [figure.name, figure]));
  const after = new Map(recent.figures.map((figure) => [figure.name, figure]));
  const changes: Change[] = [];
  for (const [name, figure] of after) {
    const earlier = before.get(name);
    if (earlier === undefined || earlier.unit !== figure.unit) continue;
    changes.push({ name, unit: figure.unit, old: earlier.value, new: figure.value, verdict: judge(earlier, figure) });
  }
  const matched = new Set(changes.map(({ name }) => name));
  const machine = ({ machine: { cpu, cores } }: SuiteReport) => `${cpu}, ${cores} cores`;
  return {
    old: { date: old.date, commit: old.commit },
    changes,
    unmatched: [...new Set([...before.keys(), ...after.keys()])].filter((name) => !matched.has(name)),
    doubt: machine(old) === machine(recent) ? null : `${machine(old)} then, ${machine(recent)} now`,
  };
}

/** The changes for the worse; none where the machines differ. */
export function regressions({ changes, doubt }: Comparison): Change[] {
  return doubt === null ? changes.filter(({ verdict }) => verdict === 'worse') : [];
}

function judge(old: Measured, recent: Figure): Change['verdict'] {
  const repeated = [old, recent].some(({ low, high }) => low !== undefined && high !== undefined);
  const margin = repeated ? 0 : UNREPEATED_TOLERANCE * Math.abs(old.value);
  const [oldLow, oldHigh] = [(old.low ?? old.value) - margin, (old.high ?? old.value) + margin];
  const [low, high] = [recent.low ?? recent.value, recent.high ?? recent.value];
  if (low <= oldHigh && high >= oldLow) return 'same';
  return low > oldHigh === (recent.better === 'higher') ? 'better' : 'worse';
}
