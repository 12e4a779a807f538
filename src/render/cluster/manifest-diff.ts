import type { ManifestDiff } from '../../cluster/install/manifest.ts';
import { sanitizeCell } from '../text/sanitize.ts';
import { renderFieldChanges } from './objects.ts';

/** Longer values are cut: of a program in a ConfigMap nobody reads the whole here. */
const MAX_TEXT = 300;

/** What an upgrade changes, object by object. */
export function renderManifestDiff(
  { changes, unchanged }: ManifestDiff,
  { from, to, hooks }: { from: string; to: string; hooks: readonly string[] },
): string {
  const lines = changes.map(({ what, object, changes: fields = [] }) => {
    if (what === 'gone') return `${sanitizeCell(object)}: goes\n`;
    if (what === 'new') return renderFieldChanges(object, undefined);
    return renderFieldChanges(
      object,
      fields.map(({ path, ...values }) => ({
        path,
        ...('before' in values && { before: short(values.before) }),
        ...('after' in values && { after: short(values.after) }),
      })),
    );
  });
  const same = `${unchanged} object${unchanged === 1 ? '' : 's'} without a change.\n`;
  const run = hooks.length === 0 ? '' : `Hooks that helm runs: ${hooks.map(sanitizeCell).join(', ')}.\n`;
  return `From ${from} to ${to}:\n${lines.join('')}${same}${run}`;
}

function short(value: unknown): unknown {
  const text = JSON.stringify(value) ?? '';
  return text.length <= MAX_TEXT ? value : `${text.slice(0, MAX_TEXT)}… (${text.length} characters)`;
}
