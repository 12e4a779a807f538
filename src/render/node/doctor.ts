import { wrapWords } from '../../lib/wrap-words.ts';
import type { Diagnosis, Severity } from '../../model/doctor.ts';
import type { Palette } from '../text/palette.ts';
import { sanitize } from '../text/sanitize.ts';

/** What stands below the line of a check. */
const SET_IN = ' '.repeat(11);

/**
 * Diagnoses as text: what is wrong with evidence and the next step, what is fine on one line each. Lines are broken between
 * words where a terminal of `columns` has no room for them.
 */
export function renderDiagnoses(
  diagnoses: readonly Diagnosis[],
  palette: Palette,
  columns: number | undefined,
): string {
  const paint: Record<Severity, (text: string) => string> = {
    ok: palette.good,
    warning: palette.warn,
    failure: palette.bad,
    skipped: palette.dim,
  };
  const wrapped = (text: string) =>
    columns === undefined ? [text] : wrapWords(text, columns - SET_IN.length).split('\n');
  const below = (head: string, text: string) =>
    wrapped(text).map((line, i) => `${i === 0 ? head : SET_IN}${line}`);
  const lines = diagnoses.flatMap(({ check, severity, what, evidence, next }) => [
    ...below(`${paint[severity](severity.padEnd(8))} `, `${check}: ${sanitize(what)}`),
    ...evidence.slice(0, 8).flatMap((line) => below(SET_IN, sanitize(line))),
    ...(evidence.length > 8 ? [`${SET_IN}… and ${evidence.length - 8} more`] : []),
    ...(next && severity !== 'ok' ? below('         → ', sanitize(next)) : []),
  ]);
  const count = (severity: Severity) =>
    diagnoses.filter((diagnosis) => diagnosis.severity === severity).length;
  lines.push(
    '',
    `${count('failure')} failures, ${count('warning')} warnings, ${count('ok')} checks fine, ${count('skipped')} skipped`,
  );
  return `${lines.join('\n')}\n`;
}
