import { type Finding, formatPosition } from '../../model/finding.ts';
import { goJson } from '../text/json.ts';
import type { Palette } from '../text/palette.ts';
import { sanitize } from '../text/sanitize.ts';

/** What was checked, with the findings. */
export interface CheckedFiles {
  /** The files in the order in which they were read. */
  files: readonly string[];
  /** How many rules were read; absent where none are meant. */
  rules?: number;
  findings: readonly Finding[];
}

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

/** Findings as JSON. */
export function findingsJson({ files, rules, findings }: CheckedFiles): string {
  return `${goJson(
    {
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
    },
    2,
  )}\n`;
}
