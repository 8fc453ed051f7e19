// Behind `npm run setup`, `npm run demo`, `npm start` and `npm test`: brings a bare clone to the point where compiled
// TypeScript can take over. Plain JavaScript without a dependency, because at first there is nothing else.
//   node scripts/run.mjs setup|demo|start|test [arguments]
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const COMPILED = path.join(ROOT, 'dist');
/** What is compiled: the program, and what its web page runs in browsers. */
const CONFIGS = ['tsconfig.build.json', 'serving/page/client/tsconfig.build.json'];
/** What is compiled to WebAssembly. */
const ASSEMBLY = ['preprocessing/pixels/assembly/asconfig.json', 'training/tensorflow/assembly/asconfig.json'];

/** Ends with one line that says what to do. */
function fail(message) {
  process.stderr.write(`error: ${message}\n`);
  process.exit(1);
}

function readJson(file) {
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : null;
}

/** Commands that set up by the way say nothing of parts that are there. */
const QUIET = process.argv[2] !== 'setup';

function report(step, state, startedAt) {
  if (QUIET && state === 'already there') return;
  process.stdout.write(`${step.padEnd(28)} ${state.padEnd(14)} ${((Date.now() - startedAt) / 1000).toFixed(1)} s\n`);
}

function checkNode() {
  const { engines } = readJson(path.join(ROOT, 'package.json'));
  const [major, minor] = process.versions.node.split('.').map(Number);
  const ranges = [...engines.node.matchAll(/\^(\d+)\.(\d+)/g)].map((match) => match.slice(1).map(Number));
  if (!ranges.some(([wantedMajor, wantedMinor]) => major === wantedMajor && minor >= wantedMinor))
    fail(`Node ${process.versions.node} is not supported. Install one of ${engines.node}, then run this again.`);
}

/** Whether all packages of the lock file are installed; optional ones (TensorFlow) only where `full`. */
function packagesAreThere(full) {
  const wanted = readJson(path.join(ROOT, 'package-lock.json')).packages;
  const installed = readJson(path.join(ROOT, 'node_modules', '.package-lock.json'))?.packages;
  if (!installed) return false;
  const optionals = full ? Object.keys(wanted[''].optionalDependencies).map((name) => `node_modules/${name}`) : [];
  return Object.entries(wanted).every(
    ([place, entry]) =>
      place === '' ||
      installed[place]?.version === entry.version ||
      // Parts for other platforms are absent everywhere.
      (!installed[place] && entry.optional && !optionals.includes(place)),
  );
}

function installPackages(full) {
  const startedAt = Date.now();
  if (packagesAreThere(full)) return report('npm packages', 'already there', startedAt);
  const omit = full ? [] : ['--omit=optional'];
  const { status, error } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error', ...omit], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  if (status !== 0)
    fail(
      `npm could not install the packages (${error?.message ?? `exit code ${status}`}). ` +
        'Check the network, the free disk space and the registry of your npm configuration, then run this again.',
    );
  report('npm packages', 'installed', startedAt);
}

/** The newest change of anything that is compiled, in milliseconds. */
function newestSource() {
  const { include } = readJson(path.join(ROOT, 'tsconfig.build.json'));
  const files = ['tsconfig.json', 'serving/page/client/tsconfig.json', ...CONFIGS, ...ASSEMBLY, 'package-lock.json'];
  for (const folder of include.filter((name) => fs.existsSync(path.join(ROOT, name))))
    for (const name of fs.readdirSync(path.join(ROOT, folder), { recursive: true }))
      if (name.endsWith('.ts')) files.push(path.join(folder, name));
  return Math.max(...files.map((file) => fs.statSync(path.join(ROOT, file)).mtimeMs));
}

function compile() {
  const startedAt = Date.now();
  const stamp = path.join(COMPILED, '.compiled');
  if (fs.existsSync(stamp) && fs.statSync(stamp).mtimeMs >= newestSource())
    return report('compiled program', 'already there', startedAt);
  // Types are checked by `npm run typecheck`; here they would ask for TensorFlow's, which serving does without.
  const tsc = path.join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const asc = path.join(ROOT, 'node_modules', 'assemblyscript', 'bin', 'asc.js');
  const compilations = [
    ...CONFIGS.map((config) => [tsc, '-p', config, '--noCheck']),
    ...ASSEMBLY.map((config) => [asc, '--config', config]),
  ];
  for (const args of compilations) {
    const { status } = spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
    if (status !== 0) fail('The program does not compile. Run `npm run typecheck` to see why.');
  }
  fs.writeFileSync(stamp, '');
  fs.utimesSync(stamp, startedAt / 1000, startedAt / 1000);
  report('compiled program', 'made', startedAt);
}

/** The parts that a command needs; `--for` of set-up says it itself. */
function wantedPart(command, args) {
  if (command === 'start') return 'serve';
  if (command !== 'setup') return 'all';
  const index = args.findIndex((arg) => arg === '--for' || arg.startsWith('--for='));
  if (index < 0) return 'all';
  return args[index].includes('=') ? args[index].slice('--for='.length) : args[index + 1];
}

async function main() {
  const [command, ...args] = process.argv.slice(2);
  if (!['setup', 'demo', 'start', 'test'].includes(command)) fail('Say setup, demo, start or test.');
  checkNode();
  const part = wantedPart(command, args);
  installPackages(!['serve', 'preprocess'].includes(part));
  compile();
  const { setUp } = await import(new URL('../dist/scripts/setup/main.js', import.meta.url));
  if (!(await setUp(command === 'setup' ? args : ['--for', part], { quiet: QUIET }))) return;
  if (command === 'test') {
    const { runChecks } = await import(new URL('../dist/scripts/checks.js', import.meta.url));
    await runChecks(args);
  } else if (command !== 'setup') {
    process.argv = [process.argv[0], 'mer', command === 'start' ? 'serve' : command, ...args];
    await import(new URL('../bin/mer.mjs', import.meta.url));
  }
}

await main();
