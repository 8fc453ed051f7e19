import { FRAME_HEIGHT, FRAME_WIDTH } from '../../demo/data/face.js';
import { renderFrames } from '../../demo/data/make-clip.js';
import { DEMO_SETS } from '../../demo/data/plan.js';
import type { VideoFrame } from '../../preprocessing/media/decode.js';

export const PICTURE = { width: 800, height: 450 };

/** Where the drawn picture's middle is at a time, in pixels. */
export type MotionPath = (seconds: number) => { x: number; y: number };

/** Frames at even intervals, `seconds` long, in which a drawn head and shoulders move along a path. */
export async function movingFace(path: MotionPath, count: number, seconds: number): Promise<VideoFrame[]> {
  const labels = { inte: 'neu', face: 'neu', speech: 'neu', text: 'neu' } as const;
  const plan = { fileId: '00001', set: DEMO_SETS[0], speaker: 2, labels };
  const drawn = await renderFrames(plan, 1234, count, new Float32Array(1000));
  return drawn.map((rgba, i) => {
    const time = (i * seconds) / count;
    return { ...paste(rgba, path(time)), time };
  });
}

function paste(rgba: Uint8Array, { x, y }: { x: number; y: number }) {
  const { width, height } = PICTURE;
  const data = new Uint8Array(width * height * 3).fill(96);
  const [left, top] = [Math.round(x - FRAME_WIDTH / 2), Math.round(y - FRAME_HEIGHT / 2)];
  for (let row = Math.max(0, -top); row < FRAME_HEIGHT && top + row < height; row++) {
    for (let column = Math.max(0, -left); column < FRAME_WIDTH && left + column < width; column++) {
      const source = (row * FRAME_WIDTH + column) * 4;
      data.set(rgba.subarray(source, source + 3), ((top + row) * width + left + column) * 3);
    }
  }
  return { ...PICTURE, data };
}
