import type { Modality } from '../common/labels.js';
import type { Mode } from '../models/spec.js';

export const PRESETS = ['quick', 'full'] as const;
export type Preset = (typeof PRESETS)[number];

/** How large the trainings of a build are. */
export interface Sizes {
  preset: Preset;
  /** Training clips of the mode. */
  clips: number;
  /** In place of the preset's epochs. */
  epochs?: number | undefined;
}

type Flags = Record<string, string>;

/** Networks small enough to learn from nothing in a minute or two each on two cores. */
const QUICK_NETWORK: Flags = { optim: 'adamw', speech_coeff: 'tiny', face_coeff: 'tiny', text_layers: '2' };

const QUICK: Record<Mode, Flags & { n_epoch: string }> = {
  speech: { n_epoch: '40', learning_rate: '2e-3', batch_size: '16', label_smoothing: '0.1' },
  face: { n_epoch: '24', learning_rate: '2e-3', batch_size: '16' },
  text: { n_epoch: '15', learning_rate: '1e-3', batch_size: '32' },
  // With so few clips the fusion alone learns better than everything at once.
  multimodal: {
    ...{ n_epoch: '8', learning_rate: '1e-3', batch_size: '16', label_smoothing: '0.1' },
    freeze_backbone: 'True',
  },
};

/** A quick training sees about so many clips, over all epochs, so that a large corpus takes minutes as well. */
const QUICK_CLIPS = 30_000;
const QUICK_LEAST_EPOCHS = 3;

/** The four commands of the reference system, without their names and files. */
const FULL: Record<Mode, Flags & { n_epoch: string; batch_size: string }> = {
  speech: {
    ...{ n_epoch: '100', batch_size: '256', optim: 'ranger', speech_coeff: '4' },
    ...{ mixup_prob: '1', mixup_alpha: '1' },
  },
  face: { n_epoch: '20', batch_size: '32', optim: 'ranger', face_coeff: '0', cutmix_prob: '1', cutmix_beta: '1' },
  text: { n_epoch: '20', batch_size: '128', optim: 'ranger', text_layers: '12' },
  multimodal: {
    ...{ n_epoch: '3', batch_size: '32', optim: 'sgd' },
    ...{ speech_coeff: '4', face_coeff: '0', text_layers: '12', lam: '0' },
  },
};
const FULL_COMMON: Flags = { learning_rate: '4e-3', weight_decay: '5e-5', warmup: '0', label_smoothing: '0.1' };

/** The reference's batches are for 44 370 clips; a smaller corpus gets smaller ones, for at least so many steps an epoch. */
const FULL_LEAST_STEPS = 20;
const LEAST_BATCH = 8;

/** The flags of `mer train` that a preset stands for, without those that name the run, its files and its seed. */
export function trainFlags(mode: Mode, { preset, clips, epochs }: Sizes): Flags {
  const flags = preset === 'quick' ? quickFlags(mode, clips) : fullFlags(mode, clips);
  return epochs === undefined ? flags : { ...flags, n_epoch: String(epochs) };
}

function quickFlags(mode: Mode, clips: number): Flags {
  const flags = QUICK[mode];
  const most = Math.max(QUICK_LEAST_EPOCHS, Math.floor(QUICK_CLIPS / clips));
  return { ...QUICK_NETWORK, ...flags, n_epoch: String(Math.min(Number(flags.n_epoch), most)) };
}

function fullFlags(mode: Mode, clips: number): Flags {
  const flags = FULL[mode];
  let batch = Number(flags.batch_size);
  while (batch > LEAST_BATCH && clips / batch < FULL_LEAST_STEPS) batch /= 2;
  return { ...FULL_COMMON, ...flags, batch_size: String(batch) };
}

/** What the EfficientNet of a modality's network is called in the preset; undefined where ImageNet weights do not fit. */
export function backboneOf(modality: Modality, preset: Preset): string | undefined {
  if (preset === 'quick' || modality === 'text') return undefined;
  return modality === 'speech' ? 'efficientnet-b4' : 'efficientnet-b0';
}
