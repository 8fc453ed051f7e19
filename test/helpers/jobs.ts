import { type Job, jobSchema } from '../../serving/jobs/job.js';

/** What a stream of server-sent events said, to its end. */
export function parseEvents(text: string): { event: string; job: Job }[] {
  const blocks = text.split('\n\n').filter((block) => block !== '' && !block.startsWith(':'));
  return blocks.map((block) => {
    const [, event, data] = /^event: (\w+)\ndata: (.+)$/.exec(block) ?? [];
    if (event === undefined || data === undefined) throw new Error(`Not an event: ${block}`);
    return { event, job: jobSchema.parse(JSON.parse(data)) };
  });
}
