import type { Model } from '../../http/schemas.js';
import { byId } from './dom.js';

/** Shows the fields for words that the model takes. */
export function offerWords({ modalities, transcripts }: Model): void {
  byId('transcript-field', HTMLDivElement).hidden = !transcripts;
  byId('words', HTMLDetailsElement).hidden = !modalities.includes('text');
}

/** Opens the fields and goes to the first. */
export function focusWords(): void {
  byId('words', HTMLDetailsElement).open = true;
  const inTranscript = !byId('transcript-field', HTMLDivElement).hidden;
  (inTranscript ? byId('transcript', HTMLTextAreaElement) : byId('vectors', HTMLInputElement)).focus();
}

export function forgetWords(): void {
  byId('vectors', HTMLInputElement).value = '';
  byId('transcript', HTMLTextAreaElement).value = '';
  byId('words', HTMLDetailsElement).open = false;
}

/** Adds to a form what was given; a file of vectors goes before a transcript. */
export function appendWords(form: FormData): void {
  const [vectors] = byId('vectors', HTMLInputElement).files ?? [];
  const transcript = byId('transcript', HTMLTextAreaElement).value.trim();
  if (vectors !== undefined) form.append('words', vectors, vectors.name);
  else if (transcript !== '') form.append('transcript', transcript);
}
