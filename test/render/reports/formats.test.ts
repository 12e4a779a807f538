import { expect, test } from '@jest/globals';
import MarkdownIt from 'markdown-it';
import { countsText, type Report, reportOfFindings, ruleId } from '../../../src/model/report.ts';
import { REPORT_FORMATS } from '../../../src/model/report-format.ts';
import { renderReport } from '../../../src/render/reports/index.ts';
import { renderJunit } from '../../../src/render/reports/junit.ts';
import type { Locate } from '../../../src/render/reports/place.ts';
import { annotationsOf, junitErrors, sarifResults } from '../../helpers/reports.ts';

const EVIL =
  'a%0Ab:c,d=e|f\\g"h<i>&j\r\n::error::own ##[error]`k` ``l`` [m](http://n) <!-- o --> @team *p* _q_ \u001b[2J\u009b\u202e\ufffe\ud800 ]]>';
const locate: Locate = (file) =>
  file.startsWith('/') ? { kind: 'outside', name: file } : { kind: 'inside', name: file };

const hostile: Report = {
  tool: 'cilium policy validate',
  summary: [EVIL],
  startedAt: '2026-01-01T00:00:00.500Z',
  ms: 1500,
  checks: [
    { name: 'fine', result: 'passed', remarks: [] },
    {
      name: EVIL,
      group: EVIL,
      result: 'failed',
      ms: 3,
      remarks: [
        {
          level: 'error',
          rule: 'unknown-field',
          message: EVIL,
          hint: EVIL,
          details: [EVIL],
          position: { file: `dir:x/${EVIL}.yaml`, line: 3, column: 7 },
        },
        { level: 'warning', rule: 'second', message: 'b' },
      ],
    },
    { name: 'c', result: 'unknown', remarks: [{ level: 'warning', rule: 'not-read', message: EVIL }] },
    { name: 'd', result: 'skipped', remarks: [{ level: 'note', rule: 'skipped', message: EVIL }] },
    { name: 'e', result: 'passed', remarks: [{ level: 'warning', rule: 'odd', message: EVIL }] },
  ],
};
const render = (report: Report, format: (typeof REPORT_FORMATS)[number]) =>
  renderReport(report, format, { version: '1.2.3', locate });

test.each(REPORT_FORMATS)('%s of nothing and of hostile names holds no control byte', (format) => {
  for (const report of [hostile, { tool: 't', checks: [] }])
    expect(render(report, format)).not.toMatch(
      /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ud800]/,
    );
});

test.each([hostile, { tool: 't', checks: [] }])('SARIF keeps to its schema', (report) => {
  const results = sarifResults(render(report, 'sarif'));
  expect(results).toHaveLength(report.checks.length === 0 ? 0 : 4);
});

test('SARIF names a file by a relative URI with its line and column, and all else by its name', () => {
  const [first, second] = sarifResults(render(hostile, 'sarif'));
  expect(first).toMatchObject({ ruleId: 'unknown-field', level: 'error' });
  const place = first?.locations[0]?.physicalLocation;
  expect(place?.region).toEqual({ startLine: 3, startColumn: 7 });
  expect(place?.artifactLocation.uriBaseId).toBe('SRCROOT');
  expect(place?.artifactLocation.uri).toMatch(/^dir%3Ax\/a%250Ab%3Ac%2Cd%3De%7Cf%5Cg/);
  expect(decodeURIComponent(place?.artifactLocation.uri ?? '')).toBe(`dir:x/${EVIL.toWellFormed()}.yaml`);
  expect(second?.locations[0]).toHaveProperty('logicalLocations');
});

test.each([hostile, { tool: 't', checks: [] }])('JUnit keeps to the schema of Jenkins', async (report) => {
  expect(await junitErrors(render(report, 'junit'))).toEqual([]);
});

test('JUnit tells failures from what could not be made and from what was skipped', () => {
  const text = render(hostile, 'junit');
  expect(text).toContain('<testsuites tests="5" failures="1" errors="1" time="1.500">');
  expect(text).toContain('skipped="1" time="1.500" timestamp="2026-01-01T00:00:00Z">');
  expect(text.match(/<(failure|error|skipped|system-out)\b/g)).toEqual([
    ...['<failure', '<error', '<skipped', '<system-out'],
  ]);
  expect(text).toContain('(and 1 more)" type="unknown-field">');
  expect(text).toContain('<testcase name="fine" classname="cilium policy validate"></testcase>');
});

test('the schema of Jenkins refuses what only the file of cilium-cli has', async () => {
  const text = renderJunit(hostile, { suite: 's', package: 'cilium', properties: { a: '"' } });
  expect((await junitErrors(text)).map(({ message }) => message).join()).toContain("'status' is not allowed");
});

test('workflow commands of GitHub give back what they were given, and nothing in it is a command', () => {
  const text = render(hostile, 'github');
  const found = annotationsOf(text);
  expect(found.map(({ command }) => command)).toEqual(['error', 'warning', 'warning', 'warning']);
  const safe = EVIL.replace('\r', '\\r')
    .replace('\u001b', '^[')
    .replace('\u009b', '\\u009b')
    .replace('\u202e', '\\u202e')
    .replace('\ud800', '\ufffd');
  expect(found[0]).toEqual({
    command: 'error',
    properties: {
      file: `dir:x/${safe}.yaml`,
      line: '3',
      col: '7',
      title: 'cilium policy validate: unknown-field',
    },
    message: [safe, safe, safe].join('\n'),
  });
  expect(found[2]?.message).toBe(`c: ${safe}`);
  expect(text.endsWith('cilium policy validate: 5 checks, 1 failed, 1 could not be made, 1 skipped\n')).toBe(
    true,
  );
});

test('Markdown shows names as they are: one row each, no link, no markup, nobody told', () => {
  const html = new MarkdownIt({ html: true, linkify: false }).render(render(hostile, 'markdown'));
  expect(html.match(/<tr>/g)).toHaveLength(1 + 4);
  expect(html.match(/<td>/g)).toHaveLength(4 * 4);
  const tags = new Set(Array.from(html.matchAll(/<\/?([a-z0-9]+)/g), ([, tag]) => tag));
  expect([...tags].toSorted()).toEqual(
    ['br', 'code', 'h3', 'p', 'table', 'tbody', 'td', 'th', 'thead', 'tr'].toSorted(),
  );
  expect(html).not.toContain('<!--');
  expect(html).not.toContain('@team</td>');
  expect(html).toContain('1 of 5 checks failed, 1 could not be made, 1 skipped');
  expect(html).toContain('*p* _q_');
});

test('Markdown of many findings stays below the size of a comment', () => {
  const checks = Array.from({ length: 500 }, (_, i) => ({
    name: `f${i}`,
    result: 'failed' as const,
    remarks: [{ level: 'error' as const, rule: 'r', message: 'x'.repeat(2000) }],
  }));
  const text = render({ tool: 't', checks }, 'markdown');
  expect(text.length).toBeLessThan(65_536);
  expect(text).toMatch(/… and 4\d\d more\.\n$/);
});

test('findings become a check for each file, also for one that was not named', () => {
  const finding = (file: string, severity: 'error' | 'warning', line: number) => ({
    severity,
    code: 'c',
    message: 'm',
    position: { file, line, column: 1 },
    path: [],
  });
  const findings = [finding('b', 'warning', 1), finding('b', 'error', 2), finding('z', 'warning', 1)];
  const of = (failOn: 'error' | 'warning' | 'never') =>
    reportOfFindings('t', ['a', 'b'], findings, failOn).checks.map(({ name, result }) => `${name} ${result}`);
  expect(of('error')).toEqual(['a passed', 'b failed', 'z passed']);
  expect(of('warning')).toEqual(['a passed', 'b failed', 'z failed']);
  expect(of('never')).toEqual(['a passed', 'b passed', 'z passed']);
  const [, b] = reportOfFindings('t', ['a', 'b'], findings).checks;
  expect(b?.remarks.map(({ level }) => level)).toEqual(['error', 'warning']);
  expect(countsText(reportOfFindings('t', ['a'], []))).toBe('1 check, 0 failed');
  expect(ruleId('Restart needed!', 'x')).toBe('restart-needed-x');
});
