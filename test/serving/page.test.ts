import fsp from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Answer } from '../../serving/answer.js';
import { errorBodySchema } from '../../serving/http/schemas.js';
import { someWords } from '../helpers/test-app.js';
import { type TestClips, testClips } from '../helpers/test-clips.js';
import { API_KEY, analyse, choose, NO_BROWSER, pressAnalyse, type TestPage, testPage } from '../helpers/test-page.js';

const GOLDEN = fileURLToPath(new URL('../golden/clips/', import.meta.url));
const REAL_CLIPS = ['00001-hap-hap-neu', '00002-ang-neu-ang', '00003-sad-sad-sad', '00004-neu-neu-neu'];
const realClip = (name: string): string => path.join(GOLDEN, `${name}.mp4`);
const NAMES = {
  hap: 'Happy',
  ang: 'Angry',
  dis: 'Disgusted',
  fea: 'Fearful',
  sad: 'Sad',
  neu: 'Neutral',
  sur: 'Surprised',
};

describe.skipIf(NO_BROWSER !== null)('the page', () => {
  let site: TestPage;
  let clips: TestClips;
  let page: Page;

  beforeAll(async () => {
    [clips, site] = [await testClips(), await testPage()];
  });

  afterAll(() => site?.close());

  afterEach(async () => {
    await page.context().close();
    expect(site.outsideRequests).toEqual([]);
    expect(site.pageErrors).toEqual([]);
  });

  const heading = (name: string | RegExp): Locator => page.getByRole('heading', { level: 1, name });
  const button = (name: string | RegExp): Locator => page.getByRole('button', { name });
  const card = (name: string): Locator =>
    page.locator('.modality').filter({ has: page.getByRole('heading', { name }) });

  const shares = async (bars: Locator): Promise<string[]> => bars.locator('.share').allTextContents();
  const inPercent = (scores: Answer['scores']): string[] =>
    Object.values(scores).map((score) => `${Math.round(score * 100)} %`);

  for (const name of REAL_CLIPS) {
    test(`${name}: emotion and bars are those of the answer`, async () => {
      page = await site.open();
      const answer = await analyse(page, realClip(name));
      expect(await heading(/./).textContent()).toBe(NAMES[answer.emotion]);
      expect(await shares(page.getByRole('list', { name: 'Scores: All together' }))).toEqual(inPercent(answer.scores));
      const { face, speech } = answer.modalities;
      for (const [label, part] of [
        ['Face', face],
        ['Voice', speech],
      ] as const) {
        if (part.status !== 'used') throw new Error(`${label}: ${part.reason}`);
        expect(await shares(page.getByRole('list', { name: `Scores: ${label}` }))).toEqual(inPercent(part.scores));
        expect(await card(label).locator('.reading').textContent()).toBe(NAMES[part.emotion]);
      }
    });
  }

  test('what the answer would be without a modality stands in its card', async () => {
    page = await site.open();
    const { without, emotion } = await analyse(page, realClip('00001-hap-hap-neu'));
    const verb = without.face?.emotion === emotion ? 'stays' : 'would be';
    const name = NAMES[without.face!.emotion].toLowerCase();
    const text = await card('Face').locator('.without').textContent();
    expect(text).toMatch(new RegExp(`^Without the face the answer ${verb} ${name} \\(\\d+ %\\)\\.$`));
  });

  test('a file that is dropped anywhere on the page is taken', async () => {
    page = await site.open();
    const bytes = (await fsp.readFile(clips.whole)).toString('base64');
    const dropped = await page.evaluateHandle(`(() => {
      const bytes = Uint8Array.from(atob('${bytes}'), (letter) => letter.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], 'dropped.mp4', { type: 'video/mp4' }));
      return transfer;
    })()`);
    await page.dispatchEvent('footer', 'drop', { dataTransfer: dropped });
    await heading('Ready to analyse').waitFor();
    expect(await page.getByRole('heading', { level: 2 }).first().textContent()).toBe('dropped.mp4');
    expect((await pressAnalyse(page)).modalities.face.status).toBe('used');
  });

  test('the stages of the work are told as they come, and then the answer', async () => {
    page = await site.open();
    await choose(page, clips.whole);
    await page.evaluate(`
      globalThis.told = [];
      const status = document.getElementById('status');
      new MutationObserver(() => told.push(status.textContent)).observe(status, { childList: true });
    `);
    const { emotion } = await pressAnalyse(page);
    const told = z.array(z.string()).parse(await page.evaluate('told'));
    const stages = ['Sending the clip', 'Waiting for a free place', 'Reading pictures and sound'];
    stages.push('Listening to the voice', 'Looking for the face', 'Reading the emotion');
    expect(told[0]).toBe(stages[0]);
    expect(told.at(-1)).toMatch(
      new RegExp(`^${NAMES[emotion]}, \\d+ %\\. Face: \\w+\\. Voice: \\w+\\. Words: not used`),
    );
    // A stage that is over before the page asks is passed over; none comes out of order.
    const order = told.slice(0, -1).map((text) => stages.indexOf(text));
    expect(order).toEqual([...order].sort());
    expect(order.length).toBeGreaterThanOrEqual(2);
  });

  test('a clip without sound: the page says that the voice is missing, and why', async () => {
    page = await site.open();
    await analyse(page, clips.soundless);
    expect(await card('Voice').innerText()).toMatch(/Not there\s+The clip has no sound\./);
    expect(await page.locator('.verdict').innerText()).toContain('from face alone');
  });

  test('word vectors are sent along, and the words count', async () => {
    page = await site.open();
    await choose(page, clips.whole);
    await page.getByText('Add the words that are said').click();
    const buffer = Buffer.from(JSON.stringify(someWords(1)));
    await page.getByLabel('Word vectors').setInputFiles({ name: 'words.json', mimeType: 'application/json', buffer });
    expect((await pressAnalyse(page)).modalities.text.status).toBe('used');
    expect(await shares(page.getByRole('list', { name: 'Scores: Words' }))).toHaveLength(7);
  });

  test('a file that is no clip is refused with the message and the remedy of the server', async () => {
    page = await site.open();
    await choose(page, clips.text);
    await button('Analyse this clip').click();
    await heading('This clip was refused').waitFor();
    const form = new FormData();
    form.append('clip', new Blob([await fsp.readFile(clips.text)]), 'clip');
    const response = await fetch(`${site.url}/v1/predict`, { method: 'POST', body: form });
    const { error } = errorBodySchema.parse(await response.json());
    const told = await page.locator('#failed').innerText();
    for (const part of [error.message, error.remedy, error.code]) expect(told).toContain(part);
    await expect.poll(() => page.locator('#failed-title').evaluate((title) => title.matches(':focus'))).toBe(true);
    expect(await page.getByRole('status').textContent()).toContain(error.remedy);
  });

  test('a file above the limit is refused before it is sent', async () => {
    page = await site.open();
    await page.setInputFiles('#file', { name: 'big.mp4', mimeType: 'video/mp4', buffer: Buffer.alloc(2 ** 21 + 1) });
    let sent = false;
    page.on('request', (request) => (sent ||= request.method() === 'POST'));
    await button('Analyse this clip').click();
    await heading('This clip was refused').waitFor();
    expect(await page.locator('#failed-message').textContent()).toMatch(/takes up to 2 MB/);
    expect(sent).toBe(false);
  });

  test('cancelling cancels the job on the server and goes back to the clip', async () => {
    page = await site.open();
    await choose(page, realClip('00001-hap-hap-neu'));
    // The page hears nothing of the job's progress, and so waits until it is cancelled.
    const asked = new Promise<void>((resolve) => page.route('**/events', () => resolve()));
    await button('Analyse this clip').click();
    await asked;
    const cancelled = page.waitForResponse((response) => response.request().method() === 'DELETE');
    await button('Cancel').click();
    expect((await cancelled).ok()).toBe(true);
    await heading('Ready to analyse').waitFor();
    expect(await page.getByRole('status').textContent()).toBe('Cancelled.');
  });

  test('what the camera records is looked at first, then answered', async () => {
    page = await site.open({ permissions: ['camera', 'microphone'] });
    await button('Record with the camera').click();
    await button('Start recording').click();
    await page
      .locator('#recorded')
      .filter({ hasText: /0:0[2-9]/ })
      .waitFor();
    await button('Stop and look at it').click();
    await heading('Ready to analyse').waitFor();
    const answer = await pressAnalyse(page);
    // Chromium's made-up microphone beeps; its camera shows a green field with a disc.
    expect(answer.modalities.speech.status).toBe('used');
    expect(answer.modalities.face.status).toBe('missing');
    expect(answer.seconds.clip).toBeGreaterThan(1.5);
    expect(await card('Face').innerText()).toContain('Not there');
  });

  test('a server with keys: the page asks for one, keeps it for the tab, and works', async () => {
    page = await site.open({ keys: true });
    const dialog = page.getByRole('dialog', { name: 'This server asks for a key' });
    await dialog.getByLabel('API key').fill('not the right key at all');
    await button('Continue').click();
    await expect.poll(() => dialog.getByLabel('API key').inputValue()).toBe('');
    await dialog.getByLabel('API key').fill(API_KEY);
    await page.keyboard.press('Enter');
    await page.locator('#model').waitFor();
    expect((await analyse(page, clips.whole)).modalities.face.status).toBe('used');
    expect(await page.evaluate('[sessionStorage.length, localStorage.length, document.cookie]')).toEqual([1, 0, '']);
  });

  test('the keyboard alone is enough, and the focus goes where the news are', async () => {
    page = await site.open();
    const focused = () => page.evaluate('document.activeElement.id || document.activeElement.textContent.trim()');
    const tabTo = async (wanted: string): Promise<void> => {
      for (let presses = 0; (await focused()) !== wanted; presses++) {
        if (presses > 30) throw new Error(`Tab never comes to ${wanted}.`);
        await page.keyboard.press('Tab');
      }
    };
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Skip to the content');
    // Asked for some keys ahead: Playwright does not wait until the browser has heard that choosers are to be told.
    const chooser = page.waitForEvent('filechooser');
    await tabTo('file');
    await page.keyboard.press('Enter');
    await (await chooser).setFiles(clips.whole);
    await heading('Ready to analyse').waitFor();
    expect(await focused()).toBe('review-title');
    await tabTo('analyse');
    await page.keyboard.press('Enter');
    await page.locator('.verdict').waitFor();
    expect(await focused()).toBe('result-title');
    await tabTo('Take another clip');
    await page.keyboard.press('Enter');
    expect(await focused()).toBe('start-title');
  });
});
