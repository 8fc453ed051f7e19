import type { Answer } from '../answer.js';
import { answerClip } from '../answer-clip.js';
import { clipFiles } from '../data-folder.js';
import type { Upload } from './intake.js';
import type { RequestLocals } from './request-log.js';
import { clientLeft, type Handler, requireReady, type Service } from './service.js';

/** `POST /v1/predict`: a clip in, its answer out. */
export function predictRoute(service: Service): Handler {
  const { engine, intake, metrics } = service;

  const answer = async (upload: Upload, requestId: string, left: AbortSignal): Promise<Answer> => {
    let failed = true;
    try {
      left.throwIfAborted();
      const given = await answerClip(engine, await clipFiles(upload.files), { ...upload.settings, signal: left });
      failed = false;
      return given;
    } finally {
      await intake.settle(upload, requestId, failed && !left.aborted);
    }
  };

  return async (request, response) => {
    requireReady(service);
    const left = clientLeft(response);
    const place = intake.clips.take();
    try {
      const upload = await intake.receive(request, response);
      const given = await answer(upload, (response.locals as RequestLocals).requestId, left);
      metrics.observe(given);
      response.json(given);
    } finally {
      place.release();
    }
  };
}
