import { execFileSync } from 'node:child_process';
import process from 'node:process';

/**
 * Bytes that this process can still take: of the machine (or of the container's limit), or of the first GPU.
 * `MER_MEMORY_LIMIT_GB` sets the whole that the process may have, for trials and for sharing a machine.
 */
export function freeMemory(onGpu: boolean): number {
  if (onGpu) return freeGpuMemory() ?? process.availableMemory();
  const limit = Number(process.env.MER_MEMORY_LIMIT_GB ?? 'NaN') * 2 ** 30;
  const available = process.availableMemory();
  return Number.isFinite(limit) ? Math.min(available, limit - process.memoryUsage.rss()) : available;
}

/** null where nvidia-smi does not answer. */
function freeGpuMemory(): number | null {
  try {
    const answer = execFileSync('nvidia-smi', ['--query-gpu=memory.free', '--format=csv,noheader,nounits'], {
      encoding: 'utf8',
    });
    const mebibytes = Number.parseInt(answer, 10);
    return Number.isFinite(mebibytes) ? mebibytes * 2 ** 20 : null;
  } catch {
    return null;
  }
}
