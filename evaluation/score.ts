import { MerError } from '../common/errors.js';
import { EMOTIONS, type Emotion, emotionIndex } from '../common/labels.js';
import { type ClassificationMetrics, classificationMetrics } from '../common/metrics.js';
import { readEmotionCsv } from './emotion-csv.js';

/** A submission names emotions without probabilities, so there is no likelihood and no calibration. */
export type SubmissionScore = Omit<ClassificationMetrics, 'nll' | 'ece'>;

/**
 * Compares a submission with the labels of the same clips.
 *
 * @throws MerError bad_file naming a FileID that one of the files has and the other has not
 */
export async function scoreSubmission(submissionFile: string, labelFile: string): Promise<SubmissionScore> {
  const submission = await readEmotionCsv(submissionFile);
  const labels = await readEmotionCsv(labelFile);
  requireSameClips(submission, labels, labelFile);
  requireSameClips(labels, submission, submissionFile);
  const certain = (emotion: Emotion) => EMOTIONS.map((name) => Number(name === emotion));
  const predictions = [...labels.keys()].map((fileId) => certain(submission.get(fileId)!));
  const { nll: _, ece: __, ...score } = classificationMetrics(predictions, [...labels.values()].map(emotionIndex));
  return score;
}

function requireSameClips(clips: Map<number, Emotion>, other: Map<number, Emotion>, otherFile: string): void {
  for (const fileId of clips.keys()) {
    if (other.has(fileId)) continue;
    throw new MerError('bad_file', `${otherFile} has no FileID ${fileId}.`, 'Compare files of the same test set.');
  }
}
