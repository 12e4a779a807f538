import { type Finding, formatPosition } from '../../model/finding.ts';
import { goJson } from '../text/json.ts';
import type { Palette } from '../text/palette.ts';
import { STEERING, sanitize } from '../text/sanitize.ts';

export const REPORT_FORMATS = ['text', 'json', 'sarif', 'junit'] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];

/** What was checked, with the findings. */
export interface Report {
  /** The paths as the user gave them. */
  paths: readonly string[];
  /** The files in the order in which they were read. */
  files: readonly string[];
  /** How many rules were read; absent where none are meant. */
  rules?: number;
  findings: readonly Finding[];
  /** Which command reports; default `cilium policy validate`. */
  tool?: string;
}

const DEFAULT_TOOL = 'cilium policy validate';

/** Findings as text: `file:line:column: severity: message`, with the hint on the next line. */
export function renderFindings(findings: readonly Finding[], palette: Palette): string {
  return findings
    .map(({ severity, message, hint, position, excerpt }) => {
      const word = severity === 'error' ? palette.bad(severity) : palette.warn(severity);
      const lines = [`${palette.bold(sanitize(formatPosition(position)))}: ${word}: ${sanitize(message)}`];
      if (excerpt)
        lines.push(
          ...sanitize(excerpt)
            .split('\n')
            .map((line) => `    ${line}`),
        );
      if (hint) lines.push(`    ${palette.dim(sanitize(hint))}`);
      return `${lines.join('\n')}\n`;
    })
    .join('');
}

/** Findings for other programs: JSON, SARIF or JUnit. */
export function renderReport(report: Report, format: Exclude<ReportFormat, 'text'>): string {
  switch (format) {
    case 'json':
      return `${goJson(jsonReport(report), 2)}\n`;
    case 'sarif':
      return `${goJson(sarifReport(report), 2)}\n`;
    case 'junit':
      return junitReport(report);
  }
}

function jsonReport({ files, rules, findings }: Report): unknown {
  return {
    valid: !findings.some(({ severity }) => severity === 'error'),
    files: files.length,
    ...(rules !== undefined && { rules }),
    findings: findings.map(({ severity, code, message, hint, position, path }) => ({
      file: position.file,
      line: position.line,
      column: position.column,
      severity,
      code,
      message,
      ...(hint && { hint }),
      path,
    })),
  };
}

function sarifReport({ findings, tool = DEFAULT_TOOL }: Report): unknown {
  const codes = [...new Set(findings.map(({ code }) => code))].toSorted();
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: tool, rules: codes.map((id) => ({ id })) } },
        columnKind: 'utf16CodeUnits',
        results: findings.map(({ severity, code, message, hint, position: { file, line, column } }) => ({
          ruleId: code,
          level: severity,
          message: { text: hint ? `${message}. ${hint}` : message },
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: file === '-' ? 'stdin' : encodeURI(file.toWellFormed()) },
                region: { startLine: line, startColumn: column },
              },
            },
          ],
        })),
      },
    ],
  };
}

/** One test case per file; a file with errors is a failed one. */
function junitReport({ files, findings }: Report): string {
  const errors = findings.filter(({ severity }) => severity === 'error');
  const failed = new Set(errors.map(({ position }) => position.file));
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuite name="cilium policy validate" tests="${files.length}" failures="${failed.size}">`,
  ];
  for (const file of files) {
    const own = errors.filter(({ position }) => position.file === file);
    if (own.length === 0) {
      lines.push(`  <testcase classname="policy" name="${xml(file)}"/>`);
      continue;
    }
    lines.push(`  <testcase classname="policy" name="${xml(file)}">`);
    for (const { code, message, hint, position } of own) {
      const text = `${formatPosition(position)}: ${message}${hint ? `\n${hint}` : ''}`;
      lines.push(`    <failure type="${xml(code)}" message="${xml(message)}">${xml(text)}</failure>`);
    }
    lines.push('  </testcase>');
  }
  lines.push('</testsuite>');
  return `${lines.join('\n')}\n`;
}

const XML: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Escapes text for XML elements and attributes, also what a terminal that shows the report would act upon. */
export function xml(text: string): string {
  // XML 1.0 cannot represent most control characters, nor half a surrogate pair.
  return text
    .toWellFormed()
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
    .replace(/[&<>"]/g, (c) => XML[c] ?? c)
    .replaceAll('\r', '&#xd;')
    .replace(STEERING, (c) => `&#x${c.charCodeAt(0).toString(16)};`);
}
