import { execFile } from 'node:child_process';
import fsp from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { z } from 'zod';
import { describeMachine, machineSchema, watchOthers } from '../../benchmarks/machine.js';
import { writeFileAtomic, writeJsonAtomic } from '../../common/files.js';
import { formatMarkdownTable, formatTable } from '../../common/table.js';
import { NO_TELEMETRY } from '../../common/telemetry.js';
import { makeClips } from './make-clips.js';
import { SCENARIOS } from './scenarios.js';

/**
 * Tries to break the server, and reports what came of it:
 *
 *     npx tsx test/survival/run-all.ts [--full] [--only NAME]... [--seed 1] [--bundle DIR] [--json FILE] [--markdown FILE]
 *
 * Without --full the sizes are those of a quick check. It ends with code 1 when a promise was broken.
 */

const reportSchema = z.object({
  date: z.string(),
  machine: machineSchema,
  full: z.boolean(),
  seed: z.number().int(),
  /** Share of the machine that other processes took meanwhile; null where it is not known. */
  othersShare: z.number().nullable(),
  seconds: z.number(),
  scenarios: z.array(
    z.object({
      name: z.string(),
      about: z.string(),
      seconds: z.number(),
      checks: z.array(z.object({ promise: z.string(), found: z.string(), kept: z.boolean() })),
    }),
  ),
});
type Report = z.infer<typeof reportSchema>;

const HEADER = ['scenario', 'promise', 'found', 'kept'];

async function main(): Promise<void> {
  Object.assign(process.env, NO_TELEMETRY);
  const { values } = parseArgs({
    options: {
      full: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      seed: { type: 'string', default: '1' },
      bundle: { type: 'string' },
      json: { type: 'string' },
      markdown: { type: 'string' },
    },
  });
  const unknown = values.only.filter((name) => !SCENARIOS.some((scenario) => scenario.name === name));
  if (unknown.length > 0) {
    throw new Error(`Unknown: ${unknown.join(', ')}. There are: ${SCENARIOS.map(({ name }) => name).join(', ')}.`);
  }
  const folder = await fsp.mkdtemp(path.join(os.tmpdir(), 'mer-survival-'));
  try {
    const report = await runScenarios(folder, values);
    if (values.json !== undefined) await writeJsonAtomic(values.json, report);
    if (values.markdown !== undefined) await writeFileAtomic(values.markdown, markdown(report));
    process.stdout.write(`${describe(report)}\n${formatTable(HEADER, rows(report))}\n`);
    if (report.scenarios.some(({ checks }) => checks.some(({ kept }) => !kept))) process.exitCode = 1;
  } finally {
    await fsp.rm(folder, { recursive: true, force: true });
  }
}

async function runScenarios(
  folder: string,
  { full, only, seed, bundle }: { full: boolean; only: string[]; seed: string; bundle?: string | undefined },
): Promise<Report> {
  const bundleDir = bundle ?? (await makeBundle(path.join(folder, 'tiny')));
  const clips = await makeClips(folder);
  const others = watchOthers();
  const start = performance.now();
  const scenarios: Report['scenarios'] = [];
  for (const { name, about, run } of SCENARIOS) {
    if (only.length > 0 && !only.includes(name)) continue;
    const begin = performance.now();
    const own = path.join(folder, name);
    await fsp.mkdir(own);
    const note = (line: string) => process.stderr.write(`${name}: ${line}\n`);
    note(full ? about : `quick; at full size: ${about}`);
    const checks = await run({ bundleDir, folder: own, ...clips, full, seed: Number(seed), note });
    scenarios.push({ name, about, seconds: (performance.now() - begin) / 1000, checks });
  }
  return reportSchema.parse({
    date: new Date().toISOString(),
    machine: describeMachine(),
    full,
    seed: Number(seed),
    othersShare: others(),
    seconds: (performance.now() - start) / 1000,
    scenarios,
  } satisfies Report);
}

async function makeBundle(folder: string): Promise<string> {
  const script = fileURLToPath(new URL('../helpers/make-tiny-bundle.ts', import.meta.url));
  process.stderr.write('making the tiny bundle\n');
  await promisify(execFile)(process.execPath, ['--import', 'tsx', script, folder, 'lively']);
  return path.join(folder, 'bundle');
}

function describe({ machine, full, seed, othersShare, seconds }: Report): string {
  const busy = othersShare === null ? '' : `; other processes took ${(100 * othersShare).toFixed(0)} % of the machine`;
  return `${full ? 'full size' : 'quick sizes'}, seed ${seed}, ${seconds.toFixed(0)} s; ${machine.cpu}, ${machine.cores} cores, Node ${machine.node}${busy}`;
}

function rows({ scenarios }: Report): string[][] {
  return scenarios.flatMap(({ name, checks }) =>
    checks.map(({ promise, found, kept }) => [name, promise, found.replaceAll('|', '/'), kept ? 'yes' : 'NO']),
  );
}

function markdown(report: Report): string {
  const times = report.scenarios.map(({ name, about, seconds }) => [name, about, seconds.toFixed(0)]);
  return [
    describe(report),
    formatMarkdownTable(HEADER, rows(report)),
    formatMarkdownTable(['scenario', 'at full size', 'seconds'], times),
    '',
  ].join('\n\n');
}

await main();
