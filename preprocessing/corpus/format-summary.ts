import { EMOTIONS, MODALITIES } from '../../common/labels.js';
import { formatTable } from '../../common/table.js';
import type { ClipFailure } from './source-clip.js';
import type { CorpusSummary, SplitSummary } from './summary.js';

/** Failures and warnings beyond so many are only counted. */
const SHOWN = 20;

const SPLIT_MODES: Record<CorpusSummary['split'], string> = {
  given: 'split as given',
  speaker: 'split by speaker',
  random: 'split at random',
};

/** The summary of a corpus as text for people. */
export function formatSummary(summary: CorpusSummary, failures: readonly ClipFailure[], failuresFile: string): string {
  const { format, split, labels, notes, warnings } = summary;
  const splits = Object.entries(summary.splits);
  const lines = [`format ${format}, ${SPLIT_MODES[split]}`, ''];
  lines.push(
    formatTable(
      CLIP_COLUMNS,
      splits.map(([name, own]) => clipRow(name, own)),
    ),
    '',
  );
  lines.push(
    formatTable(
      ['split', ...EMOTIONS, 'unlabelled'],
      splits.map(([name, own]) => classRow(name, own)),
    ),
    '',
  );
  for (const [name, { sources }] of splits) {
    const parts = Object.entries(sources).map(([source, count]) => `${count} of ${source}`);
    if (parts.length > 1 && parts.length <= SHOWN) lines.push(`${name} holds ${parts.join(', ')}`);
  }
  if (labels.clips > 0) {
    const share = (count: number) => `${count} (${((100 * count) / labels.clips).toFixed(1)}%)`;
    lines.push(
      `of ${labels.clips} labelled clips the face label differs from the integrated one in ${share(labels.faceDiffers)}, ` +
        `the speech label in ${share(labels.speechDiffers)}`,
    );
  }
  lines.push(...wordLines(summary), embeddingLine(summary));
  for (const note of notes) lines.push(`note: ${note}`);
  lines.push(
    ...shown(
      warnings.map((warning) => `warning: ${warning}`),
      'warnings',
    ),
  );
  if (failures.length === 0) return lines.join('\n');
  const reasons = Object.entries(summary.failures).map(([code, count]) => `${code} ${count}`);
  lines.push(`${failures.length} clips could not be used: ${reasons.join(', ')}`);
  lines.push(
    ...shown(
      failures.map(({ clip, message }) => `failed: ${clip}: ${message}`),
      'failures',
    ),
  );
  return [...lines, `All failures with their remedies are in ${failuresFile}.`].join('\n');
}

function wordLines({ transcripts }: CorpusSummary): string[] {
  const { clips, lookedUp, outOfVocabulary, missing } = transcripts;
  if (clips === 0) return [];
  if (outOfVocabulary === null) return [`${clips} transcripts were not used: they need --word_vectors FILE`];
  const share = `${(100 * outOfVocabulary).toFixed(1)}%`;
  return [
    `${lookedUp} transcripts were looked up: the table lacks ${share} of a clip's words on average, and in ${missing} clips too many`,
  ];
}

function embeddingLine({ faceEmbeddings }: CorpusSummary): string {
  return faceEmbeddings === null
    ? 'video_embedding/ was not made: no --face_embeddings FILE was given'
    : `video_embedding/ holds face embeddings of the network with sha256 ${faceEmbeddings}`;
}

const CLIP_COLUMNS = ['split', 'clips', 'failed', 'reused', 'hours', 'speakers', ...MODALITIES, 'detected'];

function clipRow(name: string, summary: SplitSummary): string[] {
  const { clips, failed, reused, hours, speakers, withoutSpeaker, used, detected } = summary;
  const people = speakers === 0 && withoutSpeaker > 0 ? 'unknown' : String(speakers);
  const share = detected === null ? '-' : `${(100 * detected).toFixed(1)}%`;
  const counts = MODALITIES.map((modality) => String(used[modality]));
  return [name, String(clips), String(failed), String(reused), hours.toFixed(2), people, ...counts, share];
}

function classRow(name: string, { classes, unlabelled }: SplitSummary): string[] {
  return [name, ...EMOTIONS.map((emotion) => String(classes[emotion])), String(unlabelled)];
}

function shown(lines: readonly string[], what: string): string[] {
  const more = lines.length - SHOWN;
  return more > 0 ? [...lines.slice(0, SHOWN), `… and ${more} more ${what}`] : [...lines];
}
