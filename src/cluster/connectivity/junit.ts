import { evidenceLines } from './evidence-text.ts';
import type { RunResult, TestResult } from './results.ts';
import { countsOf } from './results.ts';

/** Characters that XML 1.0 does not have, and those that have a meaning in it. */
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;
const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
  '\t': '&#9;',
  '\r': '&#13;',
};

function attribute(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(FORBIDDEN, '\ufffd')
    .replaceAll(/[&<>"\n\t\r]/g, (c) => ESCAPES[c] ?? c);
}

function content(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(FORBIDDEN, '\ufffd')
    .replaceAll(/[&<>]/g, (c) => ESCAPES[c] ?? c);
}

const SUITE = 'connectivity test';

/** A run in JUnit's XML, as CI systems read it: a suite for the run, a case for each test. */
export function junitOf(run: RunResult, properties: Readonly<Record<string, string>>): string {
  const { failed, skipped, notRun } = countsOf(run);
  const counts = `tests="${run.tests.length}" failures="${failed}" errors="0" skipped="${skipped + notRun}" time="${seconds(run.ms)}"`;
  const own = Object.entries(properties).map(
    ([name, value]) => `      <property name="${attribute(name)}" value="${attribute(value)}"></property>`,
  );
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${counts}>`,
    `  <testsuite name="${SUITE}" package="cilium" ${counts} timestamp="${attribute(run.startedAt.replace(/\.\d+Z$/, 'Z'))}">`,
    ...(own.length > 0 ? ['    <properties>', ...own, '    </properties>'] : []),
    ...run.tests.map(caseOf),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

function caseOf({ name, status, reason = '', actions, ms }: TestResult): string {
  const head = `    <testcase name="${attribute(name)}" classname="${SUITE}" status="${status}" time="${seconds(ms)}">`;
  if (status === 'passed') return `${head}</testcase>`;
  if (status !== 'failed')
    return `${head}\n      <skipped message="${attribute(status === 'not-run' ? `not run: ${reason}` : reason)}"></skipped>\n    </testcase>`;
  const bad = actions.filter(({ ok }) => !ok);
  const message = bad.map(({ failure }) => failure ?? '').find((text) => text !== '') ?? 'failed';
  const log = bad.flatMap((action) => [
    `${action.name}: ${action.path}`,
    action.failure ?? '',
    ...(action.evidence ? evidenceLines(action.evidence, action.suspect).map((line) => `  ${line}`) : []),
    ...(action.suspect
      ? [action.suspect.sentence, ...action.suspect.because.map((line) => `  ${line}`)]
      : []),
  ]);
  return `${head}\n      <failure message="${attribute(message)}" type="failure">${content(log.join('\n'))}</failure>\n    </testcase>`;
}
