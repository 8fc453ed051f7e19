import { type Command, Option } from 'commander';
import { parseTrainConfig, trainConfigSchema } from '../training/config.js';

/** `mer train`: the flags are those of training/config.ts, so that what is printed is what is checked. */
export function addTrainCommand(program: Command): void {
  const command = program.command('train').description('train one of the four networks on features');
  const defaults: Record<string, unknown> = trainConfigSchema.parse({ mode: 'speech' });
  for (const [name, field] of Object.entries(trainConfigSchema.shape)) {
    // `--amp` and `--amp True` are both understood.
    const value = typeof defaults[name] === 'boolean' ? '[boolean]' : '<value>';
    const option = new Option(
      `--${name} ${value}`,
      describe(field.description, name === 'mode' ? undefined : defaults[name]),
    );
    if (name === 'mode') option.makeOptionMandatory();
    command.addOption(option);
  }
  command.action(async (flags: Record<string, unknown>) => {
    const { train } = await import('../training/train.js');
    const config = parseTrainConfig(flags);
    const interruption = new AbortController();
    process.once('SIGINT', () => interruption.abort());
    const { run, epoch, metrics } = await train(config, interruption.signal);
    console.log(`best checkpoint: epoch ${epoch} of ${run}`);
    console.table(
      Object.fromEntries(
        Object.entries(metrics).map(([output, { clips, accuracy, macroF1, nll }]) => [
          output,
          { clips, accuracy: accuracy.toFixed(4), 'macro-F1': macroF1.toFixed(4), loss: nll.toFixed(4) },
        ]),
      ),
    );
  });
}

function describe(description = '', preset: unknown): string {
  return preset === undefined ? description : `${description} (default: ${String(preset)})`;
}
