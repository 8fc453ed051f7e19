import type { Model } from '../../http/schemas.js';
import { byId, element } from './dom.js';
import { getJson, ServerError } from './server.js';

/** The model that the server answers with, or null when it does not say. Its name and limits are put on the page. */
export async function loadModel(): Promise<Model | null> {
  const { models } = await getJson<{ models: Model[] }>('v1/models').catch(() => ({ models: [] as Model[] }));
  const [model] = models;
  if (model === undefined) return null;
  const chip = byId('model', HTMLParagraphElement);
  chip.replaceChildren(element('strong', {}, model.name), ` ${model.version} on ${model.device}`);
  chip.hidden = false;
  byId('drop-limits', HTMLSpanElement).textContent = `, up to ${megabytes(model)} MB and ${duration(model)}`;
  return model;
}

/** @throws ServerError what the server would say, before anything is sent */
export function requireSmallEnough(clip: File, model: Model | null): void {
  if (model === null || clip.size <= model.limits.bytes) return;
  throw new ServerError(
    'too_large',
    `The file has ${(clip.size / 2 ** 20).toFixed(0)} MB, and this server takes up to ${megabytes(model)} MB.`,
    'Take a shorter or more compressed clip.',
  );
}

function megabytes({ limits }: Model): string {
  return (limits.bytes / 2 ** 20).toFixed(0);
}

function duration({ limits }: Model): string {
  const { seconds } = limits;
  return seconds < 120 ? `${seconds} seconds` : `${Math.floor(seconds / 60)} minutes`;
}
