import { z } from 'zod';
import { compatSchema } from '../common/bundle.js';
import { MerError } from '../common/errors.js';
import { COEFFICIENTS, type ModelSpec, modelSpecSchema, modeSchema } from '../models/spec.js';
import { TEXT_FEATURES } from '../models/text.js';
import { SEED_WORDS } from '../preprocessing/seed-inputs.js';
import { STEM_STARTS } from './weights/origin.js';

/** `True` and `False` as the reference's command line takes them. */
const boolean = z
  .union([z.boolean(), z.string()])
  .refine((value) => typeof value === 'boolean' || /^(true|false)$/i.test(value), 'must be True or False')
  .transform((value) => value === true || String(value).toLowerCase() === 'true');

const numeric = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** A number, or its text as the command line gives it. Empty texts, hexadecimal ones and truth values are none. */
const number = (schema: z.ZodNumber = z.number()) =>
  z.union([z.number(), z.string().regex(numeric).transform(Number)], 'must be a number').pipe(schema);
const integer = (least: number) =>
  number(z.number().int('must be a whole number').min(least, `must be at least ${least}`));
const atLeastZero = number(z.number().min(0, 'must not be negative'));
const probability = number(z.number().min(0, 'must be 0..1').max(1, 'must be 0..1'));
const coefficient = z.union([z.string(), z.number()]).transform(String).pipe(z.enum(COEFFICIENTS));

/**
 * The flags of `mer train` by what they are about: names and defaults are the reference's where it has the flag.
 * Defaults that `--compat seed` changes are in compat-defaults.ts.
 */
export const FLAG_GROUPS = {
  'The run': {
    mode: modeSchema.describe('network to train: speech, face, text or multimodal'),
    exp_name: z
      .string()
      .regex(/^[\w.-]+$/, 'may hold letters, digits, _, - and .')
      .default('baseline')
      .describe('name of the run: results go to logs/{mode}/{exp_name}'),
    compat: compatSchema.default('default').describe('default, or seed: faithful to the reference'),
    seed: number(z.number().int('must be a whole number')).default(1234).describe('drives every random choice'),
    features: z.string().default('features').describe('folder that `mer preprocess` wrote'),
    logs: z.string().default('logs').describe('folder of the runs'),
    resume: boolean.default(false).describe('go on with this run where it last saved itself'),
    save_every_minutes: atLeastZero
      .default(10)
      .describe('save the run this often within an epoch, for --resume; 0: after each epoch only'),
    eval_step: number(z.number().int('must be a whole number'))
      .default(-1)
      .describe('validate every so many steps; -1: once an epoch'),
    num_workers: integer(0)
      .default(16)
      .describe('threads that read and augment batches ahead of the step, at most one a core'),
    amp: boolean
      .default(false)
      .describe('mixed precision: convolutions and matrix products in half on a GPU, in bfloat16 on the processor'),
    micro_batch: z
      .union([z.literal('auto'), integer(1)])
      .default('auto')
      .describe('clips computed at a time, gradients added up; auto: as many as the free memory takes'),
  },
  'The network': {
    speech_coeff: coefficient.default('0').describe('EfficientNet-b{0..7} of the speech network, or tiny'),
    face_coeff: coefficient.default('0').describe('EfficientNet-b{0..7} of the face network, or tiny'),
    text_layers: integer(1).default(12).describe('layers of the text encoder'),
    text_heads: integer(1).default(8).describe('attention heads of the text encoder'),
    fan: z.enum(['self', 'relation']).default('self').describe('mode of the frame attention: self or relation'),
    fusion: z
      .enum(['gated', 'concat'])
      .default('gated')
      .describe('how the multimodal network joins its branches: gated or concat'),
    speech_load_weights: z.string().optional().describe('speech checkpoint (file or run) to start from'),
    face_load_weights: z.string().optional().describe('face checkpoint to start from'),
    text_load_weights: z.string().optional().describe('text checkpoint to start from'),
    backbone_weights: z
      .string()
      .optional()
      .describe('efficientnet_pytorch file (ImageNet) that the EfficientNet starts from, where no checkpoint is given'),
    backbone_stem: z
      .enum(STEM_STARTS)
      .default('average')
      .describe('first filters of the speech EfficientNet then: average of those for red, green and blue, or random'),
    freeze_backbone: boolean
      .default(false)
      .describe('keep the EfficientNet (multimodal: everything but the fusion and the heads) as loaded'),
  },
  Optimisation: {
    n_epoch: integer(1).default(100).describe('epochs'),
    batch_size: integer(1).default(32).describe('clips a step'),
    learning_rate: number(z.number().positive('must be above 0')).default(4e-3).describe('peak learning rate'),
    optim: z
      .enum(['ranger', 'adamw', 'sgd'])
      .default('ranger')
      .describe('optimizer: ranger, adamw or sgd (momentum .9, Nesterov)'),
    weight_decay: atLeastZero.default(1e-5).describe('weight decay'),
    warmup: atLeastZero.default(0).describe('epochs of linear learning-rate warm-up'),
    clip_norm: atLeastZero.default(1).describe('limit of the gradient norm; 0: off'),
    ema: number(z.number().min(0, 'must be in [0, 1)').lt(1, 'must be in [0, 1)'))
      .default(0.999)
      .describe('decay of the averaged weights that are validated and saved; 0: off'),
    select: z
      .enum(['macro_f1', 'loss'])
      .default('macro_f1')
      .describe('what the best checkpoint is best in, on the validation clips: macro_f1 or loss'),
    patience: integer(0).default(20).describe('stop after so many epochs without a better checkpoint; 0: never'),
  },
  'Loss and augmentation': {
    label_smoothing: probability.default(0).describe('share of the label spread over the other six classes'),
    class_weights: z
      .enum(['auto', 'on', 'off'])
      .default('auto')
      .describe('weigh rare classes up: on, off, or auto (when one has over twice as many clips as another)'),
    lam: atLeastZero.default(0).describe('multimodal loss = inte + lam * (speech + face) / 2'),
    modality_heads: boolean
      .default(true)
      .describe('multimodal: each modality learns its own logits on its detached feature, whatever --lam is'),
    modality_dropout: probability.default(0.35).describe('multimodal: probability that a clip loses modalities'),
    mixup_prob: probability.default(0).describe('probability of mixup a batch'),
    mixup_alpha: atLeastZero.default(0).describe('mixup: lambda ~ Beta(alpha, alpha)'),
    cutmix_prob: probability
      .default(0)
      .describe('probability of cutmix a batch, where mixup did not fire (speech, face)'),
    cutmix_beta: atLeastZero.default(0).describe('cutmix: lambda ~ Beta(beta, beta)'),
    time_warp: integer(0).default(5).describe('largest shift of the time warp of SpecAugment in mel frames; 0: off'),
  },
} as const satisfies Record<string, z.ZodRawShape>;

export const trainConfigSchema = z.strictObject({
  ...FLAG_GROUPS['The run'],
  ...FLAG_GROUPS['The network'],
  ...FLAG_GROUPS.Optimisation,
  ...FLAG_GROUPS['Loss and augmentation'],
});

/** The whole configuration of a run: every flag with its value. */
export type TrainConfig = z.infer<typeof trainConfigSchema>;

/** The flags as a user may give them. */
export type TrainFlags = z.input<typeof trainConfigSchema>;

/** Longest sentence that the text network takes; what is beyond is cut. */
const MAX_WORDS = 128;

/**
 * The network that a configuration asks for. The `tiny` face network sees faces of 56 pixels, the others of 224.
 * @throws MerError bad_argument for words of `wordDim` numbers that compat seed cannot read
 */
export function modelSpec(config: TrainConfig, wordDim: number): ModelSpec {
  const readsText = config.mode === 'text' || config.mode === 'multimodal';
  if (readsText && config.compat === 'seed' && wordDim !== TEXT_FEATURES) {
    throw new MerError(
      'bad_argument',
      `The features have word vectors of ${wordDim} numbers; with --compat seed they must have ${TEXT_FEATURES}.`,
      'Train with --compat default, which reads words of any dimension.',
    );
  }
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
