import fs from 'node:fs/promises';
import process from 'node:process';
import { z } from 'zod';
import { MerError } from '../../common/errors.js';
import { SETUP_DIR } from '../../common/paths.js';
import { execute } from './execute.js';

/** Something that set-up needs of the machine, or could not bring. The remedy ends with running set-up again. */
export function missingPart(message: string, remedy: string, cause?: unknown): MerError {
  return new MerError('missing_part', message, `${remedy}, then run this again.`, { cause });
}

/** @throws MerError when the disk that holds the set-up folder has less than `bytes` free */
export async function requireSpace(bytes: number, what: string): Promise<void> {
  await fs.mkdir(SETUP_DIR, { recursive: true });
  const { bavail, bsize } = await fs.statfs(SETUP_DIR);
  const free = bavail * bsize;
  const gigabytes = (value: number) => `${(value / 1e9).toFixed(1)} GB`;
  if (free < bytes)
    throw missingPart(
      `${what} needs ${gigabytes(bytes)} of disk space while it is installed, and ${SETUP_DIR} has ${gigabytes(free)}.`,
      'Free some space or set MER_HOME to a folder on a larger disk',
    );
}

const reportSchema = z.object({ header: z.object({ glibcVersionRuntime: z.string().optional() }) });

/** @throws MerError where the prebuilt native libraries do not run: they exist for Linux x64 with glibc 2.28 or later */
export function requireLinuxX64(what: string): void {
  const platform = `${process.platform} ${process.arch}`;
  if (platform !== 'linux x64')
    throw missingPart(`${what} exists for Linux x64 only, and this is ${platform}.`, 'Use a Linux x64 machine for it');
  const report: unknown = process.report.getReport();
  const { glibcVersionRuntime: glibc } = reportSchema.parse(report).header;
  const [major = 0, minor = 0] = (glibc ?? '').split('.').map(Number);
  if (major < 2 || (major === 2 && minor < 28))
    throw missingPart(
      `${what} needs glibc 2.28 or later, and this system has ${glibc ?? 'another C library'}.`,
      'Use a newer distribution with glibc, such as Debian 12',
    );
}

/** The C++ compiler of the machine. @throws MerError when there is none */
export async function requireCompiler(): Promise<string> {
  const compiler = process.env.CXX ?? 'c++';
  const { status } = await execute(compiler, ['--version']);
  if (status === 0) return compiler;
  throw missingPart(
    `There is no C++ compiler (${compiler}) for the TensorFlow binding.`,
    'Install one (Debian or Ubuntu: apt-get install g++)',
  );
}
