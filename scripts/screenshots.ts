/**
 * Makes the pictures of docs/page.md anew, from the real page of a real server:
 *   npx tsx scripts/screenshots.ts --bundle BUNDLE --clip CLIP [--words FILE] [--out docs/images]
 */
import fsp from 'node:fs/promises';
import path from 'node:path';
import { Command } from 'commander';
import { pino } from 'pino';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import sharp from 'sharp';
import { MerError } from '../common/errors.js';
import { PROJECT_ROOT } from '../common/paths.js';
import { DEFAULT_SERVER_LIMITS } from '../serving/limits.js';
import { startServer } from '../serving/server.js';
import { findChromium, openBrowser } from './chromium.js';

interface Flags {
  bundle: string;
  clip: string;
  words?: string;
  out: string;
}

const DESKTOP: BrowserContextOptions = { viewport: { width: 1240, height: 640 } };
const PHONE: BrowserContextOptions = { viewport: { width: 320, height: 640 }, deviceScaleFactor: 2 };

/** Colours of a picture: 128 of them keep each below 300 KB and cannot be told from all. */
const COLOURS = 128;

const flags = new Command('screenshots')
  .requiredOption('--bundle <dir>', 'the bundle to serve')
  .requiredOption('--clip <file>', 'the clip to show')
  .option('--words <file>', 'its word vectors')
  .option('--out <dir>', 'where the pictures go', path.join(PROJECT_ROOT, 'docs', 'images'))
  .parse()
  .opts<Flags>();

const chromium = findChromium();
if (chromium === null) throw new MerError('missing_part', 'There is no Chromium on the PATH.', 'Install chromium.');
await fsp.mkdir(flags.out, { recursive: true });
const server = await startServer({
  bundleDir: flags.bundle,
  port: 0,
  host: '127.0.0.1',
  limits: DEFAULT_SERVER_LIMITS,
  keep: 'none',
  corsOrigins: [],
  trustedProxies: 0,
  log: pino({ level: 'warn' }, pino.destination(2)),
});
const browser = await openBrowser(chromium);
try {
  await pictures(browser);
} finally {
  await browser.close();
  await server.close();
}

async function pictures(browser: Browser): Promise<void> {
  const open = async (options: BrowserContextOptions): Promise<Page> => {
    const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
    const page = await context.newPage();
    await page.goto(server.url);
    await page.locator('#model').waitFor();
    return page;
  };
  const light = await open(DESKTOP);
  await save(light, 'page-start');
  await light.setInputFiles('#file', { name: 'notes.mp4', mimeType: 'video/mp4', buffer: Buffer.from('no clip') });
  await light.click('#analyse');
  await light.locator('#failed').waitFor();
  await save(light, 'page-refused');
  await choose(light);
  // What the page hears of the job's way, held at the last stage for the picture.
  await light.route('**/events', (route) =>
    route.fulfill({ contentType: 'text/event-stream', body: 'event: progress\ndata: {"stage":"faces"}\n\n' }),
  );
  await light.click('#analyse');
  await light.locator('[data-state="now"]', { hasText: 'Looking for the face' }).waitFor();
  await save(light, 'page-working');
  await light.unroute('**/events');
  await answered(light);
  await save(light, 'page-answer');

  const dark = await open({ ...DESKTOP, colorScheme: 'dark' });
  await choose(dark);
  await dark.click('#analyse');
  await answered(dark);
  await save(dark, 'page-dark');

  const phone = await open(PHONE);
  await choose(phone);
  await phone.click('#analyse');
  await answered(phone);
  await phone.locator('#result').evaluate((result) => result.scrollIntoView());
  await save(phone, 'page-phone', false);
}

async function choose(page: Page): Promise<void> {
  await page.setInputFiles('#file', flags.clip);
  await page.locator('#review').waitFor();
  if (flags.words === undefined) return;
  await page.getByText('Add the words that are said').click();
  await page.setInputFiles('#vectors', flags.words);
}

/** Waits for the answer with its key frames, and stops in the middle of the clip. */
async function answered(page: Page): Promise<void> {
  await page.locator('.verdict').waitFor();
  const slider = page.getByRole('slider', { name: 'Moment of the clip' });
  await slider.fill(String(Number(await slider.getAttribute('max')) / 2));
  // The frames are drawn one after the other; the player hides its controls.
  await page.waitForTimeout(4000);
}

async function save(page: Page, name: string, fullPage = true): Promise<void> {
  const file = path.join(flags.out, `${name}.png`);
  const picture = await page.screenshot({ fullPage });
  const { size } = await sharp(picture).png({ palette: true, colours: COLOURS, effort: 10 }).toFile(file);
  process.stderr.write(`${file} ${Math.round(size / 1000)} KB\n`);
}
