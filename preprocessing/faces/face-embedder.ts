import { InferenceSession, Tensor } from 'onnxruntime-node';
import { MerError } from '../../common/errors.js';
import { CROP_SIZE, EMBEDDING_SIZE, type FaceEmbeddings, type FaceFeatures, type Missing } from '../features.js';
import { CROP_BYTES } from './crop.js';

/** The network as a file, and what it was made of. */
export interface FaceEmbeddingNet {
  /** ONNX file: crops uint8 (N, 224, 224, 3) -> embeddings float32 (N, 512). */
  net: string;
  /** sha256 of the weights that it was made of. */
  model: string;
}

export interface FaceEmbedder {
  /** One unit vector of 512 numbers for each crop; none where there is no face. */
  embed(face: FaceFeatures | Missing): Promise<FaceEmbeddings>;
  dispose(): Promise<void>;
}

/** Crops computed at once: larger batches are no faster on a CPU, and each crop needs 20 MB at the widest layer. */
const BATCH = 8;

/**
 * Embeds face crops with InceptionResnetV1 (facenet-pytorch). Resizing to 160 x 160 and normalisation are inside the
 * network's file; its builder says how they are done.
 *
 * @throws MerError bad_file when the file is no such network
 */
export async function createFaceEmbedder({ net, model }: FaceEmbeddingNet, threads: number): Promise<FaceEmbedder> {
  let session: InferenceSession;
  try {
    session = await InferenceSession.create(net, {
      executionProviders: ['cpu'],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      enableMemPattern: false,
    });
  } catch (error) {
    throw new MerError('bad_file', `The face embedding network ${net} cannot be opened.`, REMEDY, { cause: error });
  }
  return {
    async embed(face) {
      if (face.status !== 'used') return { model, frames: 0, data: new Float32Array(0) };
      const data = new Float32Array(face.frames * EMBEDDING_SIZE);
      for (let first = 0; first < face.frames; first += BATCH) {
        const count = Math.min(BATCH, face.frames - first);
        const crops = face.data.subarray(first * CROP_BYTES, (first + count) * CROP_BYTES);
        const outputs = await session.run({ crops: new Tensor('uint8', crops, [count, CROP_SIZE, CROP_SIZE, 3]) });
        const found = outputs.embeddings?.data;
        if (!(found instanceof Float32Array) || found.length !== count * EMBEDDING_SIZE) {
          throw new MerError('bad_file', `The face embedding network ${net} has no output embeddings.`, REMEDY);
        }
        data.set(found, first * EMBEDDING_SIZE);
      }
      return { model, frames: face.frames, data };
    },
    dispose: () => session.release(),
  };
}

const REMEDY = 'Delete it; `mer preprocess --face_embeddings FILE.pt` makes it again.';
