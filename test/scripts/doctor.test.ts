import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { PROJECT_ROOT } from '../../common/paths.js';
import { examine, formatParts } from '../../scripts/doctor/doctor.js';
import type { Part } from '../../scripts/doctor/part.js';

const answerSchema = z.object({
  parts: z.array(z.object({ id: z.string(), status: z.enum(['working', 'absent']), remedy: z.string().nullable() })),
});

describe('mer doctor', () => {
  let parts: Part[];
  beforeAll(async () => {
    parts = await examine();
  });

  it('finds the parts working that set-up brought', () => {
    const found = new Map(parts.map((part) => [part.id, part]));
    for (const id of ['node', 'ffmpeg', 'onnxruntime-cpu', 'python', 'mtcnn', 'tensorflow'])
      expect(found.get(id), id).toMatchObject({ status: 'working', remedy: null });
    expect(found.get('tensorflow')?.version).toMatch(/^2\./);
    expect(found.get('onnxruntime-cpu')?.version).toBe('1.30.0');
  });

  it('prints a line for each part', () => {
    const lines = formatParts(parts).trimEnd().split('\n');
    expect(lines).toHaveLength(parts.length);
    for (const [index, { name, status }] of parts.entries())
      expect(lines[index]?.replace(/\s+/g, ' ')).toContain(`${name} ${status}`);
  });

  it('names what brings each absent part, as JSON, and takes it for no failure', () => {
    const empty = fs.mkdtempSync(path.join(os.tmpdir(), 'mer-doctor-'));
    const main = path.join(PROJECT_ROOT, 'cli', 'main.ts');
    const code = `const { main } = await import(${JSON.stringify(main)}); await main(['', '', 'doctor', '--json']);`;
    const { status, stdout } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', code], {
      cwd: PROJECT_ROOT,
      env: { ...process.env, MER_HOME: empty },
      encoding: 'utf8',
    });
    fs.rmSync(empty, { recursive: true });
    const absent = answerSchema.parse(JSON.parse(stdout)).parts.filter((part) => part.status === 'absent');
    expect(absent.map(({ id }) => id)).toEqual(expect.arrayContaining(['python', 'mtcnn', 'tensorflow']));
    for (const { id, remedy } of absent) expect(remedy, id).not.toBe(null);
    expect(status).toBe(0);
  });
});
