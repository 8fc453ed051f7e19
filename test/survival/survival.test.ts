import fsp from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { inTemporaryFolder } from '../helpers/temporary-folder.js';
import { tinyBundle } from '../helpers/tiny-bundle.js';
import { makeClips } from './make-clips.js';
import { SCENARIOS } from './scenarios.js';

/** The scenarios of docs/survival.md in quick sizes. Their full sizes: npx tsx test/survival/run-all.ts --full */
for (const { name, about, run } of SCENARIOS) {
  test(`${name} (full size: ${about})`, { timeout: 300_000 }, () =>
    inTemporaryFolder(async (directory) => {
      const folder = path.join(directory, 'server');
      await fsp.mkdir(folder);
      const clips = await makeClips(directory);
      const checks = await run({
        bundleDir: await tinyBundle('lively'),
        folder,
        ...clips,
        full: false,
        seed: 1,
        note: () => {},
      });
      expect(checks.filter(({ kept }) => !kept)).toEqual([]);
    }),
  );
}
