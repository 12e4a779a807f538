import type { Recording } from '../../archive/recording.ts';
import { ITEMS } from '../../cluster/sysdump/items.ts';
import { OWN_ITEMS } from '../../cluster/sysdump/own-items.ts';

/** Names of objects that an item with code of its own collects. */
const SPECIAL: ReadonlySet<string> = new Set(['cilium-config']);
/** What is wherever Cilium may not be: of no list of what belongs to it. */
const BESIDE: ReadonlySet<string> = new Set(
  ITEMS.flatMap((item) => (item.kind === 'object' && item.scope === 'kube-system' ? [item.stem] : [])),
);

/**
 * Of a kind of which an archive holds some objects only, why one that is not among them may have been there; undefined
 * where it was not. Without a name it is any of those that belong to Cilium.
 */
export function lostPart(
  recording: Recording,
  plural: string,
  ending: string,
  name: string | undefined,
): string | undefined {
  const tasks = recording.index?.tasks;
  if (name === undefined || SPECIAL.has(name)) {
    const lost = tasks?.find(
      ({ stem = '', status }) =>
        stem.endsWith(ending) && !BESIDE.has(stem) && (status === 'failed' || status === 'skipped'),
    );
    return lost && `${lost.task}: ${lost.reason ?? lost.status}`;
  }
  const item = ITEMS.find((one) =>
    one.kind === 'object'
      ? one.name === name && one.path.endsWith(`/${plural}`)
      : one.kind === 'list' && one.stem === `${name}${ending}`,
  );
  if (item === undefined || item.kind === 'special') return 'no sysdump asks for it';
  if (!recording.index) return OWN_ITEMS.includes(item) ? 'cilium-cli does not ask for it' : undefined;
  const task = tasks?.find(({ stem }) => stem === item.stem);
  if (!task) return 'it was not asked for';
  return task.status === 'absent' || task.status === 'ok'
    ? undefined
    : `${task.task}: ${task.reason ?? task.status}`;
}
