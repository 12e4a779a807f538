import {
  constants,
  cp,
  type FileHandle,
  lstat,
  open,
  readdir,
  readFile,
  readlink,
  rm,
} from 'node:fs/promises';
import { join, normalize } from 'node:path';
import { systemReason, UserError } from '../../errors.ts';
import { writeAtomically } from '../../lib/atomic-file.ts';
import { isRecord } from '../../lib/record.ts';
import { type Action, KINDS, type Kind, type Plan } from '../../model/cleanup.ts';
import type { NodePaths } from '../state/read.ts';

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
 * Records everything a plan will remove, contents included, before anything is touched. The file, which the caller has
 * created for this, is written atomically; state folders are copied to `<path>.d/`. All of it is on disk on return.
 */
export async function writeUndo(plan: Plan, path: string, nowMs: number): Promise<UndoFile> {
  const undo: UndoFile = {
    version: 1,
    node: plan.node,
    at: new Date(nowMs).toISOString(),
    items: [],
    lost: [],
  };
  try {
    for (const item of plan.items) {
      const restore = item.restore ?? (await keep(item.remove, `${path}.d/${undo.items.length}`));
      if (restore.length > 0) undo.items.push({ id: item.id, kind: item.kind, what: item.what, restore });
      else undo.lost.push({ id: item.id, what: item.what });
    }
    await syncTree(`${path}.d`);
    await writeAtomically(path, `${JSON.stringify(undo, undefined, 2)}\n`);
  } catch (cause) {
    await rm(path, { force: true });
    throw new UserError(`record what will be removed in ${path}: ${systemReason(cause)}`, {
      hint: 'Nothing was removed. Name another file with --undo-file.',
      cause,
    });
  }
  return undo;
}

/** Brings a tree of copies to the disk; there may be none. */
async function syncTree(path: string): Promise<void> {
  const info = await lstat(path).catch(() => undefined);
  if (info?.isDirectory()) for (const name of await readdir(path)) await syncTree(join(path, name));
  if (!info?.isDirectory() && !info?.isFile()) return;
  const file = await open(path, 'r');
  await file.sync().finally(() => file.close());
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
        force: false,
        errorOnExist: true,
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

/** Where things may be restored, and who asks. */
export interface UndoLimits {
  paths: NodePaths;
  /** Effective user id; undefined where the system has none. */
  uid: number | undefined;
}

/**
 * Reads and checks an undo file. It runs programs as root, so it is trusted only when it is a file of the user's own that
 * nobody else can write, and when each of its steps has a form that `cleanup` records.
 */
export async function readUndo(path: string, limits: UndoLimits): Promise<UndoFile> {
  let value: unknown;
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      await checkOwner(file, path, limits.uid);
      value = JSON.parse(await file.readFile('utf8'));
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw new UserError(`read undo file ${path}: ${systemReason(cause)}`, { cause });
  }
  if (!isUndo(value))
    throw new UserError(`${path} is not an undo file of "cilium cleanup"`, {
      hint: 'Expected "version": 1, "node", "at" and "items".',
    });
  for (const { id, restore } of value.items) {
    for (const action of restore)
      if (!isRestoring(action, path, limits.paths))
        throw new UserError(`${path}: item "${id}" holds a step that "cilium cleanup" does not record`, {
          hint: `The step is ${JSON.stringify(action).slice(0, 200)}. Nothing was restored.`,
        });
  }
  return value;
}

async function checkOwner(file: FileHandle, path: string, uid: number | undefined): Promise<void> {
  const info = await file.stat();
  const refuse = (why: string, hint: string) => {
    throw new UserError(`undo file ${path}: ${why}`, { hint: `${hint} Nothing was restored.` });
  };
  if (!info.isFile()) refuse('it is not a regular file', 'Name the file that "cilium cleanup" wrote.');
  if (uid !== undefined && info.uid !== uid && info.uid !== 0)
    refuse(
      `it belongs to user ${info.uid}`,
      'Its steps would run with your rights: check it, then chown it.',
    );
  if ((info.mode & 0o022) !== 0)
    refuse(
      'others than its owner can write it',
      'Its steps would run with your rights: check it, then chmod 600.',
    );
}

function isUndo(value: unknown): value is UndoFile {
  if (!isRecord(value)) return false;
  const { version, node, at, items, lost } = value;
  return (
    version === 1 &&
    typeof node === 'string' &&
    typeof at === 'string' &&
    Array.isArray(lost) &&
    Array.isArray(items) &&
    items.every(
      (item) =>
        isRecord(item) &&
        typeof item.id === 'string' &&
        typeof item.what === 'string' &&
        KINDS.some((kind) => kind === item.kind) &&
        Array.isArray(item.restore) &&
        item.restore.every((action) => isRecord(action)),
    )
  );
}

/** The programs that restore, with the words that they begin with. */
const RESTORING: readonly (readonly string[])[] = [
  ...['rule', 'route', 'link', 'addr'].flatMap((noun) => [
    ['ip', noun],
    ['ip', '-6', noun],
  ]),
  ...['iptables', 'ip6tables'].flatMap((program) => [
    [`${program}-nft-restore`, '--noflush'],
    [`${program}-legacy-restore`, '--noflush'],
  ]),
  ['ipset', 'restore', '-exist'],
];
const RESTORING_VERBS = new Set(['add', 'replace', 'set', 'del']);

/** Whether a step is of the kind that `planCleanup` and `writeUndo` make, within Cilium's places. */
function isRestoring(action: Action, undoFile: string, paths: NodePaths): boolean {
  const texts = (...values: unknown[]) => values.every((value) => typeof value === 'string');
  const below = (path: string, ...folders: string[]) =>
    path === normalize(path) && folders.some((folder) => path === folder || path.startsWith(`${folder}/`));
  const places = [paths.cniConfig, paths.sysctlDropIns, paths.runState, paths.libState];
  switch (action.do) {
    case 'run': {
      if (!Array.isArray(action.command) || !texts(...action.command)) return false;
      const known = RESTORING.find((words) => words.every((word, i) => action.command[i] === word));
      if (!known) return false;
      const rest = action.command.slice(known.length);
      return known[0] === 'ip'
        ? RESTORING_VERBS.has(rest[0] ?? '') && !rest.some((word) => word.startsWith('-'))
        : rest.length === 0 && texts(action.stdin);
    }
    case 'rename':
      return texts(action.from, action.to) && below(action.from, ...places) && below(action.to, ...places);
    case 'write':
      return (
        texts(action.path, action.base64) && Number.isInteger(action.mode) && below(action.path, ...places)
      );
    case 'symlink':
      return texts(action.path, action.target) && below(action.path, ...places);
    case 'copy-back':
      return (
        texts(action.path, action.copy) &&
        below(action.path, ...places) &&
        below(action.copy, `${undoFile}.d`)
      );
    default:
      return false;
  }
}
