import { constants, type FileHandle, open, realpath, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode, systemReason, UserError } from '../../errors.ts';
import { bootId } from '../../lib/alive.ts';
import { isRecord } from '../../lib/record.ts';
import { type Action, type Item, KINDS, type Kind, type Plan, type Restore } from '../../model/cleanup.ts';
import { isBelow } from '../state/mounts.ts';
import type { NodePaths } from '../state/read.ts';
import { Copies, keepFiles, syncFile } from './keep.ts';
import { isRestorable } from './restore.ts';

/** What `cleanup undo` needs to bring back what can be brought back. */
export interface UndoFile {
  version: 2;
  node: string;
  /** The kernel's id of the boot that it was recorded in; records of earlier builds have none. */
  boot?: string;
  /** RFC 3339. */
  at: string;
  items: { id: string; kind: Kind; what: string; restore: Restore[] }[];
  /** Items that cannot be brought back. */
  lost: { id: string; what: string }[];
}

/**
 * Records everything a plan will remove, contents included, before anything is touched. The file is one that the caller
 * has created for this; larger files are copied to `<path>.d/`. All of it is on disk on return.
 */
export async function writeUndo(plan: Plan, path: string, nowMs: number): Promise<UndoFile> {
  const undo: UndoFile = {
    version: 2,
    node: plan.node,
    boot: bootId(),
    at: new Date(nowMs).toISOString(),
    items: [],
    lost: [],
  };
  const copies = new Copies(path);
  try {
    for (const item of plan.items) {
      const restore = await recordOf(item, copies);
      if (restore.length > 0) undo.items.push({ id: item.id, kind: item.kind, what: item.what, restore });
      else undo.lost.push({ id: item.id, what: item.what });
    }
    await syncFolder(copies.folder);
    // In place: what the name stands for is either this or, after a crash, nothing that can be read.
    const file = await open(path, constants.O_WRONLY | constants.O_NOFOLLOW);
    try {
      await file.writeFile(`${JSON.stringify(undo, undefined, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await syncFolder(dirname(path));
  } catch (cause) {
    await rm(path, { force: true });
    if (copies.isMade) await rm(copies.folder, { recursive: true, force: true });
    throw new UserError(`record what will be removed in ${path}: ${systemReason(cause)}`, {
      hint: 'Nothing was removed. Name another file with --undo-file.',
      cause,
    });
  }
  return undo;
}

async function recordOf(item: Item, copies: Copies): Promise<Restore[]> {
  if (item.restore) return item.restore;
  const kept: Restore[] = [];
  for (const action of item.remove) {
    if ((action.do !== 'unlink' && action.do !== 'remove-tree') || item.kind === 'pin') continue;
    const entries = await keepFiles(action.path, copies);
    if (entries.length > 0) kept.push({ bring: 'files', entries });
  }
  return kept;
}

/** Brings a folder's names to the disk; there may be none. */
async function syncFolder(path: string): Promise<void> {
  await syncFile(path).catch((error: unknown) => {
    if (isRecord(error) && error.code === 'ENOENT') return;
    throw error;
  });
}

/** Refuses a record that the cleanup itself would remove. */
export async function refuseInside(path: string, plan: Plan): Promise<void> {
  const folder = await realpath(dirname(path)).catch(() => dirname(path));
  for (const { remove } of plan.items)
    for (const tree of remove.filter(
      (action): action is Action & { do: 'remove-tree' } => action.do === 'remove-tree',
    ))
      if (isBelow(folder, await realpath(tree.path).catch(() => tree.path)))
        throw new UserError(`--undo-file: ${path} lies in ${tree.path}, which will be removed`, {
          hint: 'Name a file elsewhere. Nothing was removed.',
        });
}

/** Where things may be restored, and who asks. */
export interface UndoLimits {
  paths: NodePaths;
  /** Effective user id; undefined where the system has none. */
  uid: number | undefined;
}

/**
 * Reads and checks an undo file; undefined when a cleanup created it and ended before it had recorded, and so removed,
 * anything. It is trusted only when it is a file of the user's own that nobody else can write, and when each of its steps
 * brings back what `cleanup` removes.
 */
export async function readUndo(path: string, limits: UndoLimits): Promise<UndoFile | undefined> {
  let text: string;
  let value: unknown;
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      await checkOwner(file, path, limits.uid);
      text = await file.readFile('utf8');
    } finally {
      await file.close();
    }
    if (text === '') return undefined;
    value = JSON.parse(text);
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    if (errorCode(cause) === 'ELOOP')
      throw new UserError(`undo file ${path}: it is a symbolic link`, {
        hint: 'Whoever owns the link could have it lead elsewhere: name the file itself. Nothing was restored.',
        cause,
      });
    throw new UserError(`read undo file ${path}: ${systemReason(cause)}`, {
      ...(cause instanceof SyntaxError && {
        hint: 'A cleanup that was ended while it wrote its record has removed nothing.',
      }),
      cause,
    });
  }
  if (isRecord(value) && value.version === 1)
    throw new UserError(`${path} is not an undo file of "cilium cleanup" of this version`, {
      hint: 'Version 1 holds commands instead of data: restore with the build that wrote it.',
    });
  if (!isUndo(value))
    throw new UserError(`${path} is not an undo file of "cilium cleanup"`, {
      hint: 'Expected "version": 2, "node", "at" and "items".',
    });
  for (const { id, restore } of value.items) {
    for (const step of restore)
      if (!isRestorable(step, limits.paths))
        throw new UserError(`${path}: item "${id}" holds a step that "cilium cleanup" does not record`, {
          hint: `The step is ${JSON.stringify(step).slice(0, 200)}. Nothing was restored.`,
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
  const { version, node, boot, at, items, lost } = value;
  return (
    version === 2 &&
    typeof node === 'string' &&
    (boot === undefined || typeof boot === 'string') &&
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
        item.restore.every((step) => isRecord(step)),
    )
  );
}
