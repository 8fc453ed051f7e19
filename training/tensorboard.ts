import fsp from 'node:fs/promises';
import path from 'node:path';

/** Scalars of a run for TensorBoard. */
export interface EventWriter {
  /** @param tag such as `train/loss`; the part before the slash groups the charts */
  scalar(tag: string, value: number, step: number): void;
  /** Puts what was written on disk. */
  flush(): void;
}

/**
 * Writes event files (`events.out.tfevents.*`) into a run's folder, through TensorFlow's own writer. After a resumption
 * a second file lies beside the first; what both hold is the same.
 */
export async function createEventWriter(run: string): Promise<EventWriter> {
  const tf = await import('@tensorflow/tfjs-node-gpu');
  return tf.node.summaryFileWriter(path.resolve(run));
}

/** Removes the event files of a run that is started anew. */
export async function removeEvents(run: string): Promise<void> {
  for (const name of await fsp.readdir(run).catch(() => [])) {
    if (name.startsWith('events.out.tfevents.')) await fsp.rm(path.join(run, name), { force: true });
  }
}
