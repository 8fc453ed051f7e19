import fsp from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { findNewestBundle, readBundle, verifyBundle } from '../../common/bundle-files.js';
import { inTemporaryFolder } from '../helpers/temporary-folder.js';
import { tinyBundle } from '../helpers/tiny-bundle.js';

let bundle: string;

beforeAll(async () => {
  bundle = await tinyBundle();
});

/** bundle.json alone, with another date. */
async function place(folder: string, created: string): Promise<string> {
  await fsp.mkdir(folder, { recursive: true });
  await fsp.writeFile(path.join(folder, 'bundle.json'), JSON.stringify({ ...(await readBundle(bundle)), created }));
  return folder;
}

test('a whole bundle is verified', async () => {
  expect((await verifyBundle(bundle)).name).toBe('tiny');
});

test('a file that is missing or cut short is named', async () => {
  await inTemporaryFolder(async (folder) => {
    await fsp.cp(bundle, folder, { recursive: true });
    await fsp.truncate(path.join(folder, 'onet.onnx'), 100);
    await expect(verifyBundle(folder)).rejects.toMatchObject({ message: expect.stringContaining('onet.onnx has 100') });
    await fsp.rm(path.join(folder, 'face.onnx'));
    await expect(verifyBundle(folder)).rejects.toMatchObject({
      message: expect.stringContaining('face.onnx is missing'),
    });
  });
});

test('the newest bundle is found by its date, with or without a folder a version', async () => {
  await inTemporaryFolder(async (root) => {
    await place(path.join(root, 'a'), '2026-01-02T00:00:00.000Z');
    const newest = await place(path.join(root, 'b', '2'), '2026-01-03T00:00:00.000Z');
    await place(path.join(root, 'b', '1'), '2026-01-01T00:00:00.000Z');
    await fsp.mkdir(path.join(root, 'no bundle'));
    expect(await findNewestBundle(root)).toBe(newest);
  });
});

test('where there is no bundle the way to one is told', async () => {
  await inTemporaryFolder(async (root) => {
    await expect(findNewestBundle(path.join(root, 'none'))).rejects.toMatchObject({
      code: 'not_found',
      remedy: expect.stringContaining('npm run demo'),
    });
  });
});
