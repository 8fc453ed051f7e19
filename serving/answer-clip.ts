import { asMerError, MerError } from '../common/errors.js';
import type { Answer } from './answer.js';
import type { Engine } from './engine/engine.js';
import type { PredictOptions } from './engine/predict-options.js';
import type { ClipFiles } from './engine/tasks.js';

/**
 * Answers a clip that a client sent. Errors about a file name its path; clients are told the name of the field
 * instead.
 *
 * @throws MerError those of `Engine.predict`
 */
export async function answerClip(engine: Engine, files: ClipFiles, options: PredictOptions): Promise<Answer> {
  try {
    return await engine.predict(files, options);
  } catch (thrown) {
    const { code, message, remedy } = asMerError(thrown);
    const { transcript: _, ...paths } = files;
    const told = Object.entries(paths).reduce((text, [field, file]) => text.replaceAll(file, field), message);
    throw new MerError(code, told, remedy, { cause: thrown });
  }
}
