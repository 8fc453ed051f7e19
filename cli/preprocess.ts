import os from 'node:os';
import path from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { compatSchema, type Subject, subjectSchema } from '../common/bundle.js';
import type { CALM_CHOICES, FormatName } from '../preprocessing/corpus/formats/format.js';
import type { SplitMode } from '../preprocessing/corpus/splits.js';
import type { FaceEmbeddingNet } from '../preprocessing/faces/face-embedder.js';
import { MAX_FRAMES } from '../preprocessing/features.js';
import { wholeNumber } from './flags.js';
import { interruptible } from './interruptible.js';
import { addWordFlags, type WordFlags, wordTableOption } from './word-flags.js';

interface PreprocessFlags extends WordFlags {
  corpus: string;
  format: FormatName | 'auto';
  features?: string;
  split?: SplitMode;
  val_share: number;
  test_share: number;
  ravdess_calm: (typeof CALM_CHOICES)[number];
  seed: number;
  max_frames: number;
  subject: Subject;
  face_embeddings?: string;
  workers: number;
  compat: string;
}

export const CORPUS_FORMATS = ['auto', 'merc', 'ravdess', 'cremad', 'meld', 'folders', 'manifest'] as const;

export function addPreprocessCommand(program: Command): void {
  const command = program
    .command('preprocess')
    .description('Turn a corpus of clips into features for training. Goes on where an earlier run stopped.')
    .option('--corpus <dir>', 'folder of the corpus, or the file of a manifest', '.')
    .addOption(
      new Option('--format <name>', 'how the corpus names and labels its clips')
        .choices(CORPUS_FORMATS)
        .default('auto'),
    )
    .option('--features <dir>', 'where the features go (default: features/ in the corpus folder)')
    .addOption(
      new Option(
        '--split <mode>',
        'given: as the corpus says; speaker: nobody is on two sides; random: leaks speakers (default: given, else speaker)',
      ).choices(['given', 'speaker', 'random']),
    )
    .option('--val_share <share>', 'share of the clips for val where the corpus does not say', share, 0.15)
    .option('--test_share <share>', 'share of the clips for test where the corpus does not say', share, 0)
    .addOption(
      new Option('--ravdess_calm <what>', 'RAVDESS: the class of calm clips, or drop')
        .choices(['neu', 'drop'])
        .default('neu'),
    )
    .option('--seed <n>', 'of the split', wholeNumber(0), 1234)
    .option('--max_frames <n>', 'face frames kept of each clip, at most', wholeNumber(1), MAX_FRAMES)
    .addOption(
      new Option('--subject <who>', 'whose face, in compat default: the largest, the one nearest to the centre, or all')
        .choices(subjectSchema.options)
        .default('largest'),
    );
  addWordFlags(command)
    .option('--face_embeddings <file>', 'PyTorch file of an InceptionResnetV1: also embed each kept face')
    .option('--workers <n>', 'child processes', wholeNumber(1), os.availableParallelism())
    .addOption(new Option('--compat <mode>', 'feature mode').choices(compatSchema.options).default('default'))
    .action(preprocess);
}

async function preprocess(flags: PreprocessFlags): Promise<void> {
  const { preprocessCorpus, FAILURES_FILE } = await import('../preprocessing/corpus/corpus.js');
  const { formatSummary } = await import('../preprocessing/corpus/format-summary.js');
  const { seed, val_share: valShare, test_share: testShare } = flags;
  const featuresDir = flags.features ?? path.join(folderOf(flags.corpus), 'features');
  await interruptible('Finishing the clips at work', async (signal) => {
    const faceEmbedding = await openFaceEmbeddingNet(flags.face_embeddings);
    const { summary, failures } = await preprocessCorpus({
      corpusDir: flags.corpus,
      format: flags.format,
      ravdessCalm: flags.ravdess_calm,
      split: { seed, valShare, testShare, ...(flags.split && { mode: flags.split }) },
      featuresDir,
      compat: compatSchema.parse(flags.compat),
      maxFrames: flags.max_frames,
      subject: flags.subject,
      ...wordTableOption(flags),
      ...faceEmbedding,
      workers: flags.workers,
      signal,
    });
    process.stdout.write(`${formatSummary(summary, failures, path.join(featuresDir, FAILURES_FILE))}\n`);
    if (Object.values(summary.splits).every(({ clips, failed }) => failed === clips)) process.exitCode = 1;
  });
}

async function openFaceEmbeddingNet(weights: string | undefined): Promise<{ faceEmbedding?: FaceEmbeddingNet }> {
  if (weights === undefined) return {};
  const { faceEmbeddingNet } = await import('../export/face-embedding-net.js');
  return { faceEmbedding: await faceEmbeddingNet(weights) };
}

/** The folder of a corpus that may be given as the file of its manifest. */
export function folderOf(corpus: string): string {
  return /\.(csv|jsonl)$/i.test(corpus) ? path.dirname(corpus) : corpus;
}

/** A commander parser for shares from 0 to below 1. */
export function share(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value < 1)) {
    throw new InvalidArgumentError('It is not a share, a number from 0 to below 1.');
  }
  return value;
}
