import crypto from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Express } from 'express';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { findChromium, openBrowser } from '../../scripts/chromium.js';
import { type Answer, answerSchema } from '../../serving/answer.js';
import { createApp } from '../../serving/http/app.js';
import { DEFAULT_SERVER_LIMITS } from '../../serving/limits.js';
import { type TestApp, testApp } from './test-app.js';

/** Why tests in the browser are skipped on this machine, or null. */
export const NO_BROWSER =
  findChromium() === null
    ? 'No Chromium on the PATH (Debian: apt-get install chromium): the page is not tested.'
    : null;
if (NO_BROWSER !== null) process.stderr.write(`${NO_BROWSER}\n`);

/** What the server with keys takes. */
export const API_KEY = 'a-key-of-the-tests';

export interface TestPage {
  app: TestApp;
  /** The real server, open to all, and the same one that asks for a key. */
  url: string;
  urlWithKeys: string;
  /** Opens the page in a browser profile of its own. */
  open(options?: BrowserContextOptions & { keys?: boolean }): Promise<Page>;
  /** Every address outside the server that any page asked for. */
  outsideRequests: string[];
  /** Every error that any page met: uncaught ones, and what the content security policy refused. */
  pageErrors: string[];
  close(): Promise<void>;
}

/** The real page of the real server, with the tiny bundle, in a headless Chromium. */
export async function testPage(): Promise<TestPage> {
  const app = await testApp({ limits: { maxUploadMb: 2 } });
  const sha256 = crypto.createHash('sha256').update(API_KEY).digest();
  const options = { limits: DEFAULT_SERVER_LIMITS, corsOrigins: [], trustedProxies: 0 };
  const withKeys = createApp({ ...app.service, ...options, apiKeys: [{ name: 'tests', sha256 }] });
  const servers = [await listen(app.app), await listen(withKeys)] as const;
  const [url, urlWithKeys] = servers.map((server) => `http://localhost:${(server.address() as AddressInfo).port}`);
  const browser = await openBrowser(findChromium()!);
  const [outsideRequests, pageErrors]: [string[], string[]] = [[], []];
  return {
    app,
    url: url!,
    urlWithKeys: urlWithKeys!,
    outsideRequests,
    pageErrors,
    async open({ keys = false, ...options } = {}) {
      const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
      const base = keys ? urlWithKeys! : url!;
      context.on('request', (request) => {
        const address = request.url();
        if (!address.startsWith(`${base}/`) && !/^(blob|data):/.test(address)) outsideRequests.push(address);
      });
      const page = await context.newPage();
      page.on('pageerror', (error) => pageErrors.push(error.message));
      page.on('console', (message) => {
        if (/Content Security Policy/.test(message.text())) pageErrors.push(message.text());
      });
      await page.goto(base);
      return page;
    },
    async close() {
      await browser.close();
      for (const server of servers) server.close();
      await app.close();
    },
  };
}

/** Hands a clip to the page, which then shows it and waits. */
export async function choose(page: Page, file: string): Promise<void> {
  await page.setInputFiles('#file', file);
  await page.getByRole('heading', { name: 'Ready to analyse' }).waitFor();
}

/** Lets the chosen clip be analysed. @returns the answer that the server gave and the page now shows */
export async function pressAnalyse(page: Page): Promise<Answer> {
  const accepted = page.waitForResponse((response) => response.request().method() === 'POST');
  await page.getByRole('button', { name: 'Analyse this clip' }).click();
  const { id } = await (await accepted).json();
  await page.locator('.verdict').waitFor();
  const key = await page.evaluate("sessionStorage.getItem('mer-api-key')");
  const job = await page.request.get(`${page.url()}v1/jobs/${id}`, { headers: { Authorization: `Bearer ${key}` } });
  return answerSchema.parse((await job.json()).answer);
}

export async function analyse(page: Page, file: string): Promise<Answer> {
  await choose(page, file);
  return pressAnalyse(page);
}

async function listen(app: Express): Promise<http.Server> {
  const server = http.createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
