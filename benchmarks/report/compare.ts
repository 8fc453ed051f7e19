import { MAX_OTHERS_SHARE } from '../machine.js';
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
  return {
    old: { date: old.date, commit: old.commit },
    changes,
    unmatched: [...new Set([...before.keys(), ...after.keys()])].filter((name) => !matched.has(name)),
    doubt: doubtOf(old, recent),
  };
}

/** The changes for the worse; none where the two runs cannot be compared. */
export function regressions({ changes, doubt }: Comparison): Change[] {
  return doubt === null ? changes.filter(({ verdict }) => verdict === 'worse') : [];
}

function doubtOf(old: SuiteReport, recent: SuiteReport): string | null {
  const machine = ({ machine: { cpu, cores } }: SuiteReport) => `${cpu}, ${cores} cores`;
  if (machine(old) !== machine(recent)) return `the machines differ, ${machine(old)} then, ${machine(recent)} now`;
  const busy = [old, recent].find(({ others }) => others !== null && others > MAX_OTHERS_SHARE);
  if (busy === undefined) return null;
  return `others took ${Math.round(100 * busy.others!)} % of the cores in the run of ${busy.date}`;
}

function judge(old: Measured, recent: Figure): Change['verdict'] {
  const repeated = [old, recent].some(({ low, high }) => low !== undefined && high !== undefined);
  const margin = repeated ? 0 : UNREPEATED_TOLERANCE * Math.abs(old.value);
  const [oldLow, oldHigh] = [(old.low ?? old.value) - margin, (old.high ?? old.value) + margin];
  const [low, high] = [recent.low ?? recent.value, recent.high ?? recent.value];
  if (low <= oldHigh && high >= oldLow) return 'same';
  return low > oldHigh === (recent.better === 'higher') ? 'better' : 'worse';
}
