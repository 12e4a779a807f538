import type { Diagnosis, Severity } from '../../model/doctor.ts';
import type { Palette } from '../text/palette.ts';
import { sanitize } from '../text/sanitize.ts';

/** Diagnoses as text: what is wrong with evidence and the next step, what is fine on one line each. */
export function renderDiagnoses(diagnoses: readonly Diagnosis[], palette: Palette): string {
  const paint: Record<Severity, (text: string) => string> = {
    ok: palette.good,
    warning: palette.warn,
    failure: palette.bad,
    skipped: palette.dim,
  };
  const lines = diagnoses.flatMap(({ check, severity, what, evidence, next }) => [
    `${paint[severity](severity.padEnd(8))} ${check}: ${sanitize(what)}`,
    ...evidence.slice(0, 8).map((line) => `           ${sanitize(line)}`),
    ...(evidence.length > 8 ? [`           … and ${evidence.length - 8} more`] : []),
    ...(next && severity !== 'ok' ? [`         → ${sanitize(next)}`] : []),
  ]);
  const count = (severity: Severity) =>
    diagnoses.filter((diagnosis) => diagnosis.severity === severity).length;
  lines.push(
    '',
    `${count('failure')} failures, ${count('warning')} warnings, ${count('ok')} checks fine, ${count('skipped')} skipped`,
  );
  return `${lines.join('\n')}\n`;
}
