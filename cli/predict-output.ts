import { csvLine } from '../common/csv.js';
import { EMOTIONS } from '../common/labels.js';
import { formatTable } from '../common/table.js';
import type { Answer } from '../serving/answer.js';
import type { Outcome } from './predict-clips.js';

const MODALITIES = ['face', 'speech', 'text'] as const;

/** A row for each clip that was answered, then what is worth saying of single clips. */
export function answersTable(outcomes: readonly Outcome[]): string {
  const rows: string[][] = [];
  const remarks: string[] = [];
  for (const outcome of outcomes) {
    if ('error' in outcome) {
      const { code, message, remedy } = outcome.error;
      rows.push([outcome.file, `error: ${code}`, '', '', '', '', '']);
      remarks.push(`${outcome.file}: ${message} ${remedy}`);
      continue;
    }
    const { file, answer } = outcome;
    const cell = (name: keyof Answer['modalities']): string => {
      const modality = answer.modalities[name];
      if (modality.status === 'used') return `${modality.emotion} ${modality.scores[modality.emotion].toFixed(2)}`;
      remarks.push(`${file}: ${name} ${modality.status}: ${modality.reason}.`);
      return modality.status;
    };
    rows.push([
      file,
      answer.emotion,
      answer.confidence.toFixed(2),
      ...MODALITIES.map(cell),
      answer.timings.total.toFixed(2),
    ]);
    if (answer.disagree) remarks.push(`${file}: face, voice and words do not agree.`);
    remarks.push(...(answer.warnings ?? []).map((warning) => `${file}: ${warning}`));
  }
  const text = formatTable(['file', 'emotion', 'confidence', ...MODALITIES, 'seconds'], rows);
  return [text, ...remarks].join('\n');
}

/**
 * A line for each clip: the answer and its scores, each modality's emotion or why there is none, the seconds of the
 * clip that were used, and the code of the error of a clip that failed.
 */
export function answersCsv(outcomes: readonly Outcome[]): string {
  const header = ['file', 'emotion', 'confidence', ...EMOTIONS, ...MODALITIES, 'disagree', 'seconds_used', 'error'];
  const lines = outcomes.map((outcome) => {
    if ('error' in outcome) {
      return [outcome.file, ...new Array<string>(header.length - 2).fill(''), outcome.error.code];
    }
    const { emotion, confidence, scores, modalities, disagree, seconds } = outcome.answer;
    const says = MODALITIES.map((name) => {
      const modality = modalities[name];
      return modality.status === 'used' ? modality.emotion : modality.status;
    });
    const numbers = [confidence, ...EMOTIONS.map((name) => scores[name])].map((value) => value.toFixed(6));
    return [outcome.file, emotion, ...numbers, ...says, String(disagree), seconds.used.toFixed(3), ''];
  });
  return [header, ...lines].map(csvLine).join('\n');
}
