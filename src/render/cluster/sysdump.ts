import { type ArchiveIndex, LOG, REDACTIONS } from '../../archive/layout.ts';
import { htmlText } from '../html/markup.ts';
import { tabulate } from '../text/table.ts';

const TOP_TABLE = { minWidth: 0, padding: 2 } as const;

/** The version of the API server, as Go prints the value that cilium-cli writes. */
export function versionText(version: Readonly<Record<string, unknown>>): string {
  const fields = [
    'Major',
    'Minor',
    'EmulationMajor',
    'EmulationMinor',
    'MinCompatibilityMajor',
    'MinCompatibilityMinor',
    'GitVersion',
    'GitCommit',
    'GitTreeState',
    'BuildDate',
    'GoVersion',
    'Compiler',
    'Platform',
  ];
  const value = (name: string) => version[name.charAt(0).toLowerCase() + name.slice(1)];
  return `version.Info{${fields.map((name) => `${name}:${JSON.stringify(String(value(name) ?? ''))}`).join(', ')}}`;
}

/** An event, as far as the page of events shows it. */
export interface EventRow {
  first: string;
  last: string;
  count: number;
  type: string;
  reason: string;
  object: string;
  message: string;
}

/** The page of events begins with this; rows follow, in the order of time. */
export const EVENTS_HEAD = `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Events</title>
<style>body{font-family:sans-serif}td{vertical-align:top;padding:2px 8px}.bad{color:#b00}.odd{color:#a60}.usual{color:#555}</style>
</head><body><table>
<tr><th>Time (UTC)</th><th>Object</th><th>Reason</th><th>Message</th></tr>
`;
export const EVENTS_TAIL = '</table></body></html>\n';

export function eventRow({ first, last, count, reason, object, message }: EventRow): string {
  const look = /fail|error|kill|backoff/i.test(reason)
    ? 'bad'
    : /notready|unhealthy|missing/i.test(reason)
      ? 'odd'
      : 'usual';
  const times = count > 1 ? ` (x${count})` : '';
  return `<tr><td><time datetime="${htmlText(last)}" title="${htmlText(first)}">${htmlText(last)}</time>${times}</td><td>${htmlText(object)}</td><td class="${look}">${htmlText(reason)}</td><td>${htmlText(message)}</td></tr>\n`;
}

/** Usage in a table of `kubectl top`. */
export function topTable(rows: readonly (readonly string[])[]): string {
  return tabulate(rows.map((cells) => `${cells.join('\t')}\n`).join(''), TOP_TABLE);
}

/** Bytes for people: `12.3 MiB`. */
export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let [value, unit] = [bytes, 0];
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** How a collection went, for people. */
export function summaryText(
  index: ArchiveIndex,
  redactions: readonly { rule: string; file: string; count: number }[],
): string {
  const count = (status: string) => index.tasks.filter((task) => task.status === status).length;
  const bytes = index.tasks.flatMap(({ files }) => files).reduce((sum, file) => sum + file.bytes, 0);
  const rows = (status: string) =>
    index.tasks
      .filter((task) => task.status === status)
      .map(({ task, node, reason = '' }) => `- ${cell(task)}${node ? ` (${node})` : ''}: ${cell(reason)}\n`)
      .join('');
  const section = (title: string, body: string) => (body === '' ? '' : `\n## ${title}\n\n${body}`);
  const byRule = new Map<string, { count: number; files: number }>();
  for (const one of redactions) {
    const sum = byRule.get(one.rule) ?? { count: 0, files: 0 };
    byRule.set(one.rule, { count: sum.count + one.count, files: sum.files + 1 });
  }
  const replaced = [...byRule].map(
    ([rule, { count: times, files }]) => `| ${rule} | ${times} | ${files} |\n`,
  );
  const largest = index.tasks
    .flatMap(({ files }) => files)
    .toSorted((a, b) => b.bytes - a.bytes)
    .slice(0, 10)
    .map(({ file, bytes: size }) => `- ${cell(file)}: ${bytesText(size)}\n`);
  return [
    `# Sysdump of ${index.server}\n\n`,
    `| | |\n|---|---|\n`,
    `| begun | ${index.startedAt} |\n| ended | ${index.endedAt ?? ''} |\n`,
    `| written by | ${index.writer} |\n| context | ${cell(index.context ?? '')} |\n`,
    `| namespace of Cilium | ${index.namespace} |\n| nodes visited | ${index.nodes.length} |\n`,
    `| complete | ${index.isComplete ? 'yes' : 'no'} |\n`,
    `| tasks | ${count('ok')} ok, ${count('absent')} absent, ${count('failed')} failed, ${count('skipped')} skipped |\n`,
    `| bytes, unpacked | ${bytesText(bytes)} |\n`,
    section('What is missing', rows('failed')),
    section('What was not asked', rows('skipped')),
    section('What this cluster does not have', rows('absent')),
    section(
      'Worth knowing',
      index.tasks
        .filter(({ status, reason }) => status === 'ok' && reason)
        .map(({ task, reason = '' }) => `- ${cell(task)}: ${cell(reason)}\n`)
        .join(''),
    ),
    section(
      'Secrets',
      index.isRedacted
        ? `${replaced.length > 0 ? `| rule | replaced | files |\n|---|---|---|\n${replaced.join('')}\n` : ''}Rules find the usual shapes of secrets, in ${REDACTIONS} by file. Look through an archive before it is given to others. Profiles and traces are not searched.\n`
        : 'Nothing was replaced (--no-redact): this archive may hold passwords, tokens and keys.\n',
    ),
    section('Largest files', largest.join('')),
    `\nWhat was printed is in ${LOG}, and all of this for programs in index.json.\n`,
  ].join('');
}

function cell(text: string): string {
  return text.replace(/\s+/g, ' ').replaceAll('|', '\\|');
}
