import { byId, element } from './dom.js';
import { getJson } from './server.js';

/** What the page wants to know of `GET /v1/models`. */
interface Models {
  models: { name: string; version: string; device: string; accepts?: { words: boolean; transcript: boolean } }[];
}

/** Names the model, and shows the fields for words that it takes. */
export async function offerWords(): Promise<void> {
  const { models } = await getJson<Models>('v1/models');
  const [model] = models;
  if (model === undefined) return;
  const chip = byId('model', HTMLParagraphElement);
  chip.replaceChildren(element('strong', {}, model.name), ` ${model.version} on ${model.device}`);
  chip.hidden = false;
  const { words = false, transcript = false } = model.accepts ?? {};
  byId('transcript-field', HTMLDivElement).hidden = !transcript;
  byId('vectors-field', HTMLDivElement).hidden = !words;
  byId('words', HTMLDetailsElement).hidden = !words && !transcript;
}

/** Adds to a form what was given; a file of vectors goes before a transcript. */
export function appendWords(form: FormData): void {
  const [vectors] = byId('vectors', HTMLInputElement).files ?? [];
  const transcript = byId('transcript', HTMLTextAreaElement).value.trim();
  if (vectors !== undefined) form.append('words', vectors, vectors.name);
  else if (transcript !== '') form.append('transcript', transcript);
}
