import sharp from 'sharp';
import { beforeAll, expect, test } from 'vitest';
import { PREPROCESSING_VERSION } from '../../common/bundle.js';
import { EMOTIONS, type Emotion } from '../../common/labels.js';
import { Random } from '../../common/random.js';
import { evaluate } from '../../evaluation/evaluate.js';
import type { Grouping } from '../../evaluation/groups.js';
import { evaluationPlots, evaluationReport } from '../../evaluation/report.js';
import { saveClipFeatures } from '../../preprocessing/corpus/feature-store.js';
import type { ClipFeatures, Missing } from '../../preprocessing/features.js';
import { Engine } from '../../serving/engine/engine.js';
import { inTemporaryFolder } from '../helpers/temporary-folder.js';
import { tinyBundle } from '../helpers/tiny-bundle.js';

let bundle: string;

beforeAll(async () => {
  bundle = await tinyBundle();
});

const MISSING: Missing = { status: 'missing', reason: 'left out' };

/** Random features of one clip; every third clip has no face and every fourth no words. */
function features(clip: number): ClipFeatures {
  const random = Random.for(clip, 'features');
  const floats = (count: number) => Float32Array.from({ length: count }, () => random.uniform());
  const pixels = Uint8Array.from({ length: 2 * 224 * 224 * 3 }, () => random.integer(256));
  return {
    speech: { status: 'used', data: floats(128 * 60), frames: 60 },
    face: clip % 3 === 0 ? MISSING : { status: 'used', data: pixels, frames: 2, times: [0.1, 0.2] },
    text: clip % 4 === 0 ? MISSING : { status: 'used', data: floats(5 * 24), words: 5, dim: 24 },
    duration: 1,
    span: { start: 0, end: 1 },
  };
}

async function store(
  folder: string,
  clip: number,
  inte: Emotion,
  compat: 'default' | 'seed' = 'default',
  table: string | null = null,
) {
  const stem = `${String(clip).padStart(5, '0')}-${inte}-neu-neu`;
  await saveClipFeatures(
    folder,
    'val',
    features(clip),
    {
      ...{
        version: PREPROCESSING_VERSION,
        compat,
        maxFrames: 32,
        inputs: 'none',
        stem,
        fileId: String(clip),
        source: 'qia2020/val',
      },
      speaker: null,
      labels: { inte, face: 'neu', speech: 'neu' },
    },
    { vocabulary: table === null ? null : { table, outOfVocabulary: 0 } },
  );
}

const run = (featuresDir: string, by?: Grouping) =>
  evaluate({ featuresDir, split: 'val', bundleDir: bundle, device: 'cpu', threads: 1, seed: 1, ...(by && { by }) });

test('every output is measured against the integrated label over the clips that have it', async () => {
  await inTemporaryFolder(async (folder) => {
    const clips = Array.from({ length: 12 }, (_, index) => index + 1);
    const engine = await Engine.create(bundle, { device: 'cpu', threads: 1, workers: 0 });
    const hits = { fused: 0, faceText: 0 };
    for (const clip of clips) {
      const label = EMOTIONS[clip % 7]!;
      await store(folder, clip, label);
      const { scores, subsets } = await engine.predictFeatures(features(clip));
      const says = (values: number[] | undefined) => values && EMOTIONS[values.indexOf(Math.max(...values))];
      if (says(scores) === label) hits.fused += 1;
      if (says(subsets['face+text']) === label) hits.faceText += 1;
    }
    await engine.dispose();
    const evaluation = await run(folder, 'class');
    expect(evaluation.fused.clips).toBe(12);
    expect(evaluation.fused.accuracy).toBeCloseTo(hits.fused / 12, 12);
    expect(evaluation.modalities.face?.clips).toBe(8);
    expect(evaluation.modalities.text?.clips).toBe(9);
    expect(Object.keys(evaluation.subsets)).toHaveLength(7);
    expect(evaluation.subsets['face+text']?.clips).toBe(6);
    expect(evaluation.subsets['face+text']?.accuracy).toBeCloseTo(hits.faceText / 6, 12);
    const { accuracy, intervals } = evaluation.fused;
    expect(intervals.accuracy[0]).toBeLessThanOrEqual(accuracy);
    expect(intervals.accuracy[1]).toBeGreaterThanOrEqual(accuracy);
    expect(evaluation.bootstrap).toEqual({ of: 'clips', count: 12, seed: 1 });
    expect(evaluation.groups?.of.map(({ name }) => name)).toEqual([...EMOTIONS]);
    const report = evaluationReport(evaluation);
    expect(report).toMatch(/fusion of speech\+face\+text +6 /);
    expect(report).toContain('who speaks is not known');
    const plots = evaluationPlots(evaluation);
    expect(Object.keys(plots)).toEqual(['confusion.svg', 'outputs.svg', 'by-class.svg']);
    for (const svg of Object.values(plots)) await sharp(Buffer.from(svg)).png().toBuffer();
  });
});

test('a split without labelled clips is refused', async () => {
  await inTemporaryFolder(async (folder) => {
    await expect(run(folder)).rejects.toMatchObject({ code: 'not_found' });
  });
});

test('features of another mode than the bundle are refused, naming both', async () => {
  await inTemporaryFolder(async (folder) => {
    await store(folder, 1, 'hap', 'seed');
    await expect(run(folder)).rejects.toMatchObject({
      code: 'bad_argument',
      message: expect.stringMatching(/seed.*default/),
    });
  });
});

test('features whose words are of another table than those of the bundle are refused, naming both', async () => {
  await inTemporaryFolder(async (folder) => {
    const table = 'a1'.repeat(32);
    await store(folder, 1, 'hap', 'default', table);
    await expect(run(folder)).rejects.toMatchObject({
      code: 'bad_argument',
      message: expect.stringMatching(
        new RegExp(`sha256 ${table}, those of the bundle tiny are vectors that were given`),
      ),
    });
  });
});
