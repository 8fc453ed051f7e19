import { z } from 'zod';

/** What a child process is told: once how to set itself up, then tasks; `cancel`: nobody waits for that one any more. */
export const toChildSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('start'), config: z.unknown() }),
  z.object({ type: z.literal('task'), id: z.number().int(), request: z.unknown() }),
  z.object({ type: z.literal('cancel'), id: z.number().int() }),
]);

export type ToChild = z.infer<typeof toChildSchema>;

const errorSchema = z.object({ code: z.string(), message: z.string(), remedy: z.string() });

/** What a child process answers. `progress` tells something of a task that goes on. `failed` means that the set-up failed and that the process is about to end. */
export const fromChildSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), info: z.unknown() }),
  z.object({ type: z.literal('failed'), error: errorSchema }),
  z.object({ type: z.literal('progress'), id: z.number().int(), progress: z.unknown() }),
  z.object({ type: z.literal('result'), id: z.number().int(), result: z.unknown() }),
  z.object({ type: z.literal('error'), id: z.number().int(), error: errorSchema }),
]);

export type FromChild = z.infer<typeof fromChildSchema>;
