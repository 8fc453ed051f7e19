import type { Command } from 'commander';
import { MerError } from '../common/errors.js';
import type { Answer } from '../serving/answer.js';
import { addEngineFlags, bundleFolder, type EngineFlags, engineOptions } from './engine-flags.js';
import { addWordFlags, type WordFlags, wordTableOption } from './word-flags.js';

interface PredictFlags extends EngineFlags, WordFlags {
  words?: string;
  transcript?: string;
  json?: true;
}

type Outcome = { file: string; answer: Answer } | { file: string; error: ReturnType<MerError['toJSON']> };

export function addPredictCommand(program: Command): void {
  addWordFlags(addEngineFlags(program.command('predict')))
    .description('Answer clips without a server, with the same engine. Exits with 1 when any of them failed.')
    .argument('<files...>', 'video or audio files')
    .option('--words <file>', 'word vectors of the clip (one clip only): .npz with the key word_embed, or JSON')
    .option('--transcript <text>', 'what is said in the clip (one clip only); needs --word_vectors')
    .option('--json', 'print the whole answers as JSON')
    .action(async (files: string[], flags: PredictFlags) => {
      const { words, transcript } = flags;
      if ((words ?? transcript) !== undefined && files.length > 1) {
        const flag = words === undefined ? '--transcript' : '--words';
        throw new MerError('bad_argument', `${flag} goes with one clip, not with several.`, 'Run once a clip.');
      }
      if (words !== undefined && transcript !== undefined) {
        throw new MerError('bad_argument', 'Both --words and --transcript are given.', 'Leave one of them out.');
      }
      const outcomes = await predictAll(files, flags);
      process.stdout.write(`${flags.json ? JSON.stringify(outcomes, null, 2) : await table(outcomes)}\n`);
      if (outcomes.some((outcome) => 'error' in outcome)) process.exitCode = 1;
    });
}

async function predictAll(files: readonly string[], flags: PredictFlags): Promise<Outcome[]> {
  const { mapConcurrent } = await import('../common/concurrent.js');
  const { asMerError } = await import('../common/errors.js');
  const { defaultWorkers, Engine } = await import('../serving/engine/engine.js');
  const workers = Math.min(files.length, defaultWorkers());
  const { words, transcript } = flags;
  const said = { ...(words !== undefined && { words }), ...(transcript !== undefined && { transcript }) };
  const engine = await Engine.create(await bundleFolder(flags), {
    ...engineOptions(flags),
    ...wordTableOption(flags),
    workers,
  });
  try {
    return await mapConcurrent(files, workers + 1, async (file): Promise<Outcome> => {
      try {
        return { file, answer: await engine.predict({ clip: file, ...said }) };
      } catch (error) {
        return { file, error: asMerError(error).toJSON() };
      }
    });
  } finally {
    await engine.dispose();
  }
}

/** A row for each clip that was answered, then what is worth saying of single clips. */
async function table(outcomes: readonly Outcome[]): Promise<string> {
  const { formatTable } = await import('../common/table.js');
  const rows: string[][] = [];
  const remarks: string[] = [];
  for (const outcome of outcomes) {
    if ('error' in outcome) {
      const { code, message, remedy } = outcome.error;
      rows.push([outcome.file, `error: ${code}`, '', '', '', '', '']);
      remarks.push(`${outcome.file}: ${message} ${remedy}`);
      continue;
    }
    const { file, answer } = outcome;
    const cell = (name: keyof Answer['modalities']): string => {
      const modality = answer.modalities[name];
      if (modality.status === 'used') return `${modality.emotion} ${modality.scores[modality.emotion].toFixed(2)}`;
      remarks.push(`${file}: ${name} ${modality.status}: ${modality.reason}.`);
      return modality.status;
    };
    rows.push([
      file,
      answer.emotion,
      answer.confidence.toFixed(2),
      cell('face'),
      cell('speech'),
      cell('text'),
      answer.timings.total.toFixed(2),
    ]);
    remarks.push(...(answer.warnings ?? []).map((warning) => `${file}: ${warning}`));
  }
  const text = formatTable(['file', 'emotion', 'confidence', 'face', 'speech', 'text', 'seconds'], rows);
  return [text, ...remarks].join('\n');
}
