import type { SuiteName } from './schema.js';

/** One suite of `mer bench all`. */
export interface PlannedSuite {
  suite: SuiteName;
  /** Flags of its own command: fewer repeats where the default takes long. */
  flags: readonly string[];
  /** What it takes on a quiet machine of two cores. */
  minutes: number;
}

/** What `mer bench all` runs, one suite after the other: at most 35 minutes in all. */
export const PLAN: readonly PlannedSuite[] = [
  { suite: 'preprocess', flags: ['--repeats', '3'], minutes: 7 },
  { suite: 'train', flags: ['--repeats', '5'], minutes: 4 },
  { suite: 'export', flags: ['--repeats', '10'], minutes: 6 },
  { suite: 'infer', flags: [], minutes: 4 },
  { suite: 'serve', flags: ['--repeats', '3'], minutes: 9 },
  { suite: 'gpu', flags: [], minutes: 5 },
];
