import fsp from 'node:fs/promises';
import path from 'node:path';
import { MerError } from '../common/errors.js';
import { formatTable } from '../common/table.js';
import { type Answer, answerSchema, type Scores } from '../serving/answer.js';

/** POSTs a clip, with its words where it has any, to a running server. @throws MerError with the server's message */
export async function postClip(url: string, clip: string, words?: string): Promise<Answer> {
  const form = new FormData();
  form.append('clip', new Blob([await fsp.readFile(clip)]), path.basename(clip));
  if (words !== undefined) form.append('words', new Blob([await fsp.readFile(words)]), path.basename(words));
  const response = await fetch(`${url}/v1/predict`, { method: 'POST', body: form });
  const body = await response.text();
  if (!response.ok) {
    throw new MerError('internal', `${clip}: the server answered ${response.status}: ${body}`, 'Choose another clip.');
  }
  return answerSchema.parse(JSON.parse(body));
}

/** The answer as a small table: what each modality said, and the integrated emotion. */
export function answerTable(answer: Answer): string {
  const shares = (scores: Scores) =>
    Object.entries(scores)
      .map(([name, score]) => `${name} ${score.toFixed(2)}`)
      .join('  ');
  const rows = Object.entries(answer.modalities).map(([name, modality]) =>
    modality.status === 'used'
      ? [name, modality.emotion, shares(modality.scores)]
      : [name, modality.status, modality.reason],
  );
  rows.push(['integrated', answer.emotion, shares(answer.scores)]);
  return formatTable(['modality', 'emotion', 'scores'], rows);
}
