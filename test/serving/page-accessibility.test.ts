import fsp from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type TestClips, testClips } from '../helpers/test-clips.js';
import { NO_BROWSER, type TestPage, testPage } from '../helpers/test-page.js';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
/** The narrowest phone that WCAG 2.2 (1.4.10, reflow) names. */
const PHONE = { width: 320, height: 640 };

interface Violation {
  id: string;
  impact: string;
  nodes: { html: string }[];
}

describe.skipIf(NO_BROWSER !== null)('the page is for everybody', () => {
  let site: TestPage;
  let clips: TestClips;
  let axe: string;
  let page: Page;

  beforeAll(async () => {
    [clips, site, axe] = [await testClips(), await testPage(), await fsp.readFile(AXE, 'utf8')];
  });

  afterAll(() => site?.close());

  afterEach(() => page.context().close());

  /** Goes through the page's views and stops at each. */
  async function throughTheViews(look: (view: string) => Promise<void>): Promise<void> {
    await page.locator('#model').waitFor();
    await look('start');
    await page.setInputFiles('#file', clips.text);
    await page.click('#analyse');
    await page.locator('#failed').waitFor();
    await look('refused');
    await page.setInputFiles('#file', clips.whole);
    await page.locator('#review').waitFor();
    await look('review');
    await page.click('#analyse');
    await page.locator('#working').waitFor();
    await page.locator('.verdict').waitFor();
    for (const summary of await page.locator('#clip summary:visible').all()) await summary.click();
    await look('answer');
    await page.getByRole('button', { name: 'Take another clip' }).click();
    await page.click('#record');
    await page.locator('#camera').waitFor();
    await look('camera');
  }

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`axe finds no serious violation in any view, ${colorScheme}`, async () => {
      page = await site.open({ colorScheme });
      await page.evaluate(axe);
      const found: string[] = [];
      await throughTheViews(async (view) => {
        const { violations } = await page.evaluate<{ violations: Violation[] }>('axe.run()');
        for (const { id, impact, nodes } of violations) {
          if (['serious', 'critical'].includes(impact)) found.push(`${view}: ${id} ${nodes[0]!.html}`);
        }
      });
      expect(found).toEqual([]);
    });
  }

  test('no view is wider than a phone of 320 pixels', async () => {
    page = await site.open({ viewport: PHONE });
    const widths: Record<string, unknown> = {};
    await throughTheViews(async (view) => {
      widths[view] = await page.evaluate('document.documentElement.scrollWidth');
    });
    expect(new Set(Object.values(widths)), JSON.stringify(widths)).toEqual(new Set([PHONE.width]));
  });

  test('nothing moves for those who asked for less motion', async () => {
    page = await site.open({ reducedMotion: 'reduce' });
    await page.setInputFiles('#file', clips.whole);
    await page.click('#analyse');
    await page.locator('.verdict').waitFor();
    expect(await page.evaluate('document.getAnimations().length')).toBe(0);
  });
});
