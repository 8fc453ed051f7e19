import { z } from 'zod';
import { EMOTIONS, MODALITIES } from './labels.js';

/** Raised when the meaning of the features changes: features, checkpoints and bundles of different versions do not mix. */
export const PREPROCESSING_VERSION = 2;

export const compatSchema = z.enum(['default', 'seed']);
export type Compat = z.infer<typeof compatSchema>;

/** Whose face counts where there are several: the largest, the one nearest to the picture's centre, or everybody's. */
export const subjectSchema = z.enum(['largest', 'center', 'all']);
export type Subject = z.infer<typeof subjectSchema>;

export const precisionSchema = z.enum(['fp32', 'fp16', 'int8']);
export type Precision = z.infer<typeof precisionSchema>;

const fileSchema = z.object({ file: z.string(), sha256: z.string().length(64), bytes: z.number().int().positive() });

const classScoresSchema = z.object({
  clips: z.number().int(),
  precision: z.number(),
  recall: z.number(),
  f1: z.number(),
});

/**
 * Validation metrics of one output, as checkpoints and bundles keep them: those of common/metrics.ts. What is optional
 * is not in the first files of this format.
 */
export const metricsSchema = z.object({
  clips: z.number().int(),
  accuracy: z.number(),
  macroF1: z.number(),
  nll: z.number(),
  weightedF1: z.number().optional(),
  ece: z.number().optional(),
  classes: z.record(z.enum(EMOTIONS), classScoresSchema).optional(),
  confusion: z.array(z.array(z.number().int())).optional(),
});

/**
 * Temperatures by which logits are divided before the softmax, so that probabilities are as often right as they say
 * (Guo et al. 2017, arXiv 1706.04599). What has none has temperature 1.
 */
const calibrationSchema = z.object({
  /** Of the integrated logits, by the name of the set of modalities that went in, such as `speech+text`. */
  subsets: z.record(z.string(), z.number().positive()),
  /** Of each modality's own logits. */
  heads: z.partialRecord(z.enum(MODALITIES), z.number().positive()),
});

export type Calibration = z.infer<typeof calibrationSchema>;

const valueSchema = z.object({
  name: z.string(),
  type: z.string(),
  /** A name for an open dimension. */
  shape: z.array(z.union([z.number().int(), z.string()])),
});

const graphSchema = z.object({
  opset: z.number().int(),
  inputs: z.array(valueSchema),
  outputs: z.array(valueSchema),
  /** How often each operator occurs. */
  operators: z.record(z.string(), z.number().int()),
  /** Floating-point constants of the float32 graph. */
  parameters: z.number().int(),
  /** Multiplications with accumulation of one run of the float32 graph, at the sizes of the inventory. */
  macs: z.number().int(),
});

/** What the graphs consist of, for `mer inspect`. */
export const inventorySchema = z.object({
  /** Of the open dimensions, by name, for the MACs: one clip of full size. */
  sizes: z.record(z.string(), z.number().int()),
  /** By the name of the file without its ending. */
  graphs: z.record(z.string(), graphSchema),
});

export type Inventory = z.infer<typeof inventorySchema>;

/** What a variant of lower precision costs and saves against the float32 export of the same weights. */
export const variantSchema = z.object({
  /** Largest |difference| / max(1, |logit|) of any logit, over the inputs of the parity gate and the validation clips. */
  maxError: z.number(),
  /** Validation clips, and the share of them that get the same emotion; null where there were none to compare on. */
  agreement: z.object({ clips: z.number().int(), share: z.number().min(0).max(1) }).nullable(),
  /** Of all ONNX files of the networks together. */
  bytes: z.object({ fp32: z.number().int(), variant: z.number().int() }),
  /** CPU seconds for one clip of full size, medians of turns taken in alternation, on this many threads. */
  seconds: z.object({ fp32: z.number(), variant: z.number(), threads: z.number().int() }),
});

export type Variant = z.infer<typeof variantSchema>;

/**
 * bundle.json: all that serving needs to know of a bundle. The files beside it are
 * speech.onnx, face.onnx, text.onnx, multimodal.onnx, pnet.onnx, rnet.onnx, onet.onnx and MODEL_CARD.md.
 *
 * Inputs and outputs of the graphs (B clips, F frames, W words; lengths count real items, padding is at the end):
 *   speech.onnx      log_mel float32 (B, 1, 128, 400), lengths int32 (B)      -> feature, logits (B, 7), attention (B, T)
 *   face.onnx        frames uint8 (B, F, size, size, 3) RGB, lengths int32 (B), gain float32 (1)
 *                                                                             -> feature, logits, attention (B, F)
 *   text.onnx        words float32 (B, W, dim), lengths int32 (B)             -> feature, logits, attention (B, W)
 *   multimodal.onnx  speech, face, text float32 (B, features), presence float32 (B, 3) -> logits (B, 7)
 * `gain` is a factor on the pixels after their normalisation, for test-time augmentation; 1 in ordinary use.
 * `attention` is each step's share of the pooled feature and sums to 1 over the real steps.
 *
 * A bundle with a fusion has one to three branches; what has no branch is missing in every clip. One without a fusion
 * has a single branch, whose logits are the answer.
 */
const fieldsSchema = z.object({
  format: z.literal(1),
  name: z.string(),
  version: z.string(),
  created: z.string(),
  emotions: z
    .array(z.enum(EMOTIONS))
    .refine((names) => names.join() === EMOTIONS.join(), 'the classes are not the seven of this project, in order'),
  compat: compatSchema,
  /** Of the weights and the arithmetic; inputs and outputs are float32 in all of them. */
  precision: precisionSchema.default('fp32'),
  preprocessing: z.object({
    version: z.literal(PREPROCESSING_VERSION),
    maxFrames: z.number().int().positive(),
    /** Whose face is shown to the network, in compat default. */
    subject: subjectSchema.default('largest'),
    /** Side of the square face input in pixels; crops of 224 are averaged down to it. */
    faceSize: z.number().int().positive(),
    wordDim: z.number().int().positive(),
    maxWords: z.number().int().positive(),
    /** sha256 of the word-vector table of the training's transcripts; null: word vectors were given as files. */
    wordTable: z.string().length(64).nullable().default(null),
  }),
  branches: z.object({
    speech: fileSchema.extend({ features: z.number().int().positive() }).optional(),
    face: fileSchema.extend({ features: z.number().int().positive() }).optional(),
    text: fileSchema.extend({ features: z.number().int().positive() }).optional(),
  }),
  fusion: fileSchema.optional(),
  /** All branches and the fusion in one graph, beside the files of the parts. */
  single: fileSchema.optional(),
  /** Inputs of every graph and the outputs that they gave at export, for `mer verify`. */
  selfTest: fileSchema.optional(),
  mtcnn: z.object({ pnet: fileSchema, rnet: fileSchema, onet: fileSchema }),
  /** Of the float32 export with TensorFlow. */
  parity: z.object({ tolerance: z.number(), maxError: z.number(), sizes: z.number().int() }),
  /** Where the precision is not fp32. */
  variant: variantSchema.optional(),
  inventory: inventorySchema.optional(),
  /** Validation metrics of the run, against the integrated label, by output. */
  metrics: z.record(z.string(), metricsSchema),
  /**
   * Metrics of the exported graphs on the validation clips, before calibration, for the integrated logits of every set
   * of modalities, by its name, over the clips that have all of them.
   */
  subsetMetrics: z.record(z.string(), metricsSchema).optional(),
  calibration: calibrationSchema.optional(),
  /** The configuration of the training run. */
  training: z.record(z.string(), z.unknown()),
});

/** The fields of bundle.json, and how many branches go together with a fusion. */
export const bundleSchema = fieldsSchema
  .refine(({ branches, fusion }) => fusion !== undefined || branchCount(branches) === 1, {
    path: ['branches'],
    message: 'without a fusion there is one branch, not another number of them',
  })
  .refine(({ branches }) => branchCount(branches) > 0, { path: ['branches'], message: 'there is none' });

function branchCount(branches: Readonly<Record<string, unknown>>): number {
  return Object.values(branches).filter((branch) => branch !== undefined).length;
}

export type Bundle = z.infer<typeof bundleSchema>;

export const BUNDLE_FILE = 'bundle.json';
