import { shellCommand } from '../../common/shell.js';
import { MODES } from '../../models/spec.js';
import { compatDefaults } from '../../training/compat-defaults.js';
import { type TrainConfig, trainConfigSchema } from '../../training/config.js';
import type { ExportOptions } from '../export-options.js';

/**
 * The command line that a run's configuration stands for: `mer train` with every flag that is not at its default.
 * @returns undefined for what is no whole configuration, such as that of imported weights
 */
export function trainCommand(saved: Record<string, unknown>): string | undefined {
  const parsed = trainConfigSchema.safeParse(saved);
  if (!parsed.success) return undefined;
  const config = parsed.data;
  const { mode, compat } = config;
  const defaults = trainConfigSchema.parse({ mode, ...compatDefaults(compat) });
  const first: (keyof TrainConfig)[] = ['mode', 'exp_name'];
  const names = Object.keys(trainConfigSchema.shape) as (keyof TrainConfig)[];
  const changed = names.filter((name) => !first.includes(name) && name !== 'resume' && config[name] !== defaults[name]);
  return shellCommand([
    'mer',
    'train',
    ...[...first, ...changed].flatMap((name) => [`--${name}`, flagValue(config[name])]),
  ]);
}

/** The command line of an export, with every flag that was given. */
export function exportCommand(options: Omit<ExportOptions, 'name'>): string {
  const { run, weights, out, features, without, single, precision, force } = options;
  const flags: Record<string, string | undefined> = { run };
  for (const mode of MODES) flags[`${mode}_weights`] = weights?.[mode];
  Object.assign(flags, { out, features, without: without?.join(',') || undefined });
  const words = Object.entries(flags).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value]));
  if (precision && precision !== 'fp32') words.push('--precision', precision);
  if (single) words.push('--single_file');
  if (force) words.push('--force');
  return shellCommand(['mer', 'export', ...words]);
}

function flagValue(value: TrainConfig[keyof TrainConfig]): string {
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return String(value);
}
