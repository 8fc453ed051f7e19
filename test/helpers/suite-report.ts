import type { SuiteName, SuiteOutcome, SuiteReport } from '../../benchmarks/report/schema.js';

/** A report of a made-up run. */
export function suiteReport(suite: SuiteName, outcome: Partial<SuiteOutcome>): SuiteReport {
  return {
    format: 1,
    suite,
    command: `mer bench ${suite}`,
    date: '2026-01-02T03:04:05.000Z',
    commit: '0123456789',
    machine: { cpu: 'a processor', cores: 2, node: 'v20', system: 'Linux', memoryGb: 8 },
    others: 0.01,
    seconds: 60,
    ...{ figures: [], notes: [], tables: [], charts: [], details: null },
    ...outcome,
  };
}
