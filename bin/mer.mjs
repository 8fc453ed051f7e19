#!/usr/bin/env node
// Entry of the `mer` command. Plain JavaScript, so that it can speak before anything is installed or compiled.
import fs from 'node:fs';

const main = new URL('../dist/cli/main.js', import.meta.url);
const missing = [new URL('../node_modules', import.meta.url), main].find((url) => !fs.existsSync(url));
if (missing) {
  const what = missing === main ? 'The project is not compiled.' : 'The npm packages are not installed.';
  process.stderr.write(`error: ${what} Run \`npm run setup\` in the project folder first.\n`);
  process.exitCode = 1;
} else {
  await (await import(main)).main(process.argv);
}
