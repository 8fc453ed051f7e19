import { runChild } from '../../common/child-main.js';
import { MTCNN_DIR } from '../../common/paths.js';
import { createFaceDetector } from '../../preprocessing/faces/face-detector.js';
import { decodeMedia } from '../../preprocessing/media/decode.js';
import { DEFAULT_LIMITS } from '../../preprocessing/media/media-limits.js';
import { probeMedia } from '../../preprocessing/media/probe.js';
import { sessionOptions } from '../../serving/engine/devices.js';
import { quantile, summarise } from '../statistics.js';
import { type Faces, type FacesRequest, facesRequestSchema } from './gpu-protocol.js';

/** Pictures of each clip: so many a second. */
const FRAMES_PER_SECOND = 2;
const DECODING = { maxFrames: 100, maxFramePixels: 1280 * 720, limits: DEFAULT_LIMITS, threads: 1 };

/** The process that measures MTCNN alone. */
runChild({
  configSchema: facesRequestSchema,
  requestSchema: facesRequestSchema,
  async setUp({ device }) {
    const [provider] = sessionOptions(device, 1).executionProviders ?? [];
    const detector = await createFaceDetector({ directory: MTCNN_DIR, ...(provider && { provider }) });
    return {
      info: null,
      async handle(request): Promise<Faces[]> {
        const found: Faces[] = [];
        for (const [picture, frames] of await picturesOf(request)) {
          const times: number[] = [];
          for (let round = 0; round <= request.repeats; round++) {
            for (const frame of frames) {
              const start = performance.now();
              await detector.detect(frame);
              if (round > 0) times.push(performance.now() - start);
            }
          }
          const milliseconds = summarise(times);
          found.push({ device, picture, pictures: frames.length, milliseconds, p99: quantile(times, 0.99) });
        }
        return found;
      },
    };
  },
});

/** Pictures of the clips, by their size. */
async function picturesOf({ clips }: FacesRequest) {
  const pictures = new Map<string, Awaited<ReturnType<typeof decodeMedia>>['frames']>();
  for (const clip of clips) {
    const info = await probeMedia(clip, DEFAULT_LIMITS);
    const { frames } = await decodeMedia(clip, info, { ...DECODING, framesPerSecond: FRAMES_PER_SECOND });
    for (const frame of frames) {
      const size = `${frame.width} x ${frame.height}`;
      pictures.set(size, [...(pictures.get(size) ?? []), frame]);
    }
  }
  return pictures;
}
