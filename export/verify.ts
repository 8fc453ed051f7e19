import type { Bundle } from '../common/bundle.js';
import { checkFiles, readBundle } from '../common/bundle-files.js';
import { runSelfTest } from './self-test.js';

/** One thing that was looked at. */
export interface Check {
  file: string;
  /** `sha256` of the file, or the `self-test` of the graph in it. */
  kind: 'sha256' | 'self-test';
  passed: boolean;
  /** What was found, in a few words. */
  found: string;
}

/**
 * Checks a bundle without TensorFlow or Python: size and sha256 of every file that bundle.json names, then every graph
 * against the outputs that it gave at export. Graphs are run only where all files are those that were exported.
 *
 * @throws MerError not_found or bad_file when bundle.json cannot be read
 */
export async function verify(directory: string): Promise<{ bundle: Bundle; checks: Check[] }> {
  const bundle = await readBundle(directory);
  const files = await checkFiles(directory, bundle);
  const checks = files.map(
    ({ file, problem }): Check => ({ file, kind: 'sha256', passed: !problem, found: problem ?? 'as it was exported' }),
  );
  if (bundle.selfTest === undefined || checks.some(({ passed }) => !passed)) return { bundle, checks };
  for (const { graph, maxError, tolerance } of await runSelfTest(directory)) {
    const found = `largest difference ${maxError.toExponential(1)}, ${tolerance} allowed`;
    checks.push({ file: `${graph}.onnx`, kind: 'self-test', passed: maxError <= tolerance, found });
  }
  return { bundle, checks };
}
