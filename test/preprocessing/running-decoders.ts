import fsp from 'node:fs/promises';

/** Ids of the children of this process that run ffmpeg. */
export async function decoders(): Promise<string[]> {
  const children = await fsp.readFile(`/proc/self/task/${process.pid}/children`, 'utf8');
  const names = await Promise.all(
    children.split(' ').map(async (pid) => [pid, await fsp.readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')]),
  );
  return names.filter(([, name]) => name === 'ffmpeg\n').map(([pid]) => pid!);
}
