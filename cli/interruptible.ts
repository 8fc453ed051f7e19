/**
 * Runs long work that Ctrl-C ends after what is in work; a second one ends the program at once.
 *
 * @param note is printed at the first one
 */
export async function interruptible<Result>(
  note: string,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(130);
    process.stderr.write(`\n${note}; press Ctrl-C again to leave at once.\n`);
    controller.abort();
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  try {
    return await work(controller.signal);
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}
