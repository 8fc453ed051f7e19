import path from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { runChild } from '../common/child-main.js';
import { writeFileAtomic } from '../common/files.js';
import { encodeNpy, type NpyArray } from '../common/npy.js';
import { MTCNN_DIR } from '../common/paths.js';
import { Random } from '../common/random.js';
import { type PreprocessedClip, preprocessClip } from '../preprocessing/clip.js';
import type { NetRun } from '../preprocessing/faces/detection-net.js';
import { createParallelDetector } from '../preprocessing/faces/parallel-detector.js';
import { CROP_SIZE, MAX_FRAMES, MEL_BANDS } from '../preprocessing/features.js';
import { countMacs } from './mtcnn-operations.js';
import { type MeasuredClip, measuringConfigSchema, measuringRequestSchema, NETS } from './preprocess-protocol.js';

/** A measuring process of `mer bench preprocess`: it does clips as a worker of a corpus run does. */
runChild({
  configSchema: measuringConfigSchema,
  requestSchema: measuringRequestSchema,
  async setUp({ compat, threads }) {
    const runs: NetRun[] = [];
    let detection = 0;
    const watched = {
      directory: MTCNN_DIR,
      onRun: (run: NetRun) => runs.push(run),
      onDetection: (milliseconds: number) => {
        detection += milliseconds / 1000;
      },
    };
    const detector = await createParallelDetector(watched, threads);
    const settings = { compat, maxFrames: MAX_FRAMES, threads };
    return {
      info: null,
      async handle(request) {
        if (request.kind === 'matrix') return measureMatrixRate(request, threads);
        if (request.kind === 'end') {
          await detector.dispose();
          return null;
        }
        runs.length = 0;
        detection = 0;
        const start = performance.now();
        const clip = await preprocessClip({ clip: request.clip }, settings, detector);
        if (request.folder) {
          for (const { name, array } of featureFiles(clip)) {
            await writeFileAtomic(path.join(request.folder, name), encodeNpy(array));
          }
        }
        const seconds = (performance.now() - start) / 1000;
        return measured(clip, seconds, detection, runs);
      },
    };
  },
});

function featureFiles({ speech, face }: PreprocessedClip): { name: string; array: NpyArray }[] {
  const files: { name: string; array: NpyArray }[] = [];
  if (speech.status === 'used') {
    const shape = [MEL_BANDS, speech.frames];
    files.push({ name: 'speech.npy', array: { dtype: 'float32', shape, data: speech.data } });
  }
  if (face.status === 'used') {
    const shape = [face.frames, CROP_SIZE, CROP_SIZE, 3];
    files.push({ name: 'video.npy', array: { dtype: 'uint8', shape, data: face.data } });
  }
  return files;
}

function measured(clip: PreprocessedClip, seconds: number, detection: number, runs: readonly NetRun[]): MeasuredClip {
  const of = (net: NetRun['net']) => runs.filter((run) => run.net === net);
  const [pnet, rnet, onet] = NETS.map((net) => of(net).reduce((sum, run) => sum + run.milliseconds / 1000, 0));
  const { timings, face } = clip;
  const [decode, audio, crops] = [timings.decode / 1000, timings.audio / 1000, timings.crops / 1000];
  const nets = { pnet: pnet ?? 0, rnet: rnet ?? 0, onet: onet ?? 0 };
  const detector = detection - nets.pnet - nets.rnet - nets.onet;
  // Of two processes at work at once the times of both count.
  const rest = Math.max(0, seconds - decode - audio - detection - crops);
  const macs = (net: NetRun['net']) => of(net).reduce((sum, run) => sum + countMacs(run), 0);
  return {
    seconds,
    stages: { decode, audio, ...nets, detector, crops, rest },
    macs: { pnet: macs('pnet'), rnet: macs('rnet'), onet: macs('onet') },
    crops: face.status === 'used' ? face.frames : 0,
    bytes: featureFiles(clip).reduce((sum, { array }) => sum + array.data.byteLength, 0),
  };
}

/** The best of some runs: what the machine can do, not what it does on average. */
async function measureMatrixRate(
  { file, macs, repeats }: { file: string; macs: number; repeats: number },
  threads: number,
): Promise<number> {
  const session = await InferenceSession.create(file, { intraOpNumThreads: threads, interOpNumThreads: 1 });
  const random = Random.for(1, 'matrix rate');
  const inputs = Object.fromEntries(
    session.inputMetadata.map((input) => {
      const shape = input.isTensor ? input.shape.map(Number) : [];
      const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.uniform());
      return [input.name, new Tensor('float32', data, shape)];
    }),
  );
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < repeats; i++) {
    const start = performance.now();
    await session.run(inputs);
    best = Math.min(best, (performance.now() - start) / 1000);
  }
  await session.release();
  return macs / best;
}
