/** Times two exports of one network in alternation, on ONNX Runtime in a process without TensorFlow. */
import { performance } from 'node:perf_hooks';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { z } from 'zod';
import { runChild } from '../common/child-main.js';
import { Random } from '../common/random.js';
import { type ExportCase, OPENINGS, type Timing, type TimingRequest, timingRequestSchema } from './export-protocol.js';
import { median, summarise } from './statistics.js';

const FRAMES = 16;
const WORDS = 38;
const SIDE = 224;
const WARMUP = 2;
/** Short runs are repeated for so long after each opening, both sides together. */
const LEAST_SECONDS = 2;
const SEED = 1;

type Feeds = Record<string, Tensor>;

runChild({
  configSchema: z.null(),
  requestSchema: timingRequestSchema,
  async setUp() {
    return { info: null, handle: time };
  },
});

type Side = 'ours' | 'torch';

/**
 * Both files are opened anew {@link OPENINGS} times, since where a session's weights come to lie in memory moves its speed
 * by some percent. Every run follows one of the other side, whose threads still spin for a moment.
 */
async function time({ name, ours, torch, batch, threads, repeats }: TimingRequest): Promise<Timing> {
  const files = { ours, torch };
  const options = { executionProviders: ['cpu'], intraOpNumThreads: threads };
  const feeds = inputs(name, batch);
  const seconds: Record<Side, number[]> = { ours: [], torch: [] };
  let difference = 0;
  for (let opening = 0; opening < OPENINGS; opening++) {
    const sessions = new Map<Side, InferenceSession>();
    const sides: readonly Side[] = opening % 2 === 0 ? ['ours', 'torch'] : ['torch', 'ours'];
    for (const side of sides) sessions.set(side, await InferenceSession.create(files[side], options));
    let spent = 0;
    for (let turn = 0; turn < WARMUP + repeats / OPENINGS || spent < LEAST_SECONDS; turn++) {
      const logits: Partial<Record<Side, Float32Array>> = {};
      for (const side of sides) {
        const start = performance.now();
        const outputs = await sessions.get(side)!.run(feeds[side]);
        const taken = (performance.now() - start) / 1000;
        if (turn >= WARMUP) seconds[side].push(taken);
        spent += taken;
        logits[side] = outputs.logits!.data as Float32Array;
      }
      difference = Math.max(difference, ...logits.ours!.map((value, i) => Math.abs(value - logits.torch![i]!)));
    }
    for (const session of sessions.values()) await session.release();
  }
  return {
    ...{ batch, ours: summarise(seconds.ours), torch: summarise(seconds.torch), difference },
    ratio: median(seconds.ours.map((value, i) => value / seconds.torch[i]!)),
  };
}

/** The same clips for both; both take the face as bytes. */
function inputs(name: ExportCase, batch: number): { ours: Feeds; torch: Feeds } {
  const random = Random.for(SEED, name, batch);
  const floats = (count: number) => Float32Array.from({ length: count }, () => random.uniform());
  const lengths = (count: number) => new Tensor('int32', new Int32Array(batch).fill(count), [batch]);
  const all = name === 'multimodal';
  const own = (modality: string) => (all ? `${modality}_lengths` : 'lengths');
  const ours: Feeds = {};
  const torch: Feeds = {};
  if (all || name === 'speech') {
    const mel = new Tensor('float32', floats(batch * 128 * 400), [batch, 1, 128, 400]);
    Object.assign(ours, { log_mel: mel, [own('speech')]: lengths(400) });
    torch.speech = mel;
  }
  if (all || name === 'face') {
    const bytes = Uint8Array.from({ length: batch * FRAMES * SIDE * SIDE * 3 }, () => random.integer(256));
    const frames = new Tensor('uint8', bytes, [batch, FRAMES, SIDE, SIDE, 3]);
    const gain = new Tensor('float32', Float32Array.of(1), [1]);
    Object.assign(ours, { frames, gain, [own('face')]: lengths(FRAMES) });
    torch.face = frames;
  }
  if (all || name === 'text') {
    const words = new Tensor('float32', floats(batch * WORDS * 200), [batch, WORDS, 200]);
    Object.assign(ours, { words, [own('text')]: lengths(WORDS) });
    torch.text = words;
  }
  if (all) ours.presence = new Tensor('float32', new Float32Array(batch * 3).fill(1), [batch, 3]);
  return { ours, torch };
}
