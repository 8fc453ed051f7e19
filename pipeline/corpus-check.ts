import crypto from 'node:crypto';
import path from 'node:path';
import { MerError } from '../common/errors.js';
import { EMOTIONS, type Emotion, MODALITIES, type Modality } from '../common/labels.js';
import { listClips } from '../preprocessing/corpus/feature-store.js';
import type { ClipRecord } from '../preprocessing/features.js';

/** With fewer clips a training says nothing; a useful one has hundreds. */
const LEAST_TRAINING_CLIPS = 10;
const LEAST_VALIDATION_CLIPS = 2;

/** What the features of a corpus are good for. */
export interface CorpusCheck {
  /** Modalities that there are enough clips with. */
  modalities: Modality[];
  /** Labelled training clips, and those of them with each modality. */
  clips: number;
  clipsWith: Record<Modality, number>;
  /** What a user should know. */
  notes: string[];
  /** Changes with any clip, label or setting of the features. */
  fingerprint: string;
}

/**
 * Looks whether features can be trained on, before anything long begins.
 * @throws MerError bad_argument with the remedy when they cannot
 */
export async function checkCorpus(featuresDir: string): Promise<CorpusCheck> {
  const [train, val] = await Promise.all([labelled(featuresDir, 'train'), labelled(featuresDir, 'val')]);
  requireClips(train, val, featuresDir);
  const has = (modality: Modality) => (record: ClipRecord) => record[modality].status === 'used';
  const clipsWith = { speech: 0, face: 0, text: 0 };
  const modalities: Modality[] = [];
  const notes: string[] = [];
  for (const modality of MODALITIES) {
    const [learned, held] = [train, val].map((records) => records.filter(has(modality)).length) as [number, number];
    clipsWith[modality] = learned;
    if (learned >= LEAST_TRAINING_CLIPS && held >= LEAST_VALIDATION_CLIPS) modalities.push(modality);
    else notes.push(`${modality} is left out: ${learned} training and ${held} validation clips have it`);
  }
  if (modalities.length === 0) {
    const message = `Too few clips of ${featuresDir} have a voice, a face or words: ${notes.join('; ')}.`;
    throw new MerError(
      'bad_argument',
      message,
      'Look at the failures above; clips need sound, a visible face or words.',
    );
  }
  const [learned, held] = [train, val].map(classesOf) as [Set<Emotion>, Set<Emotion>];
  const missing = (known: Set<Emotion>) => EMOTIONS.filter((emotion) => !known.has(emotion)).join(', ');
  if (learned.size < EMOTIONS.length) notes.push(`no training clip is labelled ${missing(learned)}: never answered`);
  if (held.size < learned.size) notes.push(`no validation clip is labelled ${missing(held)}: not measured`);
  return { modalities, clips: train.length, clipsWith, notes, fingerprint: fingerprint(train, val) };
}

async function labelled(featuresDir: string, split: 'train' | 'val'): Promise<ClipRecord[]> {
  return (await listClips(featuresDir, split)).filter(({ labels }) => labels !== null);
}

function requireClips(train: readonly ClipRecord[], val: readonly ClipRecord[], featuresDir: string): void {
  if (train.length < LEAST_TRAINING_CLIPS) {
    throw new MerError(
      'bad_argument',
      `${path.join(featuresDir, 'train')} holds ${train.length} labelled clips; a training needs ${LEAST_TRAINING_CLIPS} at least, and some hundreds to be of use.`,
      'Add clips, or look at the failures above.',
    );
  }
  const classes = classesOf(train);
  if (classes.size < 2) {
    throw new MerError(
      'bad_argument',
      `All ${train.length} training clips are labelled ${[...classes].join()}; there is nothing to tell apart.`,
      'Add clips of other emotions, or check the labels.',
    );
  }
  if (val.length < LEAST_VALIDATION_CLIPS) {
    throw new MerError(
      'bad_argument',
      `${path.join(featuresDir, 'val')} holds ${val.length} labelled clips: nobody is left to validate on.`,
      'Use --split speaker, which takes some speakers from train; with few clips also a larger --val_share.',
    );
  }
}

function classesOf(records: readonly ClipRecord[]): Set<Emotion> {
  return new Set(records.flatMap(({ labels }) => labels?.inte ?? []));
}

function fingerprint(...splits: readonly (readonly ClipRecord[])[]): string {
  const hash = crypto.createHash('sha256');
  for (const records of splits) {
    for (const { stem, inputs, labels, speaker } of records)
      hash.update(JSON.stringify([stem, inputs, labels, speaker]));
    hash.update('|');
  }
  return hash.digest('hex');
}
