import { expect, test } from 'vitest';
import { MODALITIES } from '../../common/labels.js';
import { BatchShapes } from '../../serving/engine/batch-shapes.js';

const BUNDLE = {
  compat: 'default',
  precision: 'fp32',
  preprocessing: { maxFrames: 20, maxWords: 38 },
} as const;

test('on a GPU every run has a shape that was warmed up, and holds what it must', () => {
  const shapes = new BatchShapes(BUNDLE, 'cuda:0', 12);
  for (const modality of MODALITIES) {
    const warm = new Set(shapes.warmUp(modality).map(({ rows, length }) => `${rows} x ${length}`));
    const longest = { speech: 400, face: 20, text: 38 }[modality];
    for (let length = 1; length <= longest; length++) {
      const bucket = shapes.bucket(modality, length);
      expect(bucket).toBeGreaterThanOrEqual(length);
      for (let rows = 1; rows <= shapes.maxRows(modality, bucket); rows++) {
        const shape = shapes.shape(modality, rows, length);
        expect(shape.rows).toBeGreaterThanOrEqual(rows);
        expect(shape.length).toBe(bucket);
        expect(warm).toContain(`${shape.rows} x ${shape.length}`);
      }
    }
  }
  for (let rows = 1; rows <= shapes.maxFusedRows; rows++) {
    expect(shapes.warmUpFused()).toContain(shapes.fusedRows(rows));
  }
});

test('on the processor a batch is as large as its content', () => {
  const shapes = new BatchShapes(BUNDLE, 'cpu', 12);
  expect(shapes.shape('text', 3, 5)).toEqual({ rows: 3, length: 5 });
  expect(shapes.fusedRows(7)).toBe(7);
});

test('views of int8 networks run one by one, and so does the text of compat seed', () => {
  const int8 = new BatchShapes({ ...BUNDLE, precision: 'int8' }, 'cpu', 12);
  expect(MODALITIES.map((modality) => int8.maxRows(modality, 8))).toEqual([1, 1, 1]);
  expect(int8.maxFusedRows).toBe(1);
  const seed = new BatchShapes({ ...BUNDLE, compat: 'seed' }, 'cpu', 12);
  expect(MODALITIES.map((modality) => seed.maxRows(modality, 16))).toEqual([12, 2, 1]);
});
