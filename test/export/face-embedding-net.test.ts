import fs from 'node:fs';
import fsp from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { sha256File } from '../../common/files.js';
import { decodeNpy } from '../../common/npy.js';
import { PROJECT_ROOT } from '../../common/paths.js';
import type { StateDict } from '../../common/safetensors.js';
import { faceEmbeddingNet } from '../../export/face-embedding-net.js';
import { listClips, loadClipFeatures } from '../../preprocessing/corpus/feature-store.js';
import { createFaceEmbedder, type FaceEmbedder } from '../../preprocessing/faces/face-embedder.js';
import type { FaceFeatures } from '../../preprocessing/features.js';
import { goldenFrames } from '../helpers/golden-inputs.js';
import { inceptionResnetState } from '../helpers/inception-resnet.js';
import { largestDifference } from '../helpers/onnx-files.js';
import { torchFile } from '../helpers/torch-file.js';
import { withCorpus } from '../preprocessing/corpus-helpers.js';
import { goldenClip } from '../preprocessing/helpers.js';

let folder: string;
let weights: string;
let embedder: FaceEmbedder;

beforeAll(async () => {
  folder = await fsp.mkdtemp(path.join(os.tmpdir(), 'mer-test-'));
  weights = path.join(folder, 'weights.pt');
  await fsp.writeFile(weights, torchFile(inceptionResnetState()));
  embedder = await createFaceEmbedder(await faceEmbeddingNet(weights, folder), 2);
});

afterAll(async () => {
  await embedder?.dispose();
  await fsp.rm(folder, { recursive: true });
});

async function goldenFaces(): Promise<FaceFeatures> {
  return { status: 'used', data: await goldenFrames(), frames: 4, times: [0, 1, 2, 3] };
}

function converting(state: StateDict) {
  const file = path.join(folder, 'bad.pt');
  fs.writeFileSync(file, torchFile(state));
  return faceEmbeddingNet(file, folder);
}

const tensor = (...shape: number[]) => ({
  dtype: 'F32' as const,
  shape,
  data: new Float32Array(shape.reduce((product, size) => product * size, 1)),
});

describe('face embeddings', () => {
  it("are those of facenet-pytorch's InceptionResnetV1", async () => {
    const golden = decodeNpy(
      await fsp.readFile(path.join(PROJECT_ROOT, 'test', 'golden', 'face_embeddings.npy')),
      'face_embeddings.npy',
    );
    const { data, frames } = await embedder.embed(await goldenFaces());
    expect(frames).toBe(4);
    // Both compute in float32 and sum in another order (7e-8 measured); the four faces differ by 4e-3.
    expect(largestDifference(data, golden.data)).toBeLessThan(1e-5);
  });

  it('are the same for a crop alone and among others', async () => {
    const faces = await goldenFaces();
    const all = await embedder.embed(faces);
    const crop = faces.data.length / 4;
    const last = await embedder.embed({ ...faces, data: faces.data.slice(3 * crop), frames: 1, times: [3] });
    // The same kernels on another batch size: equal but for the last bits.
    expect(largestDifference(last.data, all.data.slice(3 * 512))).toBeLessThan(1e-6);
  });

  it('are none for a clip without a face', async () => {
    const { frames, data, model } = await embedder.embed({ status: 'missing', reason: 'no face' });
    expect({ frames, numbers: data.length }).toEqual({ frames: 0, numbers: 0 });
    expect(model).toBe(await sha256File(weights));
  });

  it('are of a network that is converted once', async () => {
    const { net } = await faceEmbeddingNet(weights, folder);
    const { mtimeMs } = await fsp.stat(net);
    expect(await faceEmbeddingNet(weights, folder)).toMatchObject({ net });
    expect((await fsp.stat(net)).mtimeMs).toBe(mtimeMs);
  });
});

describe('a corpus', () => {
  beforeEach(() => {
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('gets an embedding for each kept crop when it is asked for, and else no folder for them', async () => {
    await withCorpus(async ({ folder: corpus, features, run }) => {
      const clip = path.join(corpus, 'qia2020/train/00002-ang-neu-ang.mp4');
      await fsp.mkdir(path.dirname(clip), { recursive: true });
      await fsp.copyFile(goldenClip(2), clip);
      const without = await run({ maxFrames: 3 });
      expect(without.summary.faceEmbeddings).toBeNull();
      expect(await fsp.readdir(path.join(features, 'train'))).not.toContain('video_embedding');

      const faceEmbedding = await faceEmbeddingNet(weights, folder);
      const { summary } = await run({ maxFrames: 3, faceEmbedding });
      expect(summary).toMatchObject({ faceEmbeddings: faceEmbedding.model, splits: { train: { reused: 0 } } });
      const [record] = await listClips(features, 'train');
      expect(record).toMatchObject({ embedding: { model: faceEmbedding.model }, face: { frames: 3 } });
      const file = path.join(features, 'train/video_embedding/00002-ang-neu-ang.npy');
      const stored = decodeNpy(await fsp.readFile(file), file);
      expect(stored.shape).toEqual([3, 512]);
      const { face } = await loadClipFeatures(features, 'train', record!);
      const { data } = await embedder.embed(face);
      // The worker computes with one thread, this process with two: equal but for the last bits.
      expect(largestDifference(stored.data, data)).toBeLessThan(1e-6);
    });
  });
});

describe('a file is refused as face embedding network', () => {
  it('when it is a pickle that would run a program', async () => {
    const file = path.join(folder, 'hostile.pt');
    fs.writeFileSync(file, `cposix\nsystem\n(Vtouch ${path.join(folder, 'owned')}\ntR.`);
    await expect(faceEmbeddingNet(file, folder)).rejects.toMatchObject({
      code: 'bad_file',
      message: expect.stringContaining('posix.system'),
    });
    expect(fs.existsSync(path.join(folder, 'owned'))).toBe(false);
  });

  it('when it holds another network', async () => {
    const other = converting(new Map([['conv1.weight', tensor(10, 3, 3, 3)]]));
    await expect(other).rejects.toMatchObject({
      code: 'bad_file',
      message: expect.stringContaining('lacks conv2d_1a.conv.weight'),
    });
  });

  it('when a weight has another shape', async () => {
    const other = converting(new Map([['conv2d_1a.conv.weight', tensor(32, 1, 3, 3)]]));
    await expect(other).rejects.toMatchObject({ message: expect.stringContaining('(32, 1, 3, 3)') });
  });

  it('when it is not there', async () => {
    await expect(faceEmbeddingNet(path.join(folder, 'none.pt'))).rejects.toMatchObject({ code: 'not_found' });
  });
});
