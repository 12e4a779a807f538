import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { readPage } from '../../src/cli/page.ts';
import { ClusterStatus } from '../../src/cluster/status.ts';
import type { PageDocument } from '../../src/model/document.ts';
import { connectivityDocument } from '../../src/render/cluster/connectivity-page.ts';
import { dumpDocument } from '../../src/render/cluster/sysdump-page.ts';
import { renderDocument } from '../../src/render/html/document.ts';
import { coverageDocument } from '../../src/render/policy/coverage-page.ts';
import { HOSTILE_NAMES } from '../helpers/hostile-names.ts';
import { until } from '../helpers/until.ts';
import { inBrowser, launch, openFile, picture, widthOf } from './browser.ts';

let browser: Browser | undefined;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'documents-'));
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true });
});

const MADE = { made: '2026-01-31T15:00:00.000Z', version: '1' };
const HOSTILE: PageDocument = {
  title: HOSTILE_NAMES.join(' '),
  about: HOSTILE_NAMES,
  facts: HOSTILE_NAMES.map((name) => ({ name, text: name, mark: 'bad', more: [name] })),
  sections: HOSTILE_NAMES.map((name) => ({
    title: name,
    notes: [name],
    heads: [name, 'a', 'b', 'c', 'd', 'e'],
    rows: [[name, { text: name, mark: 'unknown', more: [name] }, 'x', 'y', 'z', 5]],
  })),
  ...MADE,
};

/** What the verbs show, with names and messages that are hostile. */
const OF_VERBS: Readonly<Record<string, PageDocument>> = {
  'policy coverage': coverageDocument(
    HOSTILE_NAMES.map((name, i) => ({
      ...{ namespace: name, pod: name, ingress: 'enforced' as const, why: name },
      egress: (['enforced', 'open', 'unknown'] as const)[i % 3] ?? 'open',
    })),
    { from: HOSTILE_NAMES.join(' '), ...MADE },
  ),
  'connectivity test': connectivityDocument(
    {
      ...{ namespace: 'cilium-test-1', startedAt: MADE.made, ms: 1 },
      tests: HOSTILE_NAMES.map((name, i) => ({
        ...{ name, reason: name, left: [{ name, reason: name }], ms: 1 },
        status: (['failed', 'not-run', 'passed', 'skipped'] as const)[i % 4] ?? 'failed',
        actions: [
          {
            ...{ name, path: name, command: name, expected: name, failure: name, ok: false, ms: 1 },
            warnings: [name],
            evidence: { flows: [], decidedTrouble: name },
            ...(i % 2 > 0 && { suspect: { area: 'dns' as const, sentence: name, because: [name] } }),
          },
        ],
      })),
    },
    MADE,
  ),
  sysdump: dumpDocument(hostileDump(), MADE),
};

function hostileDump(): Parameters<typeof dumpDocument>[0] {
  const status = new ClusterStatus();
  for (const name of HOSTILE_NAMES) {
    status.note(name, name, 'errors', `${name}\n${name}`);
    status.note(name, name, 'warnings', name);
    status.phases.set(name, new Map([[name, 1]]));
    status.images.set(name, new Map([[name, 1]]));
    status.collectionErrors.push(`${name} `);
  }
  const [some = ''] = HOSTILE_NAMES;
  return {
    label: some,
    index: {
      ...{ server: some, context: some, startedAt: some, isComplete: false, isRedacted: true },
      tasks: HOSTILE_NAMES.map((name, i) => ({
        ...{ task: name, node: name, reason: name, group: name, seconds: 1, files: [] },
        status: (['failed', 'skipped', 'absent', 'ok'] as const)[i % 4] ?? 'failed',
      })),
    },
    notes: HOSTILE_NAMES,
    files: HOSTILE_NAMES.map((name) => ({ name, bytes: 1 })),
    version: { trouble: some },
    nodes: {
      value: HOSTILE_NAMES.map((name) => ({ name, ready: 'False', why: name, kubelet: name, kernel: name })),
    },
    status: { value: status },
    agents: {
      value: HOSTILE_NAMES.map((name, i) => ({
        ...{ node: name, pod: name },
        read:
          i % 2 > 0
            ? { trouble: name }
            : {
                value: {
                  version: name,
                  problems: [{ level: 'degraded', area: name, subject: name, message: name, next: name }],
                },
              },
      })),
    },
    traffic: { trouble: some },
  };
}

async function open(document: PageDocument, look: { width?: number; dark?: boolean }) {
  const file = join(folder, 'document.html');
  await writeFile(file, renderDocument(document, readPage()));
  if (!browser) throw new Error('there is no browser');
  return openFile(browser, file, look);
}

describe('a document in a browser', () => {
  const documents = { hostile: HOSTILE, ...OF_VERBS };
  const looks = [
    { width: 390, dark: false },
    { width: 1280, dark: true },
  ];
  inBrowser.each(
    Object.entries(documents).flatMap(([name, document]) =>
      looks.map((look) => ({ name, document, ...look })),
    ),
  )('$name fits $width pixels, whatever names hold', async ({ name, document, width, dark }) => {
    const { page, faults } = await open(document, { width, dark });
    expect(await widthOf(page)).toBeLessThanOrEqual(width);
    for (const one of await page.locator('details').all()) await one.locator('summary').press('Enter');
    expect(await page.locator('details:not([open])').count()).toBe(0);
    expect(await widthOf(page)).toBeLessThanOrEqual(width);
    expect(await page.locator('script, img, svg, [onerror], [onload], [onmouseover]').count()).toBe(0);
    await picture(page, `document-${name.replace(' ', '-')}-${width}`);
    expect(faults).toEqual([]);
    await page.close();
  });

  inBrowser('takes its style, and no other', async () => {
    const { page, faults } = await open(HOSTILE, {});
    const border = await page.evaluate<string>("getComputedStyle(document.querySelector('.facts')).display");
    expect(border).toBe('flex');
    await page
      .evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=alert(1)><style>body{display:none}</style>')",
      )
      .catch(() => {});
    await until(async () => faults.some((fault) => /Content Security Policy/.test(fault)));
    expect(await page.evaluate<string>('getComputedStyle(document.body).display')).toBe('block');
    expect(faults.filter((fault) => fault.startsWith('dialog'))).toEqual([]);
    await page.close();
  });
});
