import { Command } from 'commander';
import { expect, test } from 'vitest';
import { PLAN } from '../../benchmarks/report/plan.js';
import { SUITES } from '../../benchmarks/report/schema.js';
import { addBenchCommand } from '../../cli/bench.js';

test('`mer bench all` runs every suite there is, with flags that the suite knows, within 35 minutes', () => {
  expect(PLAN.map(({ suite }) => suite)).toEqual([...SUITES]);
  expect(PLAN.reduce((sum, { minutes }) => sum + minutes, 0)).toBeLessThanOrEqual(35);
  const program = new Command();
  addBenchCommand(program);
  const suites = program.commands[0]?.commands ?? [];
  for (const { suite, flags } of PLAN) {
    const command = suites.find((candidate) => candidate.name() === suite);
    const known = command?.options.map(({ long }) => long);
    for (const flag of flags.filter((word) => word.startsWith('--'))) expect(known).toContain(flag);
  }
});
