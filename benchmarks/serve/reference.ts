import path from 'node:path';
import { z } from 'zod';
import { readJson } from '../../common/files.js';
import { PROJECT_ROOT } from '../../common/paths.js';
import type { HttpClient } from '../load/http-client.js';
import { describeMachine } from '../machine.js';
import { checkGolden, checkSeconds } from '../preprocess-fairness.js';
import { referenceClipSchema } from '../preprocess-protocol.js';
import { ReferenceSession } from '../reference/session.js';
import { median, summarise } from '../statistics.js';
import { type Answered, answerClip, summariseAnswers } from './answers.js';
import { type BenchClip, benchWords } from './clips.js';
import type { AnsweredClip } from './protocol.js';

const GOLDEN = path.join(PROJECT_ROOT, 'test', 'golden');
/** PyTorch against itself on another machine: the order of float32 sums. */
const MAX_LOGIT = 5e-5;
const REFERENCE_WORD_DIM = 200;
/** Turns of each side that are not measured. */
const WARMUP = 2;

const logits = z.array(z.number()).length(7);
const firstLineSchema = z.object({ golden: logits });
const answerSchema = referenceClipSchema.extend({
  stages: referenceClipSchema.shape.stages.extend({ networks: z.number() }),
  logits: z.array(logits).length(4),
});
type ReferenceAnswer = z.infer<typeof answerSchema>;

/**
 * From clip to answer: ours over HTTP, and the PyTorch reference in its process, in turns on the same clips while the
 * other one rests.
 *
 * @returns a row a clip, and why no ratio may be claimed
 */
export async function measureAgainstReference(
  client: HttpClient,
  clips: readonly BenchClip[],
  { threads, repeats, folder }: { threads: number; repeats: number; folder: string },
): Promise<{ answers: AnsweredClip[]; unfair: string[] }> {
  const session = await ReferenceSession.start('predict.py', threads, [GOLDEN]);
  try {
    const unfair = await checkNetworks(firstLineSchema.parse(await session.next()).golden);
    const words = benchWords(REFERENCE_WORD_DIM);
    const mel = path.join(folder, 'mel.npy');
    const answers: AnsweredClip[] = [];
    for (const clip of clips) {
      const ours: Answered[] = [];
      const theirs: ReferenceAnswer[] = [];
      for (let turn = 0; turn < WARMUP + repeats; turn++) {
        const one = await answerClip(client, clip);
        const other = answerSchema.parse(await session.execute({ clip: clip.file, mel, words }));
        if (turn < WARMUP) continue;
        ours.push(one);
        theirs.push(other);
      }
      const seconds = summarise(theirs.map((answer) => answer.seconds));
      const networks = median(theirs.map(({ stages }) => stages.networks));
      const preprocessing = median(theirs.map((answer) => answer.seconds - answer.stages.networks));
      answers.push({
        ...summariseAnswers(clip, ours),
        reference: seconds,
        referenceStages: { preprocessing, networks },
      });
      unfair.push(
        ...(await checkGolden(clip.file, theirs.at(-1)!, mel)),
        ...checkSeconds('answer', clip.file, seconds.median, threads, describeMachine()),
      );
    }
    return { answers, unfair };
  } finally {
    await session.kill();
  }
}

/** Whether the reference's networks are the reference system's: the golden inputs must give the golden logits. */
async function checkNetworks(found: readonly number[]): Promise<string[]> {
  const schema = z.object({ multimodal: z.object({ fused: logits }) });
  const { multimodal } = await readJson(path.join(GOLDEN, 'reference-logits.json'), schema);
  const off = Math.max(...multimodal.fused.map((value, i) => Math.abs(value - found[i]!)));
  return off < MAX_LOGIT ? [] : [`the reference script's logits are ${off.toExponential(1)} off the golden ones`];
}
