import { cp, lstat, mkdir, readFile, readlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemReason, UserError } from '../../errors.ts';
import { writeAtomically } from '../../lib/atomic-file.ts';
import { type Action, KINDS, type Kind, type Plan } from '../../model/cleanup.ts';

/** What `cleanup undo` needs to bring back what can be brought back. */
export interface UndoFile {
  version: 1;
  node: string;
  /** RFC 3339. */
  at: string;
  items: { id: string; kind: Kind; what: string; restore: Action[] }[];
  /** Items that cannot be brought back. */
  lost: { id: string; what: string }[];
}

/**
 * Records everything a plan will remove, contents included, before anything is touched. The file is written
 * atomically; state folders are copied to `<path>.d/`.
 */
export async function writeUndo(plan: Plan, path: string, nowMs: number): Promise<UndoFile> {
  const undo: UndoFile = {
    version: 1,
    node: plan.node,
    at: new Date(nowMs).toISOString(),
    items: [],
    lost: [],
  };
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  for (const item of plan.items) {
    const restore = item.restore ?? (await keep(item.remove, `${path}.d/${undo.items.length}`));
    if (restore.length > 0) undo.items.push({ id: item.id, kind: item.kind, what: item.what, restore });
    else undo.lost.push({ id: item.id, what: item.what });
  }
  await writeAtomically(path, `${JSON.stringify(undo, undefined, 2)}\n`);
  return undo;
}

async function keep(remove: readonly Action[], copy: string): Promise<Action[]> {
  const kept: Action[] = [];
  for (const action of remove) {
    if (action.do === 'unlink') {
      const info = await lstat(action.path).catch(() => undefined);
      if (info?.isFile() && info.size < 16 * 1024 * 1024 && !action.path.startsWith('/sys/')) {
        const base64 = (await readFile(action.path)).toString('base64');
        kept.push({ do: 'write', path: action.path, mode: info.mode & 0o777, base64 });
      } else if (info?.isSymbolicLink())
        kept.push({ do: 'symlink', path: action.path, target: await readlink(action.path) });
    } else if (action.do === 'remove-tree') {
      await cp(action.path, copy, {
        recursive: true,
        preserveTimestamps: true,
        filter: async (source) => {
          const info = await lstat(source);
          return info.isFile() || info.isDirectory() || info.isSymbolicLink();
        },
      });
      kept.push({ do: 'copy-back', path: action.path, copy });
    }
  }
  return kept;
}

/** Reads and checks an undo file. */
export async function readUndo(path: string): Promise<UndoFile> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new UserError(`read undo file ${path}: ${systemReason(cause)}`, { cause });
  }
  if (!isUndo(value))
    throw new UserError(`${path} is not an undo file of "cilium cleanup"`, {
      hint: 'Expected "version": 1, "node", "at" and "items".',
    });
  return value;
}

function isUndo(value: unknown): value is UndoFile {
  if (typeof value !== 'object' || value === null) return false;
  const { version, node, items } = value as Partial<Record<keyof UndoFile, unknown>>;
  return (
    version === 1 &&
    typeof node === 'string' &&
    Array.isArray(items) &&
    items.every(
      (item) => typeof item?.id === 'string' && KINDS.includes(item.kind) && Array.isArray(item.restore),
    )
  );
}
