import { MerError } from '../../common/errors.js';
import { EMOTIONS, MODALITIES } from '../../common/labels.js';
import { formatMarkdownTable } from '../../common/table.js';
import { readSummary, type StoredSummary } from '../../preprocessing/corpus/read-summary.js';

const SPLIT_MODES: Record<StoredSummary['split'], string> = {
  given: 'the split is that of the corpus',
  speaker: 'split by speaker, so that nobody is on two sides',
  random: 'split at random, so that the same people may be on two sides',
};

/** Warnings beyond so many are only counted. */
const SHOWN = 5;

/**
 * The card's section on the clips that the network learned from, by the summary in their features folder.
 * @param featuresDir where the features are or were; undefined when nobody knows
 */
export async function dataSection(featuresDir: string | undefined): Promise<string> {
  const unknown = 'Not known: the features that it was trained on were not at hand when this was exported.';
  if (featuresDir === undefined) return unknown;
  try {
    return describeData(await readSummary(featuresDir));
  } catch (error) {
    if (error instanceof MerError) return unknown;
    throw error;
  }
}

function describeData({ format, split, splits, labels, warnings }: StoredSummary): string {
  const parts = Object.entries(splits);
  const sources = [...new Set(parts.flatMap(([, { sources: own }]) => Object.keys(own)))];
  const places = sources.filter((source) => source !== '.');
  const origin = places.length > 0 ? ` (${places.join(', ')})` : '';
  const people = ({ speakers, withoutSpeaker }: { speakers: number; withoutSpeaker: number }) =>
    speakers === 0 && withoutSpeaker > 0 ? 'not known' : String(speakers);
  const clipRows = parts.map(([name, own]) => [
    name,
    String(own.clips - own.failed),
    String(Number(own.hours.toPrecision(2))),
    people(own),
    ...MODALITIES.map((modality) => String(own.used[modality])),
  ]);
  const classRows = parts.map(([name, { classes }]) => [name, ...EMOTIONS.map((emotion) => String(classes[emotion]))]);
  const share = (clips: number) => `${((100 * clips) / Math.max(labels.clips, 1)).toFixed(1)} %`;
  const more = warnings.length > SHOWN ? [`… and ${warnings.length - SHOWN} more warnings`] : [];
  const remarks = [...warnings.slice(0, SHOWN), ...more].map((line) => `- ${line}`);
  return [
    `A corpus of the format \`${format}\`${origin}; ${SPLIT_MODES[split]}. It learned from train; every figure above is of val.`,
    '',
    formatMarkdownTable(['split', 'clips', 'hours', 'speakers', ...MODALITIES.map((name) => `with ${name}`)], clipRows),
    '',
    'Clips by their integrated label:',
    '',
    formatMarkdownTable(['split', ...EMOTIONS], classRows),
    '',
    `The label of the face differs from the integrated one in ${share(labels.faceDiffers)} of the labelled clips, that of ` +
      `the voice in ${share(labels.speechDiffers)}.`,
    ...(remarks.length > 0 ? ['', 'What preprocessing warned of:', '', ...remarks] : []),
  ].join('\n');
}
