import { open, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { agentAddress } from '../agent/client.ts';
import type { Context } from '../context.ts';
import { errorCode, systemReason, UserError } from '../errors.ts';
import { writeNew } from '../lib/atomic-file.ts';
import { makeFolder } from '../lib/make-folder.ts';
import { compareBytes } from '../lib/order.ts';

/** Where destructive verbs record what they remove: a lab's own folder, the system's for root, else the user's. */
export function undoFolder(ctx: Context): string {
  const lab = ctx.env.CILIUM_LAB;
  if (lab && agentAddress(ctx).startsWith(`unix://${lab}/`)) return join(lab, 'undo');
  const { XDG_STATE_HOME: state, HOME: home = '/' } = ctx.env;
  if (state) return join(state, 'cilium-toolkit');
  return ctx.uid === 0 ? '/var/lib/cilium-toolkit' : join(home, '.local', 'state', 'cilium-toolkit');
}

/** Files of one verb that are kept: a script that deletes every minute must not fill the disk. */
const KEPT = 100;

/**
 * Creates the file that a verb records in, empty or with all of its text, and returns its path: the one that was named, or a
 * new one in the undo folder, named after the verb and the time. A record that exists is never written over, whoever made it.
 */
export async function reserveUndo(
  ctx: Context,
  verb: string,
  named: string | undefined,
  text = '',
): Promise<string> {
  if (named !== undefined) {
    if (named === '') throw new UserError('--undo-file: expected a path, found an empty string');
    const path = resolve(ctx.cwd, named);
    if (await createNew(path, text)) return path;
    throw new UserError(`--undo-file: ${path} exists`, {
      hint: 'An undo record is never written over. Name a new file. Nothing was removed.',
    });
  }
  const time = new Date(ctx.clock.nowMs()).toISOString().replace(/[:.]/g, '').slice(0, 17);
  makeFolder(undoFolder(ctx), 0o700);
  for (let n = 1; ; n++) {
    const path = join(undoFolder(ctx), `${verb}-${time}Z${n === 1 ? '' : `-${n}`}.json`);
    if (await createNew(path, text)) return path;
  }
}

/** Returns false when the path is taken. */
async function createNew(path: string, text: string): Promise<boolean> {
  try {
    if (text !== '') return await writeNew(path, text);
    await (await open(path, 'wx', 0o600)).close();
    return true;
  } catch (cause) {
    if (errorCode(cause) === 'EEXIST') return false;
    throw new UserError(`create undo file ${path}: ${systemReason(cause)}`, {
      hint: 'Nothing was removed. Name another file with --undo-file.',
      cause,
    });
  }
}

/** Removes the oldest records of a verb in the folder. */
export async function pruneUndo(ctx: Context, verb: string): Promise<void> {
  const folder = undoFolder(ctx);
  const own = (await readdir(folder)).filter((name) => name.startsWith(`${verb}-`) && name.endsWith('.json'));
  // Their names begin with the time.
  for (const name of own.sort(compareBytes).slice(0, -KEPT)) await rm(join(folder, name), { force: true });
}
