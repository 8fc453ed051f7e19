import fsp from 'node:fs/promises';
import { z } from 'zod';
import { compatSchema } from '../common/bundle.js';
import { MerError } from '../common/errors.js';
import { suggestion } from '../common/suggest.js';
import { compatDefaults } from './compat-defaults.js';
import { type TrainConfig, trainConfigSchema } from './config.js';

const NAMES = Object.keys(trainConfigSchema.shape);

const objectSchema = z.record(z.string(), z.unknown());
const statusSchema = z.object({ config: objectSchema });

/**
 * The configuration of a run: the flags, over those of the file of `--config`, over the defaults of the mode
 * (`--compat`). The file is JSON with the names of the flags as keys, or the saved_status.json of a run.
 *
 * @param flags of the command line by name; `config` names the file
 * @throws MerError bad_argument naming the flag, or the file and its key; not_found or bad_file for the file
 */
export async function readTrainConfig({ config: file, ...flags }: Record<string, unknown>): Promise<TrainConfig> {
  if (file === undefined) return parseTrainConfig(flags);
  const name = String(file);
  return parseTrainConfig(flags, { name, values: await readConfigFile(name) });
}

/** @throws MerError bad_argument naming the flag, or the file and its key */
export function parseTrainConfig(
  flags: Record<string, unknown>,
  file?: { name: string; values: Record<string, unknown> },
): TrainConfig {
  const given = { ...file?.values, ...flags };
  const compat = compatSchema.catch('default').parse(given.compat);
  const parsed = trainConfigSchema.safeParse({ ...compatDefaults(compat), ...given });
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const name = issue.code === 'unrecognized_keys' ? issue.keys[0]! : String(issue.path[0]);
    const where = name in flags || !file || !(name in file.values) ? `--${name}` : `${file.name}: ${name}`;
    throw new MerError(
      'bad_argument',
      explain(where, name, given[name], issue),
      'See `mer train --help` for the flags.',
    );
  }
  return parsed.data;
}

function explain(where: string, name: string, value: unknown, issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return `${where} is unknown.${suggestion(name, NAMES)}`;
  if (value === undefined) return `${where} is not given.`;
  if (issue.code !== 'invalid_value') return `${where}: ${JSON.stringify(value)} ${issue.message}.`;
  const values = issue.values.map(String);
  return `${where}: ${JSON.stringify(value)} is none of ${values.join(', ')}.${suggestion(String(value), values)}`;
}

/** The values of a configuration file; `resume` is a matter of each start and not taken from a run's status. */
async function readConfigFile(file: string): Promise<Record<string, unknown>> {
  const text = await fsp.readFile(file, 'utf8').catch((error: unknown) => {
    throw new MerError('not_found', `--config ${file} cannot be read.`, 'Check the path.', { cause: error });
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new MerError('bad_file', `${file} is not JSON: ${why}.`, 'Correct it there.', { cause: error });
  }
  const status = statusSchema.safeParse(value);
  if (status.success) {
    const { resume: _, ...config } = status.data.config;
    return config;
  }
  const parsed = objectSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new MerError('bad_file', `${file} is no JSON object.`, 'Write {"name of a flag": value, ...}.');
}
