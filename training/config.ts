import { z } from 'zod';
import { compatSchema } from '../common/bundle.js';
import { MerError } from '../common/errors.js';
import { COEFFICIENTS, type ModelSpec, modelSpecSchema, modeSchema } from '../models/spec.js';
import { SEED_WORDS } from '../preprocessing/seed-inputs.js';
import { compatDefaults } from './compat-defaults.js';

/** `True` and `False` as the reference's command line takes them. */
const boolean = z
  .union([z.boolean(), z.string()])
  .refine((value) => typeof value === 'boolean' || /^(true|false)$/i.test(value), 'must be True or False')
  .transform((value) => value === true || String(value).toLowerCase() === 'true');

const number = z.coerce.number();
const integer = number.int();
const probability = number.min(0).max(1);
const coefficient = z.enum(COEFFICIENTS);

/** The flags of `mer train`: names and defaults are the reference's, then come ours. */
export const trainConfigSchema = z.strictObject({
  mode: modeSchema.describe('network to train'),
  exp_name: z
    .string()
    .regex(/^[\w.-]+$/, 'may hold letters, digits, _, - and .')
    .default('baseline')
    .describe('name of the run: results go to logs/{mode}/{exp_name}'),
  learning_rate: number.positive().default(4e-3).describe('peak learning rate'),
  batch_size: integer.positive().default(32).describe('clips a step'),
  n_epoch: integer.positive().default(100).describe('epochs'),
  optim: z.enum(['ranger', 'adamw', 'sgd']).default('ranger').describe('optimizer (sgd: momentum .9, Nesterov)'),
  weight_decay: number.min(0).default(1e-5).describe('weight decay'),
  num_workers: integer.min(0).default(16).describe('clips read ahead of the step at the same time'),
  warmup: number.min(0).default(0).describe('epochs of linear learning-rate warm-up'),
  speech_load_weights: z.string().optional().describe('speech checkpoint (file or run) to start from'),
  face_load_weights: z.string().optional().describe('face checkpoint to start from'),
  text_load_weights: z.string().optional().describe('text checkpoint to start from'),
  speech_coeff: coefficient.default('0').describe('EfficientNet-b{0..7} of the speech network, or tiny'),
  face_coeff: coefficient.default('0').describe('EfficientNet-b{0..7} of the face network, or tiny'),
  freeze_backbone: boolean
    .default(false)
    .describe('keep the EfficientNet (multimodal: everything but the fusion and the heads) as loaded'),
  mixup_prob: probability.default(0).describe('probability of mixup a batch'),
  mixup_alpha: number.min(0).default(0).describe('mixup: lambda ~ Beta(alpha, alpha)'),
  cutmix_prob: probability
    .default(0)
    .describe('probability of cutmix a batch, where mixup did not fire (speech, face)'),
  cutmix_beta: number.min(0).default(0).describe('cutmix: lambda ~ Beta(beta, beta)'),
  label_smoothing: probability.default(0).describe('share of the label spread over the other six classes'),
  lam: number.min(0).default(0).describe('multimodal loss = inte + lam * (speech + face) / 2'),
  eval_step: integer.default(-1).describe('validate every so many steps; -1: once an epoch'),
  amp: boolean.default(false).describe('mixed precision'),
  seed: integer.default(1234).describe('drives every random choice'),
  compat: compatSchema.default('default').describe('default, or seed: faithful to the reference'),
  text_layers: integer.positive().default(12).describe('layers of the text encoder'),
  text_heads: integer.positive().default(8).describe('attention heads of the text encoder'),
  fan: z.enum(['self', 'relation']).default('self').describe('mode of the frame attention'),
  fusion: z.enum(['gated', 'concat']).default('gated').describe('how the multimodal network joins its branches'),
  modality_heads: boolean
    .default(true)
    .describe('multimodal: each modality learns its own logits on its detached feature, whatever --lam is'),
  time_warp: integer.min(0).default(5).describe('largest shift of the time warp of SpecAugment in mel frames; 0: off'),
  modality_dropout: probability.default(0.35).describe('multimodal: probability that a clip loses modalities'),
  ema: z.coerce
    .number()
    .min(0)
    .lt(1)
    .default(0.999)
    .describe('decay of the averaged weights that are validated and saved; 0: off'),
  clip_norm: number.min(0).default(1).describe('limit of the gradient norm; 0: off'),
  features: z.string().default('features').describe('folder that `mer preprocess` wrote'),
  logs: z.string().default('logs').describe('folder of the runs'),
  resume: boolean.default(false).describe('go on after the last whole epoch of this run'),
});

export type TrainConfig = z.infer<typeof trainConfigSchema>;

/** The flags as a user may give them. */
export type TrainFlags = z.input<typeof trainConfigSchema>;

/** Longest sentence that the text network takes; what is beyond is cut. */
const MAX_WORDS = 128;

/**
 * Validates flags and fills in the defaults of the mode (`--compat`). @throws MerError bad_argument naming the flag, also for those that are not there yet
 */
export function parseTrainConfig(flags: Record<string, unknown>): TrainConfig {
  const compat = compatSchema.catch('default').parse(flags.compat);
  const parsed = trainConfigSchema.safeParse({ ...compatDefaults(compat), ...flags });
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new MerError(
      'bad_argument',
      `--${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`,
      'See `mer train --help` for the flags.',
    );
  }
  const config = parsed.data;
  if (config.amp) throw notYet('--amp True', 'Leave it out: training computes in float32.');
  if (config.compat === 'seed') throw notYet('--compat seed', 'Leave it out: the corrected behaviour is the default.');
  return config;
}

function notYet(flag: string, remedy: string): MerError {
  return new MerError('bad_argument', `${flag} is not supported in this version.`, remedy);
}

/** The network that a configuration asks for. The `tiny` face network sees faces of 56 pixels, the others of 224. */
export function modelSpec(config: TrainConfig, wordDim: number): ModelSpec {
  return modelSpecSchema.parse({
    mode: config.mode,
    compat: config.compat,
    speechCoefficient: config.speech_coeff,
    faceCoefficient: config.face_coeff,
    faceSize: config.face_coeff === 'tiny' ? 56 : 224,
    textLayers: config.text_layers,
    textHeads: config.text_heads,
    wordDim,
    maxWords: config.compat === 'seed' ? SEED_WORDS : MAX_WORDS,
    fan: config.fan,
    fusion: config.fusion,
  });
}
