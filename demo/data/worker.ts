import sharp from 'sharp';
import { z } from 'zod';
import { asMerError } from '../../common/errors.js';
import { VIDEO_ENCODERS } from './encode-clip.js';
import { makeClip } from './make-clip.js';
import { planCorpus } from './plan.js';

// A child process of makeDemoCorpus: gets the number of a clip, makes it, and answers with the same number.

const settings = z
  .object({
    out: z.string(),
    clips: z.number().int(),
    seed: z.number().int(),
    encoder: z.enum(VIDEO_ENCODERS),
  })
  .parse(JSON.parse(process.argv[2] ?? ''));
const plans = planCorpus(settings.clips, settings.seed);
// The parent runs as many of us as there are processors to use.
sharp.concurrency(1);

process.on('message', (message: unknown) => {
  const index = z.number().int().parse(message);
  const plan = plans[index]!;
  makeClip(settings.out, plan, settings.seed, settings.encoder).then(
    () => process.send?.({ index }),
    (error: unknown) => process.send?.({ index, error: asMerError(error).toJSON() }),
  );
});
process.on('disconnect', () => process.exit());
