import { type Check, type Remark, type Report, remarkLines, resultsOf } from '../../model/report.ts';
import { xmlAttribute, xmlText } from './xml.ts';

/** What only the file of `connectivity test --junit` has, as cilium-cli writes it. */
export interface JunitExtras {
  suite: string;
  package: string;
  properties: Readonly<Record<string, string>>;
}

/**
 * JUnit's XML: a case for each check. One that failed has a `failure`, one that could not be made an `error`, one that
 * passed its warnings as output. Without `extras` it keeps to the schema of Jenkins.
 */
export function renderJunit(report: Report, extras?: JunitExtras): string {
  const { failed, unknown, skipped } = resultsOf(report);
  const { ms, startedAt, checks } = report;
  const counts = `tests="${checks.length}" failures="${failed}" errors="${unknown}"`;
  const skips = ` skipped="${skipped}"`;
  const time = ms === undefined ? '' : ` time="${seconds(ms)}"`;
  const stamp =
    startedAt === undefined ? '' : ` timestamp="${xmlAttribute(startedAt.replace(/\.\d+Z$/, 'Z'))}"`;
  const suite = xmlAttribute(extras?.suite ?? report.tool);
  const of = extras ? ` package="${xmlAttribute(extras.package)}"` : '';
  const properties = Object.entries(extras?.properties ?? {}).map(
    ([name, value]) =>
      `      <property name="${xmlAttribute(name)}" value="${xmlAttribute(value)}"></property>`,
  );
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${counts}${extras ? skips : ''}${time}>`,
    `  <testsuite name="${suite}"${of} ${counts}${skips}${time}${stamp}>`,
    ...(properties.length > 0 ? ['    <properties>', ...properties, '    </properties>'] : []),
    ...checks.map((check) => caseOf(check, extras?.suite ?? report.tool, extras !== undefined)),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

function caseOf(check: Check, suite: string, isExtended: boolean): string {
  const { name, group = suite, result, remarks, ms } = check;
  const attributes = [
    `name="${xmlAttribute(name)}"`,
    `classname="${xmlAttribute(group)}"`,
    ...(isExtended ? [`status="${result === 'unknown' ? 'error' : result}"`] : []),
    ...(ms === undefined ? [] : [`time="${seconds(ms)}"`]),
  ].join(' ');
  const inner = [...outcomeOf(check, isExtended), ...outputOf(result, remarks)];
  if (inner.length === 0) return `    <testcase ${attributes}></testcase>`;
  return [`    <testcase ${attributes}>`, ...inner.map((line) => `      ${line}`), '    </testcase>'].join(
    '\n',
  );
}

function outcomeOf({ result, remarks: [first, ...others], name }: Check, isExtended: boolean): string[] {
  if (result === 'passed') return [];
  const message = first?.message ?? name;
  if (result === 'skipped') return [`<skipped message="${xmlAttribute(message)}"></skipped>`];
  const element = result === 'failed' ? 'failure' : 'error';
  const more = others.length > 0 ? ` (and ${others.length} more)` : '';
  const type = xmlAttribute(isExtended ? element : (first?.rule ?? element));
  const lines = [first, ...others].flatMap((remark) => (remark ? remarkLines(remark) : []));
  return [
    `<${element} message="${xmlAttribute(message + more)}" type="${type}">${xmlText(lines.join('\n'))}</${element}>`,
  ];
}

function outputOf(result: Check['result'], remarks: readonly Remark[]): string[] {
  if (result !== 'passed' || remarks.length === 0) return [];
  const lines = remarks.flatMap((remark) => {
    const [what = '', ...rest] = remarkLines(remark);
    return [`${remark.level}: ${what}`, ...rest];
  });
  return [`<system-out>${xmlText(lines.join('\n'))}</system-out>`];
}
