import type { NetRun } from '../preprocessing/faces/detection-net.js';

/** Rows or columns that a convolution without padding leaves. */
const convolved = (size: number, kernel: number) => Math.max(0, size - kernel + 1);
/** Rows or columns that a pooling of stride 2 leaves, the last one may reach over the border. */
const pooled = (size: number, kernel: number) => Math.max(0, Math.ceil((size - kernel) / 2) + 1);

/**
 * Multiply-accumulates of one run of a net of MTCNN (Zhang et al. 2016, in the sizes of facenet-pytorch 2.6.0), from
 * the shape of its input. Activations, poolings and biases are not counted.
 */
export function countMacs({ net, shape }: Pick<NetRun, 'net' | 'shape'>): number {
  const [pictures = 0, , height = 0, width = 0] = shape;
  if (net === 'pnet') return pictures * pnetMacs(height, width);
  return pictures * (net === 'rnet' ? RNET_MACS : ONET_MACS);
}

function pnetMacs(height: number, width: number): number {
  const sizes = [height, width];
  const first = sizes.map((size) => convolved(size, 3));
  const second = first.map((size) => convolved(pooled(size, 2), 3));
  const third = second.map((size) => convolved(size, 3));
  const area = ([rows = 0, columns = 0]: number[]) => rows * columns;
  return area(first) * 10 * 3 * 9 + area(second) * 16 * 10 * 9 + area(third) * (32 * 16 * 9 + 32 * 6);
}

/** Of one 24 x 24 picture: maps of 22, (pooled 11) 9, (pooled 4) 3 pixels, then 576 -> 128 -> 2 + 4. */
const RNET_MACS = 22 ** 2 * 28 * 3 * 9 + 9 ** 2 * 48 * 28 * 9 + 3 ** 2 * 64 * 48 * 4 + 576 * 128 + 128 * 6;

/** Of one 48 x 48 picture: maps of 46, (23) 21, (10) 8, (4) 3 pixels, then 1152 -> 256 -> 2 + 4 + 10. */
const ONET_MACS =
  46 ** 2 * 32 * 3 * 9 + 21 ** 2 * 64 * 32 * 9 + 8 ** 2 * 64 * 64 * 9 + 3 ** 2 * 128 * 64 * 4 + 1152 * 256 + 256 * 16;
