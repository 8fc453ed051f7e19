import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EMOTIONS } from '../../common/labels.js';
import { MTCNN_DIR } from '../../common/paths.js';
import { FRAME_HEIGHT, FRAME_WIDTH } from '../../demo/data/face.js';
import { FRAMES_PER_SECOND, renderFrames } from '../../demo/data/make-clip.js';
import { type ClipPlan, DEMO_SETS } from '../../demo/data/plan.js';
import { createFaceDetector, type FaceDetector } from '../../preprocessing/faces/face-detector.js';

const SILENT_MOUTH = new Float32Array(1000);

function plan(index: number): ClipPlan {
  const emotion = EMOTIONS[index]!;
  const labels = { inte: emotion, face: emotion, speech: emotion, text: emotion };
  return { fileId: String(index).padStart(5, '0'), set: DEMO_SETS[0], speaker: index, labels };
}

describe('the drawn face', () => {
  let detector: FaceDetector;
  beforeAll(async () => {
    detector = await createFaceDetector({ directory: MTCNN_DIR });
  });
  afterAll(() => detector.dispose());

  it.each(EMOTIONS.map((emotion, id) => [emotion, id] as const))(
    'is found once by MTCNN in every frame of a blinking clip: %s, speaker %i',
    async (_, id) => {
      for (const frame of await renderFrames(plan(id), 1234, 2 * FRAMES_PER_SECOND, SILENT_MOUTH)) {
        const data = new Uint8Array(FRAME_WIDTH * FRAME_HEIGHT * 3);
        for (let i = 0; i < FRAME_WIDTH * FRAME_HEIGHT; i++) data.set(frame.subarray(4 * i, 4 * i + 3), 3 * i);
        expect(await detector.detect({ data, width: FRAME_WIDTH, height: FRAME_HEIGHT })).toHaveLength(1);
      }
    },
  );

  it('is the same, byte by byte, for the same seed', async () => {
    const render = async (seed: number) => Buffer.concat(await renderFrames(plan(3), seed, 2, SILENT_MOUTH));
    const once = await render(7);
    expect(once.equals(await render(7))).toBe(true);
    expect(once.equals(await render(8))).toBe(false);
  });
});
