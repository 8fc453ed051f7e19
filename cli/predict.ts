import { type Command, Option } from 'commander';
import { MerError } from '../common/errors.js';
import { TTA_MODES, type TtaMode } from '../serving/answer.js';
import type { TimelineOptions } from '../serving/engine/predict-options.js';
import {
  addBatchFlags,
  addEngineFlags,
  type BatchFlags,
  batchOptions,
  bundleFolder,
  type EngineFlags,
  engineOptions,
} from './engine-flags.js';
import { positiveNumber } from './flags.js';
import type { ClipToAnswer, Outcome } from './predict-clips.js';
import type { TimelineFormat } from './predict-timelines.js';
import { addWordFlags, type WordFlags, wordTableOption } from './word-flags.js';

interface PredictFlags extends EngineFlags, BatchFlags, WordFlags {
  words?: string;
  transcript?: string;
  tta: TtaMode;
  timeline?: string;
  timeline_format: TimelineFormat;
  window: number;
  hop?: number;
  json?: true;
  csv?: true;
}

export function addPredictCommand(program: Command): void {
  addWordFlags(addBatchFlags(addEngineFlags(program.command('predict'))))
    .description('Answer clips without a server, with the same engine. Exits with 1 when any of them failed.')
    .argument(
      '<files...>',
      'video or audio files, or folders of them; words beside the clips of a folder (.npz, .json, .txt) are used',
    )
    .option('--words <file>', 'word vectors of the clip (one clip only): .npz with the key word_embed, or JSON')
    .option('--transcript <text>', 'what is said in the clip (one clip only); needs --word_vectors')
    .addOption(new Option('--tta <mode>', 'test-time augmentation of the faces').choices(TTA_MODES).default('none'))
    .option('--timeline <file>', 'write the answers to windows of the clip: FILE.csv or FILE.vtt; a folder for several')
    .addOption(new Option('--timeline_format <format>', 'of a folder').choices(['csv', 'vtt']).default('csv'))
    .option('--window <seconds>', 'length of a window of the timeline', positiveNumber, 2)
    .option('--hop <seconds>', 'from one window to the next (default: half of a window)', positiveNumber)
    .addOption(new Option('--json', 'print the whole answers as JSON').conflicts('csv'))
    .option('--csv', 'print a line of CSV for each clip')
    .action(async (files: string[], flags: PredictFlags) => {
      const { timelineFiles, writeTimelines } = await import('./predict-timelines.js');
      const clips = await clipsOf(files, flags);
      const timelines =
        flags.timeline === undefined ? null : timelineFiles(flags.timeline, clips, flags.timeline_format);
      const outcomes = await answerAll(clips, flags);
      if (timelines !== null) await writeTimelines(outcomes, timelines);
      const { answersCsv, answersTable } = await import('./predict-output.js');
      const print = flags.csv ? answersCsv : answersTable;
      process.stdout.write(`${flags.json ? JSON.stringify(outcomes, null, 2) : print(outcomes)}\n`);
      if (outcomes.some((outcome) => 'error' in outcome)) process.exitCode = 1;
    });
}

async function clipsOf(files: readonly string[], { words, transcript, word_vectors }: PredictFlags) {
  const { listClips } = await import('./predict-clips.js');
  const clips = await listClips(files, word_vectors !== undefined);
  if (words !== undefined && transcript !== undefined) {
    throw new MerError('bad_argument', 'Both --words and --transcript are given.', 'Leave one of them out.');
  }
  if (words === undefined && transcript === undefined) return clips;
  const [clip, ...more] = clips;
  if (more.length > 0) {
    const flag = words === undefined ? '--transcript' : '--words';
    throw new MerError('bad_argument', `${flag} goes with one clip, not with several.`, 'Run once a clip.');
  }
  return [{ clip: clip!.clip, ...(words !== undefined && { words }), ...(transcript !== undefined && { transcript }) }];
}

async function answerAll(clips: readonly ClipToAnswer[], flags: PredictFlags): Promise<Outcome[]> {
  const { predictClips } = await import('./predict-clips.js');
  const { window, hop = window / 2 } = flags;
  const timeline: TimelineOptions | undefined = flags.timeline === undefined ? undefined : { window, hop };
  return predictClips(
    clips,
    await bundleFolder(flags),
    { ...engineOptions(flags), ...batchOptions(flags), ...wordTableOption(flags) },
    { tta: flags.tta, ...(timeline && { timeline }) },
  );
}
