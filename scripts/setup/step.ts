/** One part that set-up can bring: idempotent, and a run that was interrupted is simply run again. */
export interface Step {
  readonly name: string;
  /** Whether the part is there and whole. Cheap: it is asked at every start of a command. */
  isDone(): Promise<boolean>;
  /**
   * What the step needs of the machine. Asked of all steps that are to run before the first one starts, so that a
   * missing compiler is told before a long download and not after it.
   * @throws MerError missing_part
   */
  check(): Promise<void>;
  /** Brings the part. Makes it under another name and renames it when whole. @throws MerError missing_part */
  run(): Promise<void>;
}

const NAME_WIDTH = 28;
const STATE_WIDTH = 14;

/**
 * Runs the steps that are not done yet, in order, and prints each with whether it was there and its seconds.
 * @param lock held while something is made; not taken when all is there
 * @param quiet prints only what is made
 */
export async function runSteps(
  steps: readonly Step[],
  { print, lock, quiet }: { print: (line: string) => void; lock: () => Promise<() => Promise<void>>; quiet: boolean },
): Promise<void> {
  const line = (name: string, state: string, startedAt: number) =>
    print(
      `${name.padEnd(NAME_WIDTH)} ${state.padEnd(STATE_WIDTH)} ${((performance.now() - startedAt) / 1000).toFixed(1)} s`,
    );
  const pending: Step[] = [];
  for (const step of steps) {
    const startedAt = performance.now();
    if (!(await step.isDone())) pending.push(step);
    else if (!quiet) line(step.name, 'already there', startedAt);
  }
  if (pending.length === 0) return;
  const unlock = await lock();
  try {
    for (const step of pending) await step.check();
    for (const step of pending) {
      const startedAt = performance.now();
      await step.run();
      line(step.name, 'installed', startedAt);
    }
  } finally {
    await unlock();
  }
}
