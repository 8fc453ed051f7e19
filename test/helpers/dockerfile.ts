import { execFile } from 'node:child_process';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { PROJECT_ROOT } from '../../common/paths.js';

export interface Instruction {
  /** In capitals, such as `COPY`. */
  keyword: string;
  /** All after the keyword, continued lines joined. */
  text: string;
}

export interface Stage {
  /** What `COPY --from` calls it; empty where it has no name. */
  name: string;
  instructions: Instruction[];
}

/** The stages of a Dockerfile of the project. */
export async function readDockerfile(file: string): Promise<Stage[]> {
  const text = await fsp.readFile(path.join(PROJECT_ROOT, file), 'utf8');
  const lines = text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .replaceAll('\\\n', '')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const stages: Stage[] = [];
  for (const line of lines) {
    const [, keyword, rest] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    if (keyword === undefined || rest === undefined) throw new Error(`${file}: cannot read the line ${line}`);
    if (keyword === 'FROM') stages.push({ name: /\sAS (\S+)$/.exec(rest)?.[1] ?? '', instructions: [] });
    else stages.at(-1)!.instructions.push({ keyword, text: rest });
  }
  return stages;
}

/** The arguments of an instruction in JSON form, such as those of `CMD`. */
export function jsonArguments({ instructions }: Stage, keyword: string): string[] {
  const { text } = instructions.find((instruction) => instruction.keyword === keyword) ?? {};
  return z.array(z.string()).parse(JSON.parse(text?.slice(text.indexOf('[')) ?? 'null'));
}

/** The variables that the instructions `ENV` set. */
export function environmentOf({ instructions }: Stage): Record<string, string> {
  const assignments = instructions.filter(({ keyword }) => keyword === 'ENV').flatMap(({ text }) => text.split(/\s+/));
  return Object.fromEntries(assignments.map((text) => text.split('=', 2)));
}

/**
 * Does what a builder would do, each stage in a folder instead of an image: `WORKDIR`, `COPY` and `RUN` are followed to
 * the letter; an instruction of another kind changes no file. A `RUN` that calls apt-get prepares the machine, which
 * is this one here, and is left out.
 * @param root where `<stage name>/` is made for each stage, `final` for the last
 * @param env environment of the commands
 * @returns the folder of the last stage
 */
export async function followDockerfile(
  stages: readonly Stage[],
  root: string,
  env: NodeJS.ProcessEnv,
): Promise<string> {
  const folderOf = (name: string) => path.join(root, name || 'final');
  for (const { name, instructions } of stages) {
    const folder = folderOf(name);
    let workdir = folder;
    for (const { keyword, text } of instructions) {
      if (keyword === 'WORKDIR') {
        workdir = path.join(folder, text);
        await fsp.mkdir(workdir, { recursive: true });
      }
      if (keyword === 'RUN' && !text.includes('apt-get')) {
        await promisify(execFile)('/bin/sh', ['-c', text], { cwd: workdir, env });
      }
      if (keyword === 'COPY') {
        const parts = text.split(/\s+/);
        const from = parts[0]!.startsWith('--from=') ? parts.shift()!.slice('--from='.length) : null;
        const target = parts.pop()!;
        for (const source of parts) {
          if (from !== null) await copy(path.join(folderOf(from), source), path.resolve(workdir, target));
          else await copyFromContext(source, workdir, target);
        }
      }
    }
  }
  return folderOf(stages.at(-1)!.name);
}

/** A folder is copied into the target; so is a file where the target is a folder, which then ends with a slash. */
async function copy(source: string, target: string): Promise<void> {
  await fsp.cp(source, target, { recursive: true, verbatimSymlinks: true });
}

/** What .dockerignore, a list of plain paths, lets through to the builder. */
async function copyFromContext(source: string, workdir: string, target: string): Promise<void> {
  const lines = (await fsp.readFile(path.join(PROJECT_ROOT, '.dockerignore'), 'utf8')).split('\n');
  const ignored = lines.filter((line) => line !== '' && !line.startsWith('#'));
  const from = path.join(PROJECT_ROOT, source);
  const isFolder = (await fsp.stat(from)).isDirectory();
  await fsp.cp(from, path.resolve(workdir, target, isFolder ? '' : source), {
    recursive: true,
    filter: (file) => !ignored.includes(path.relative(PROJECT_ROOT, file)),
  });
}
