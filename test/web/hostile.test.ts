import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { readPage } from '../../src/cli/page.ts';
import type { TrafficReport } from '../../src/model/traffic-report.ts';
import { renderReportPage } from '../../src/render/html/traffic-page.ts';
import { HOSTILE_NAMES } from '../helpers/hostile-names.ts';
import { fixturePath } from '../helpers/recordings.ts';
import { run } from '../helpers/run.ts';
import { inBrowser, launch, openFile, openTab, picture, widthOf, withUi } from './browser.ts';

const NAMES = [
  ...HOSTILE_NAMES,
  '\u200b\u200d\ufeff\u2060',
  'שלום/مرحبا',
  '👩‍👩‍👧‍👦'.repeat(40),
  `z${'\u0300\u0301\u0302'.repeat(60)}`,
  'two\nlines\tand\r\na tab',
  '__proto__',
  'constructor',
  '"]; } evil [label="x',
  'a|b`c`#quot;#35;end',
  ']]><!--',
];

/** What is not a text of somebody else's: without it a flow is another kind of flow, or none. */
const KEPT = new Set([
  'time',
  'Type',
  'type',
  'verdict',
  'traffic_direction',
  'drop_reason_desc',
  'revision',
]);
/** The same of what a page is given: names by which it finds things, and of which there are a few. */
const KEPT_IN_REPORT = new Set(['id', 'client', 'server', 'direction', 'answer', 'kind']);

const END = (side: string) => ({
  identity: 7,
  cluster_name: side,
  namespace: side,
  labels: [`k8s:app=${side}`, side],
  pod_name: side,
  workloads: [{ name: side, kind: side }],
});

const POLICY = { name: 'x', namespace: 'x', kind: 'x', labels: ['x'], revision: '1' };

/** A flow with each of the texts that Hubble has one for. */
const FLOW = {
  time: '2026-01-01T00:00:00Z',
  uuid: 'x',
  verdict: 'DROPPED',
  drop_reason_desc: 'CT_MAP_INSERTION_FAILED',
  traffic_direction: 'EGRESS',
  ethernet: { source: 'x', destination: 'x' },
  source: END('source'),
  destination: END('destination'),
  source_names: ['x'],
  destination_names: ['x', 'y'],
  source_service: { name: 'x', namespace: 'x' },
  destination_service: { name: 'x', namespace: 'x' },
  egress_denied_by: [POLICY],
  ingress_denied_by: [POLICY],
  egress_allowed_by: [POLICY],
  node_name: 'x',
  node_labels: ['x'],
  interface: { index: 2, name: 'x' },
  Summary: 'x',
  event_type: { type: 5 },
  Type: 'L7',
};

/** Puts a name into each text. */
function named(value: unknown, name: () => string, kept = KEPT, key = ''): unknown {
  if (typeof value === 'string') return kept.has(key) ? value : name();
  if (Array.isArray(value)) return value.map((item) => named(item, name, kept, key));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([own, item]) => [own, named(item, name, kept, own)]));
}

/** Flows that have a name in every place, in each shape that a page has a place for. */
function hostileFlows(): object[] {
  return NAMES.flatMap((name, i) => {
    const flow = named(FLOW, () => name) as typeof FLOW;
    const time = new Date(Date.parse(FLOW.time) + 1000 * i).toISOString();
    const tcp = { l4: { TCP: { source_port: 40_000, destination_port: 80 + i } } };
    const other = { ...flow.destination, namespace: `${name}${i}`, workloads: [] };
    return [
      { ...flow, ...tcp, time },
      {
        ...flow,
        ...tcp,
        time,
        drop_reason_desc: 'POLICY_DENIED',
        egress_denied_by: [],
        ingress_denied_by: [],
      },
      {
        ...flow,
        ...tcp,
        time,
        destination: other,
        l7: { type: 'REQUEST', http: { method: name, url: name } },
      },
      {
        ...{ ...flow, time, verdict: 'FORWARDED', source: other, destination: flow.source, is_reply: true },
        l4: { TCP: { source_port: 80, destination_port: 40_000 } },
        l7: {
          type: 'RESPONSE',
          http: { code: 503, method: name, url: name, headers: [{ key: name, value: name }] },
        },
      },
      {
        ...{ ...flow, time, verdict: 'FORWARDED', source: other, destination: flow.source, is_reply: true },
        l4: { UDP: { source_port: 53, destination_port: 40_000 } },
        l7: {
          type: 'RESPONSE',
          dns: { query: name, rcode: 3, cnames: [name], rrtypes: [name], qtypes: [name] },
        },
      },
      { ...tcp, time, verdict: 'DROPPED', Type: 'L3_L4', IP: { source: name, destination: `${name}.` } },
    ];
  });
}

let browser: Browser | undefined;
let folder: string;
let capture: string;
let page: Page | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hostile-'));
  capture = join(folder, 'hostile.jsonl');
  await writeFile(
    capture,
    hostileFlows()
      .map((flow) => JSON.stringify({ flow }))
      .join('\n'),
  );
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true });
});
afterEach(async () => {
  await page?.close();
});

/** Elements that no name may become, and attributes that would run something. */
const FOREIGN = `(() => {
  const root = document.getElementById('page');
  const own = new Set(['DIV','SECTION','HEADER','FOOTER','MAIN','ASIDE','FORM','INPUT','BUTTON','H1','H2','H3','P','B','A','PRE','CODE','SPAN','WBR','OL','UL','LI','TABLE','THEAD','TBODY','TR','TH','TD','DETAILS','SUMMARY','LABEL','OUTPUT','CANVAS','svg','g','defs','marker','path','rect','text','title']);
  return [...root.querySelectorAll('*')]
    .filter((e) => !own.has(e.tagName) || [...e.attributes].some(({ name }) => name.startsWith('on') || name === 'href' || name === 'src'))
    .map((e) => e.outerHTML.slice(0, 100));
})()`;

/** What steers how a line is read, in a text or in what a reader of the screen hears. */
const STEERING = `(() => {
  const root = document.getElementById('page');
  const texts = [root.textContent, ...[...root.querySelectorAll('[aria-label]')].map((e) => e.getAttribute('aria-label'))];
  return texts.join('').match(/[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]/g) ?? [];
})()`;

/** Opens all that there is to open, and looks at what became of the names. */
async function goThrough(tab: Page, width: number): Promise<void> {
  await tab.waitForSelector('.node');
  await tab.getByRole('button', { name: /^Show all \d/ }).click();
  expect(await tab.locator('.node').count()).toBeGreaterThan(10);
  expect(await tab.locator('.findings li').count()).toBeGreaterThan(5);
  const edges = await tab.locator('.edge').all();
  for (const edge of edges.filter((_, i) => i % 5 === 0)) {
    await edge.press('Enter');
    await tab.evaluate("for (const each of document.querySelectorAll('details')) each.open = true");
    expect(await tab.evaluate(FOREIGN)).toEqual([]);
    expect(await tab.evaluate(STEERING)).toEqual([]);
    expect(await widthOf(tab)).toBeLessThanOrEqual(width);
  }
  for (const node of (await tab.locator('.node').all()).slice(0, 5)) await node.press('Enter');
  await picture(tab, `hostile-${width}`);
  expect(await widthOf(tab)).toBeLessThanOrEqual(width);
  const tall = await tab.evaluate<number>(
    "Math.max(...[...document.querySelectorAll('.findings li > button, h1, .findings h2, .tables h2, .cards td > button, header p, .panel h2')].map((e) => e.getBoundingClientRect().height))",
  );
  expect(tall).toBeLessThan(800);
}

describe('names that try to be something else, in every text of a flow', () => {
  inBrowser.each([1280, 390])('stay names in a report of %i pixels', async (width) => {
    if (!browser) throw new Error('there is no browser');
    const { code, stderr } = await run(
      ['hubble', 'report', capture, '-o', 'report.html', '--title', HOSTILE_NAMES.join(' ')],
      { cwd: folder },
    );
    expect(code).toBe(0);
    expect(stderr).toContain(`${6 * NAMES.length} flows`);
    const opened = await openFile(browser, join(folder, 'report.html'), { width });
    page = opened.page;
    await goThrough(opened.page, width);
    expect(opened.faults).toEqual([]);
  });

  inBrowser('stay texts wherever a page shows one', async () => {
    if (!browser) throw new Error('there is no browser');
    const words = [fixturePath('page/incident.jsonl.gz'), '--rules', fixturePath('page/incident-rules.json')];
    const { stdout } = await run(['hubble', 'report', ...words, '-o', '-', '--format', 'json']);
    let i = 0;
    const next = () => NAMES[i++ % NAMES.length] ?? '';
    const report = named(JSON.parse(stdout), next, KEPT_IN_REPORT) as TrafficReport;
    expect(i).toBeGreaterThan(5 * NAMES.length);
    await writeFile(join(folder, 'texts.html'), renderReportPage(report, readPage()));
    const { page: tab, faults } = await openFile(browser, join(folder, 'texts.html'), { width: 390 });
    page = tab;
    await goThrough(tab, 390);
    expect(faults).toEqual([]);
  });

  inBrowser.each([1280, 390])('stay names on the page of hubble ui, %i pixels', async (width) => {
    if (!browser) throw new Error('there is no browser');
    const opened = await openTab(browser, { width });
    page = opened.page;
    await withUi(['--input-file', capture], async (url) => {
      await opened.page.goto(url);
      await goThrough(opened.page, width);
    });
    expect(opened.faults.filter((fault) => !fault.includes('ERR_'))).toEqual([]);
  });

  inBrowser('stay text in a picture', async () => {
    if (!browser) throw new Error('there is no browser');
    await run(['hubble', 'report', capture, '-o', 'map.svg'], { cwd: folder });
    const svg = await readFile(join(folder, 'map.svg'), 'utf8');
    const { page: tab, faults } = await openFile(browser, join(folder, 'map.svg'));
    page = tab;
    const found = await tab.evaluate<Record<string, unknown>>(`(() => {
      const root = document.documentElement;
      return {
        root: root.tagName,
        names: [...new Set([...root.querySelectorAll('*')].map((e) => e.tagName))].sort(),
        attributes: [...new Set([...root.querySelectorAll('*')].flatMap((e) => [...e.attributes].map((a) => a.name)))].filter((name) => /^on|href|src/.test(name)),
      };
    })()`);
    expect(found).toEqual({
      root: 'svg',
      names: ['defs', 'g', 'marker', 'path', 'rect', 'style', 'text', 'title'],
      attributes: [],
    });
    expect(svg).not.toMatch(
      /[\u0000-\u0008\u000b-\u001f\u202a-\u202e\u2066-\u2069\ud800](?![\udc00-\udfff])/,
    );
    expect(faults).toEqual([]);
  });

  test.each([
    {
      form: 'dot',
      lines:
        /^(?:digraph traffic \{|\}| {2}rankdir=LR;| {2}node \[shape=box, style=rounded\];| {2}subgraph cluster_\d+ \{| {4}label="(?:[^"\\]|\\.)*";| {2}\}| {2,4}n\d+ \[label="(?:[^"\\]|\\.)*"\];| {2}n\d+ -> n\d+ \[label="(?:[^"\\]|\\.)*"(?:, color=red, fontcolor=red)?\];|)$/,
    },
    {
      form: 'mermaid',
      lines:
        /^(?:flowchart LR| {2}end| {2}subgraph s\d+\["[^"|[\]<>`]*"\]| {2,4}n\d+\["[^"|[\]<>`]*"\]| {2}n\d+ -->\|"[^"|[\]<>`]*"\| n\d+| {2}linkStyle [\d,]+ stroke:#c00,color:#c00|)$/,
    },
  ])('stay in their quotes in $form', async ({ form, lines }) => {
    const { stdout } = await run(['hubble', 'report', capture, '-o', '-', '--format', form]);
    expect(stdout.split('\n').filter((line) => !lines.test(line))).toEqual([]);
    expect(stdout.split('\n').length).toBeGreaterThan(3 * NAMES.length);
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202a-\u202e\u2066-\u2069]/);
  });
});
