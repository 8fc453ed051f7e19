import { type Command, Option } from 'commander';
import { formatTable } from '../common/table.js';
import { classReport } from '../evaluation/report.js';
import type { CheckpointInfo } from '../training/checkpoint.js';
import { compatDefaults } from '../training/compat-defaults.js';
import { FLAG_GROUPS, trainConfigSchema } from '../training/config.js';
import { readTrainConfig } from '../training/parse-config.js';

/** `mer train`: the flags are those of training/config.ts, so that what is printed is what is checked. */
export function addTrainCommand(program: Command): void {
  const command = program
    .command('train')
    .description('Train one of the four networks on features: checkpoints and metrics go to logs/{mode}/{exp_name}.');
  const defaults: Record<string, unknown> = trainConfigSchema.parse({ mode: 'speech' });
  const faithful: Record<string, unknown> = compatDefaults('seed');
  for (const [group, fields] of Object.entries(FLAG_GROUPS)) {
    for (const [name, field] of Object.entries(fields)) {
      // `--amp` and `--amp True` are both understood.
      const value = typeof defaults[name] === 'boolean' ? '[boolean]' : '<value>';
      const preset = name === 'mode' ? undefined : defaults[name];
      const option = new Option(`--${name} ${value}`, describe(field.description, preset, faithful[name]));
      command.addOption(option.helpGroup(`${group}:`));
    }
  }
  const file = 'JSON file with flags by name, or the saved_status.json of a run; the command line wins over it';
  command.addOption(new Option('--config <file>', file).helpGroup('The run:'));
  command.action(async (flags: Record<string, unknown>) => {
    const config = await readTrainConfig(flags);
    const { train } = await import('../training/train.js');
    const interruption = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interruption.abort());
    const { run, epoch, metrics } = await train(config, interruption.signal);
    process.stdout.write(`best checkpoint: epoch ${epoch} of ${run}\n${metricsReport(metrics)}\n`);
  });
}

/** A row for each output, then the classes and the confusion matrix of the integrated one. */
function metricsReport(metrics: CheckpointInfo['metrics']): string {
  const rows = Object.entries(metrics).map(([output, { clips, accuracy, macroF1, weightedF1, nll, ece }]) => [
    output,
    String(clips),
    ...[accuracy, macroF1, weightedF1, nll, ece].map((value) => value?.toFixed(4) ?? ''),
  ]);
  const table = formatTable(['output', 'clips', 'accuracy', 'macro F1', 'weighted F1', 'NLL', 'ECE'], rows);
  const { classes, confusion } = metrics.inte ?? {};
  return classes && confusion ? `${table}\n\n${classReport({ classes, confusion })}` : table;
}

function describe(description = '', preset: unknown, faithful: unknown): string {
  if (preset === undefined) return description;
  const seed = faithful === undefined ? '' : `; with --compat seed: ${String(faithful)}`;
  return `${description} (default: ${String(preset)}${seed})`;
}
