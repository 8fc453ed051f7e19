import path from 'node:path';
import { z } from 'zod';
import { type ErrorCode, isErrorCode, MerError } from '../common/errors.js';
import { readJson } from '../common/files.js';
import { FAILURES_FILE } from '../preprocessing/corpus/corpus.js';
import { listClips } from '../preprocessing/corpus/feature-store.js';
import type { ClipRecord } from '../preprocessing/features.js';
import { inNumericOrder, parseFileId, TEST_SETS, type TestSet } from './test-clips.js';

/** One clip of a test set in a folder of features: its record, or why there is none. */
export interface FeatureClip {
  test: TestSet;
  fileId: number;
  name: string;
  found: { record: ClipRecord } | { code: ErrorCode; message: string };
}

const failuresSchema = z.array(z.object({ clip: z.string(), code: z.string(), message: z.string() }));

/**
 * The clips of the challenge's test sets in a folder of features, each set in numeric order, with those that
 * `mer preprocess` could not use.
 *
 * @throws MerError not_found when it has none of them; bad_file naming a clip without an integer FileID, or whose
 *   FileID another clip of its set has as well
 */
export async function listTestFeatures(featuresDir: string): Promise<Map<TestSet, FeatureClip[]>> {
  const records = await listClips(featuresDir, 'test_merc');
  const failures = await readJson(path.join(featuresDir, FAILURES_FILE), failuresSchema).catch((error: unknown) => {
    // Features may have been copied without it.
    if (error instanceof MerError && error.code === 'not_found') return [];
    throw error;
  });
  const sets = new Map<TestSet, FeatureClip[]>();
  for (const test of TEST_SETS) {
    const used = records
      .filter(({ source }) => source === `merc2020/${test}`)
      .map((record): FeatureClip => {
        const name = path.join(featuresDir, 'test_merc', record.stem);
        return { test, fileId: parseFileId(record.fileId, name), name, found: { record } };
      });
    const failed = failures
      .filter(({ clip }) => path.dirname(clip).endsWith(path.join('merc2020', test)))
      .map(({ clip, code, message }): FeatureClip => {
        const fileId = parseFileId(path.parse(clip).name.split('-')[0] ?? '', clip);
        return { test, fileId, name: clip, found: { code: isErrorCode(code) ? code : 'internal', message } };
      });
    if (used.length + failed.length > 0)
      sets.set(
        test,
        inNumericOrder([...used, ...failed], ({ name }) => name),
      );
  }
  if (sets.size > 0) return sets;
  throw new MerError(
    'not_found',
    `${featuresDir} has no clips of merc2020/test1, test2 or test3.`,
    'Run `mer preprocess` for a corpus with these folders, or give the clips with --test1, --test2 and --test3.',
  );
}
