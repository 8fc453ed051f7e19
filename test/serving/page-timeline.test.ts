import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { analyse, NO_BROWSER, type TestPage, testPage } from '../helpers/test-page.js';

const realClip = (name: string): string => fileURLToPath(new URL(`../golden/clips/${name}.mp4`, import.meta.url));

describe.skipIf(NO_BROWSER !== null)('the page over time', () => {
  let site: TestPage;
  let page: Page;

  beforeAll(async () => {
    site = await testPage();
  });

  afterAll(() => site?.close());

  afterEach(async () => {
    await page.context().close();
    expect(site.pageErrors).toEqual([]);
  });

  test('the timeline shows each window, its cursor follows playback, and moving it moves the clip', async () => {
    page = await site.open();
    const answer = await analyse(page, realClip('00002-ang-neu-ang'));
    expect(await page.locator('.lane.integrated .segment').count()).toBe(answer.timeline!.length);
    const slider = page.getByRole('slider', { name: 'Moment of the clip' });
    const at = () => page.locator('.cursor').evaluate((cursor) => Number(cursor.style.getPropertyValue('--at')));
    expect(await at()).toBe(0);
    await page.locator('#player').evaluate((video) => (video as unknown as { play(): Promise<void> }).play());
    await expect.poll(at).toBeGreaterThan(0.05);
    await page.locator('#player').evaluate((video) => (video as unknown as { pause(): void }).pause());
    await slider.focus();
    await slider.press('End');
    await expect.poll(at).toBeGreaterThan(0.95);
    await slider.press('Home');
    await expect.poll(at).toBe(0);
    expect(await slider.getAttribute('aria-valuetext')).toMatch(/^0\.0 s: \w+, \d+ %$/);
  });

  test('the key frames are drawn from the clip at the moments of the answer, and lead to them', async () => {
    page = await site.open();
    const { keyFrames } = await analyse(page, realClip('00003-sad-sad-sad'));
    const frames = page.locator('.key-frames button');
    const moments = await frames.locator('.caption .time').allTextContents();
    expect(moments).toEqual(keyFrames!.map(({ time }) => `${time.toFixed(1)} s`));
    const last = frames.last();
    // A frame that was drawn has many brightnesses, one that was not has none.
    await expect
      .poll(() =>
        last.locator('canvas').evaluate((canvas) => {
          const { data } = (canvas as unknown as Canvas).getContext('2d').getImageData(0, 0, 256, 192);
          return new Set(data.filter((_, index) => index % 4 === 1)).size;
        }),
      )
      .toBeGreaterThan(50);
    await last.click();
    const now = () =>
      page.locator('#player').evaluate((video) => (video as unknown as { currentTime: number }).currentTime);
    await expect.poll(now).toBeCloseTo(keyFrames!.at(-1)!.time, 3);
  });
});

/** What the tests use of a canvas: they are compiled without the browser's types. */
interface Canvas {
  getContext(kind: '2d'): { getImageData(x: number, y: number, width: number, height: number): { data: number[] } };
}
