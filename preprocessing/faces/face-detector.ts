import { type Picture, type PixelRectangle, sizeOf, wholeOf } from '../media/picture.js';
import { type Box, boxArea, regressBox, squareBox, suppressContained, suppressOverlaps } from './boxes.js';
import { DetectionNet, type DetectionNetOptions, type NetOutputs } from './detection-net.js';
import { IntegralImage } from './integral-image.js';
import { type Candidate, CELL, gridSize, joinProposals, pyramid, readProposals, rowByRow, tiles } from './proposals.js';

/** A detected face. Coordinates are pixels of the frame and may lie outside of it. */
export interface Face {
  box: Box;
  /** O-Net's probability; above FACE_THRESHOLD it counts as a face. */
  probability: number;
  /** x, y of the left eye, right eye, nose, left and right mouth corner. */
  points: [number, number][];
}

export interface FaceDetector {
  /** Detections that may be under way at once, each in a process of its own; 1 when absent. */
  readonly processes?: number;
  /**
   * All faces of a frame, the largest first.
   *
   * @param minFace smallest face in pixels that is looked for; the cost falls with its square
   * @param enough where faces of this size or more are found, smaller ones are not looked for
   */
  detect(frame: Picture, minFace?: number, enough?: number): Promise<Face[]>;
  /**
   * What the last net of the cascade alone makes of a place that is nearly known from other frames: the face's exact
   * box, and how probable it is that there is one (from 0 on). Null when the place is out of the frame.
   */
  refine(frame: Picture, place: Box): Promise<Face | null>;
  /** Frees the native sessions. */
  dispose(): Promise<void>;
}

/** Smallest face in pixels that is looked for, unless asked otherwise. */
export const MIN_FACE = 20;
/** Above this probability of O-Net it is a face. */
export const FACE_THRESHOLD = 0.7;

const RNET_THRESHOLD = 0.7;
/** Two scales that differ less are the same one, computed in another order. */
const SAME_SCALE = 1e-9;
const RNET_SIDE = 24;
const ONET_SIDE = 48;
/** R- and O-Net see at most so many crops at once, which bounds their memory; more at once are no faster. */
const MAX_CROPS = 16;
/** On the processor P-Net sees tiles of at most so many cells a side: the maps of one fit into a core's cache. */
const TILE_CELLS = 59;

const f = Math.fround;

/**
 * Loads the three nets of MTCNN (Zhang et al. 2016) and runs the cascade as facenet-pytorch 2.6 does with min_face 20,
 * thresholds 0.6, 0.7, 0.7 and factor 0.6, including its float32 roundings.
 *
 * @throws MerError missing_part when a net is not there
 */
export async function createFaceDetector(options: DetectionNetOptions): Promise<FaceDetector> {
  const load = (name: 'pnet' | 'rnet' | 'onet') => DetectionNet.load(name, options);
  const [pnet, rnet, onet] = await Promise.all([load('pnet'), load('rnet'), load('onet')]);
  return new Mtcnn(pnet, rnet, onet, options.provider ? Number.POSITIVE_INFINITY : TILE_CELLS, options.onDetection);
}

/** What one detection at a time needs of memory; kept and lent anew, for allocating it anew costs more than filling it. */
class Workspace {
  readonly integral = new IntegralImage();
  readonly #rooms = new Map<string, Float32Array>();

  /** Room for an output of P-Net; valid until the next call with the same name. */
  floats(name: 'boxes' | 'probabilities', size: number): Float32Array {
    let room = this.#rooms.get(name);
    if (!room || room.length < size) {
      room = new Float32Array(size);
      this.#rooms.set(name, room);
    }
    return room.subarray(0, size);
  }
}

class Mtcnn implements FaceDetector {
  readonly #pnet: DetectionNet;
  readonly #rnet: DetectionNet;
  readonly #onet: DetectionNet;
  readonly #tileCells: number;
  readonly #onDetection: DetectionNetOptions['onDetection'];
  /** Detections may overlap in time (several clips in one process): each borrows a workspace of its own. */
  readonly #idle: Workspace[] = [];

  constructor(
    pnet: DetectionNet,
    rnet: DetectionNet,
    onet: DetectionNet,
    tileCells: number,
    onDetection: DetectionNetOptions['onDetection'],
  ) {
    this.#pnet = pnet;
    this.#rnet = rnet;
    this.#onet = onet;
    this.#tileCells = tileCells;
    this.#onDetection = onDetection;
  }

  detect(frame: Picture, minFace = MIN_FACE, enough = minFace): Promise<Face[]> {
    return this.#borrow(async (workspace) => {
      workspace.integral.load(frame);
      const scales = pyramid(frame, minFace);
      const fine = scales.filter((scale) => scale > (CELL / enough) * (1 + SAME_SCALE));
      const large = await this.#propose(workspace, frame, scales.slice(fine.length));
      const faces = await this.#findIn(workspace, frame, large);
      if (faces.length > 0 || fine.length === 0) return faces;
      const small = await this.#propose(workspace, frame, fine);
      return this.#findIn(workspace, frame, [...small, ...large]);
    });
  }

  async refine(frame: Picture, place: Box): Promise<Face | null> {
    const square = squareBox(place);
    const pixels = clip(square, frame);
    if (isEmpty(pixels)) return null;
    return this.#borrow(async (workspace) => {
      workspace.integral.load(frame, pixels);
      const [face] = await this.#locate(workspace, frame, [square]);
      return face ?? null;
    });
  }

  async #borrow<T>(work: (workspace: Workspace) => Promise<T>): Promise<T> {
    const start = performance.now();
    const workspace = this.#idle.pop() ?? new Workspace();
    try {
      return await work(workspace);
    } finally {
      this.#idle.push(workspace);
      this.#onDetection?.(performance.now() - start);
    }
  }

  async dispose(): Promise<void> {
    await Promise.all([this.#pnet.release(), this.#rnet.release(), this.#onet.release()]);
  }

  /** The rest of the cascade: the faces among P-Net's proposals, the largest first. */
  async #findIn(workspace: Workspace, frame: Picture, proposals: readonly Candidate[]): Promise<Face[]> {
    const candidates = await this.#filter(workspace, frame, joinProposals(proposals));
    const found = await this.#locate(workspace, frame, candidates);
    const faces = found.flatMap((face) =>
      face && face.probability > FACE_THRESHOLD ? [{ ...face, score: face.probability }] : [],
    );
    return suppressContained(faces, 0.7)
      .map(({ box, probability, points }) => ({ box, probability, points }))
      .sort((a, b) => boxArea(b.box) - boxArea(a.box));
  }

  /** P-Net on the picture at some scales: places that may hold a face. */
  async #propose(workspace: Workspace, frame: Picture, scales: readonly number[]): Promise<Candidate[]> {
    const proposals: Candidate[] = [];
    for (const scale of scales) {
      const size = { width: Math.trunc(frame.width * scale + 1), height: Math.trunc(frame.height * scale + 1) };
      const parts = tiles(size, this.#tileCells);
      // All pictures before all runs: what a run needs is still in the core's cache at the next one.
      const images = workspace.integral.resize(parts.map((part) => ({ source: wholeOf(frame), ...size, part })));
      const found: Candidate[] = [];
      let used = 0;
      for (const part of parts) {
        const { width, height } = sizeOf(part);
        const image = images.subarray(used, used + 3 * width * height);
        found.push(...readProposals(await this.#scan(workspace, image, width, height), scale, part));
        used += image.length;
      }
      proposals.push(...suppressOverlaps(rowByRow(found), 0.5));
    }
    return proposals;
  }

  /** P-Net on a part of a picture. */
  #scan(workspace: Workspace, image: Float32Array, width: number, height: number): Promise<NetOutputs> {
    const grid = [gridSize(height), gridSize(width)] as const;
    const cells = grid[0] * grid[1];
    return this.#pnet.run(image, [1, 3, height, width], {
      boxes: { data: workspace.floats('boxes', 4 * cells), shape: [1, 4, ...grid] },
      probabilities: { data: workspace.floats('probabilities', 2 * cells), shape: [1, 2, ...grid] },
    });
  }

  /** R-Net: the squares that do hold a face, moved closer to it. */
  async #filter(workspace: Workspace, frame: Picture, boxes: readonly Box[]): Promise<Box[]> {
    const passed: Candidate[] = [];
    for (const { crops, kept } of cropBatches(workspace, frame, boxes, RNET_SIDE)) {
      const outputs = await this.#rnet.run(crops, [kept.length, 3, RNET_SIDE, RNET_SIDE]);
      const probabilities = outputs('probabilities').data;
      const shares = outputs('boxes').data;
      for (const [i, box] of kept.entries()) {
        const score = probabilities[2 * i + 1]!;
        if (score > RNET_THRESHOLD) passed.push({ box, score, shares: shares.subarray(4 * i, 4 * i + 4) });
      }
    }
    return suppressOverlaps(passed, 0.7).map(({ box, shares }) => squareBox(regressBox(box, shares, 0)));
  }

  /** O-Net: the face of each square with its five points; null for squares out of the frame. */
  async #locate(workspace: Workspace, frame: Picture, boxes: readonly Box[]): Promise<(Face | null)[]> {
    const found = new Map<Box, Face>();
    for (const { crops, kept } of cropBatches(workspace, frame, boxes, ONET_SIDE)) {
      const outputs = await this.#onet.run(crops, [kept.length, 3, ONET_SIDE, ONET_SIDE]);
      const probabilities = outputs('probabilities').data;
      const shares = outputs('boxes').data;
      const points = outputs('points').data;
      for (const [i, box] of kept.entries()) {
        found.set(box, {
          box: regressBox(box, shares, 4 * i),
          probability: probabilities[2 * i + 1]!,
          points: readPoints(box, points.subarray(10 * i, 10 * i + 10)),
        });
      }
    }
    return boxes.map((box) => found.get(box) ?? null);
  }
}

/** The crops of all boxes that lie in the frame, in batches (N, 3, side, side), with the boxes that they belong to. */
function* cropBatches(
  workspace: Workspace,
  frame: Picture,
  boxes: readonly Box[],
  side: number,
): Generator<{ crops: Float32Array; kept: Box[] }> {
  const inside = boxes.map((box) => ({ box, pixels: clip(box, frame) })).filter(({ pixels }) => !isEmpty(pixels));
  for (let from = 0; from < inside.length; from += MAX_CROPS) {
    const batch = inside.slice(from, from + MAX_CROPS);
    const crops = workspace.integral.resize(batch.map(({ pixels }) => ({ source: pixels, width: side, height: side })));
    yield { crops, kept: batch.map(({ box }) => box) };
  }
}

/** The pixels of a box within the frame, by facenet-pytorch's `pad`: truncated, one-based, clamped. */
function clip([x1, y1, x2, y2]: Box, { width, height }: Picture): PixelRectangle {
  return {
    left: Math.max(1, Math.trunc(x1)) - 1,
    top: Math.max(1, Math.trunc(y1)) - 1,
    right: Math.min(width, Math.trunc(x2)),
    bottom: Math.min(height, Math.trunc(y2)),
  };
}

function isEmpty({ left, top, right, bottom }: PixelRectangle): boolean {
  return right <= left || bottom <= top;
}

function readPoints([x1, y1, x2, y2]: Box, shares: Float32Array): [number, number][] {
  const width = f(f(x2 - x1) + 1);
  const height = f(f(y2 - y1) + 1);
  return Array.from({ length: 5 }, (_, i) => [
    f(f(f(width * shares[i]!) + x1) - 1),
    f(f(f(height * shares[i + 5]!) + y1) - 1),
  ]);
}
