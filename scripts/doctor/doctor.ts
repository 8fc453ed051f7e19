import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { findNewestBundle, verifyBundle } from '../../common/bundle-files.js';
import { asMerError } from '../../common/errors.js';
import { readJson } from '../../common/files.js';
import { MTCNN_DIR, PROJECT_ROOT } from '../../common/paths.js';
import { onnxruntimeParts } from './onnxruntime.js';
import { absent, broken, type Part, type Subject, working } from './part.js';
import { ffmpegPart, gpuPart, mtcnnPart, nodePart, pythonPart } from './programs.js';
import { tensorflowPart } from './tensorflow.js';

const packageSchema = z.object({ engines: z.object({ node: z.string() }) });

/** Looks at every part of the installation and tries those that can be tried. */
export async function examine(): Promise<Part[]> {
  const { engines } = await readJson(path.join(PROJECT_ROOT, 'package.json'), packageSchema);
  const bundleFolder = await findNewestBundle().catch(() => null);
  const nets = [MTCNN_DIR, bundleFolder].flatMap((folder) => (folder ? [path.join(folder, 'pnet.onnx')] : []));
  return [
    nodePart(engines.node),
    await ffmpegPart(),
    ...(await onnxruntimeParts(nets.find((net) => fs.existsSync(net)) ?? null)),
    await gpuPart(),
    await pythonPart(),
    await mtcnnPart(),
    await tensorflowPart(),
    await bundlePart(bundleFolder),
  ];
}

/** The bundle that `mer serve` would take, with every file of it checked. */
async function bundlePart(folder: string | null): Promise<Part> {
  const subject: Subject = { id: 'bundle', name: 'Newest bundle', neededFor: 'serving', install: 'npm run demo' };
  if (!folder) return absent(subject);
  try {
    const bundle = await verifyBundle(folder);
    return working(subject, bundle.version, `${bundle.name} in ${path.relative(process.cwd(), folder) || '.'}`);
  } catch (error) {
    return broken(subject, null, asMerError(error).message);
  }
}

/** The parts as a table for people: one line each, and what to do about those that do not work. */
export function formatParts(parts: readonly Part[]): string {
  const width = Math.max(...parts.map(({ name }) => name.length));
  const lines = parts.map(({ name, status, version, detail, neededFor, remedy }) => {
    const found = [version, detail].filter(Boolean).join(', ');
    const said = remedy === null ? found : [found, `needed for ${neededFor}: ${remedy}`].filter(Boolean).join('; ');
    return `${name.padEnd(width)}  ${status.padEnd('working'.length)}  ${said}`;
  });
  return `${lines.join('\n')}\n`;
}
