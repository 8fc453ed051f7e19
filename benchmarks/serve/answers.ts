import { type Answer, answerSchema } from '../../serving/answer.js';
import type { HttpClient } from '../load/http-client.js';
import { median, summarise } from '../statistics.js';
import type { BenchClip } from './clips.js';
import { type AnsweredClip, STAGES } from './protocol.js';

/** One answer, and the seconds that its client waited for it. */
export interface Answered {
  seconds: number;
  answer: Answer;
}

/** Sends a clip alone. @throws Error when it is not answered, which no benchmark may hide */
export async function answerClip(client: HttpClient, { name, upload }: BenchClip): Promise<Answered> {
  const reply = await client.call({ method: 'POST', path: '/v1/predict', upload });
  if (reply.status !== 200) throw new Error(`${name} was answered ${reply.status}: ${reply.body.toString()}`);
  return { seconds: reply.seconds, answer: answerSchema.parse(JSON.parse(reply.body.toString())) };
}

/** What repeated answers to one clip say of its cost. */
export function summariseAnswers(clip: BenchClip, answered: readonly Answered[]): AnsweredClip {
  const { name, width, height, duration } = clip;
  const split = answered.map(({ seconds, answer: { timings } }) => {
    const { queued, decode, audio, faces, inference, total } = timings;
    const rest = Math.max(0, total - queued - decode - audio - faces - inference);
    return { http: seconds - total, queued, decode, audio, faces, inference, rest };
  });
  const stage = (name: (typeof STAGES)[number]) => median(split.map((stages) => stages[name]));
  return {
    ...{ clip: name, width, height, duration },
    ours: summarise(answered.map(({ seconds }) => seconds)),
    stages: Object.fromEntries(STAGES.map((name) => [name, stage(name)])) as AnsweredClip['stages'],
  };
}

/** One clip after the other, each `repeats` times after one that does not count. */
export async function measureAlone(
  client: HttpClient,
  clips: readonly BenchClip[],
  repeats: number,
): Promise<AnsweredClip[]> {
  const results: AnsweredClip[] = [];
  for (const clip of clips) {
    await answerClip(client, clip);
    const answered: Answered[] = [];
    for (let i = 0; i < repeats; i++) answered.push(await answerClip(client, clip));
    results.push(summariseAnswers(clip, answered));
  }
  return results;
}
