/** Part of `npm run lint`: the import directions of .dependency-cruiser.cjs, over every folder of the project. */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { PROJECT_ROOT } from '../common/paths.js';

const FOLDERS = [
  ...['common', 'models', 'preprocessing', 'training', 'export', 'serving'],
  ...['evaluation', 'pipeline', 'benchmarks', 'cli', 'demo', 'scripts', 'test'],
];

const resultSchema = z.object({
  summary: z.object({
    totalCruised: z.number(),
    violations: z.array(z.object({ from: z.string(), to: z.string(), rule: z.object({ name: z.string() }) })),
  }),
});

const cruiser = path.join(PROJECT_ROOT, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs');
const folders = FOLDERS.filter((folder) => fs.existsSync(path.join(PROJECT_ROOT, folder)));
const output = await new Promise<string>((resolve, reject) => {
  const args = [cruiser, '--config', '.dependency-cruiser.cjs', '--output-type', 'json', ...folders];
  // Its exit code only says what the JSON says as well.
  execFile(process.execPath, args, { cwd: PROJECT_ROOT, maxBuffer: 1 << 28 }, (_error, stdout, stderr) =>
    stdout ? resolve(stdout) : reject(new Error(stderr)),
  );
});
const { totalCruised, violations } = resultSchema.parse(JSON.parse(output)).summary;
for (const { rule, from, to } of violations) process.stderr.write(`${rule.name}: ${from} -> ${to}\n`);
// With an unsuitable TypeScript it looks at nothing and finds nothing wrong.
if (totalCruised === 0) process.stderr.write('dependency-cruiser saw no module at all\n');
if (violations.length > 0 || totalCruised === 0) process.exitCode = 1;
else process.stdout.write(`Imports of ${totalCruised} modules keep to the allowed directions.\n`);
