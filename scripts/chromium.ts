import fs from 'node:fs';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { chromium } from 'playwright-core';

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/** A Chromium on the PATH, or null where there is none. */
export function findChromium(): string | null {
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  const candidates = PROGRAMS.flatMap((program) => folders.map((folder) => path.join(folder, program)));
  return candidates.find((file) => fs.existsSync(file)) ?? null;
}

/** A headless Chromium whose camera and microphone are made up, and which asks nobody for leave to use them. */
export function openBrowser(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      // Root cannot have a sandbox.
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      ...['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
      ...['--disable-dev-shm-usage', '--mute-audio'],
    ],
  });
}
