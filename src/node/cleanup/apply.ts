import { cp, lstat, mkdir, rename, rm, rmdir, symlink, unlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { KernelError } from '../../bpf/kernel/errors.ts';
import { openLinkById } from '../../bpf/kernel/objects.ts';
import { errorCode, errorMessage } from '../../errors.ts';
import type { Action, Outcome } from '../../model/cleanup.ts';
import type { Run } from '../state/run.ts';

/** What the programs say of a thing that is not there. */
const GONE =
  /Cannot find device|does not exist|No such file|No such process|Bad rule|does a matching rule exist|No such device|not found|not mounted|no mount point/;

/** Carries out the actions of one item, in order; stops at the first that fails. */
export async function applyActions(
  item: { id: string; what: string },
  actions: readonly Action[],
  run: Run,
): Promise<Outcome> {
  let changed = false;
  for (const action of actions) {
    try {
      if (await apply(action, run)) changed = true;
    } catch (error) {
      return { id: item.id, what: item.what, result: 'failed', error: errorMessage(error) };
    }
  }
  return { id: item.id, what: item.what, result: changed ? 'done' : 'gone' };
}

/** Returns false when there was nothing to do any more. */
async function apply(action: Action, run: Run): Promise<boolean> {
  switch (action.do) {
    case 'run': {
      const { code, stdout, stderr } = await run(action.command, action.stdin);
      if (code === 0) return true;
      const said = stderr.trim() || stdout.trim() || `exit code ${code}`;
      if (GONE.test(said)) return false;
      throw new Error(`${action.command.join(' ')}: ${said.split('\n')[0]}`);
    }
    case 'detach-link':
      return detachLink(action.id);
    case 'unlink':
      return ifThere(() => unlink(action.path));
    case 'rmdir':
      return ifThere(() => rmdir(action.path));
    case 'remove-tree': {
      const there = await lstat(action.path).then(
        () => true,
        () => false,
      );
      await rm(action.path, { recursive: true, force: true });
      return there;
    }
    case 'rename':
      return ifThere(() => rename(action.from, action.to));
    case 'write':
      await mkdir(dirname(action.path), { recursive: true });
      await writeFile(action.path, Buffer.from(action.base64, 'base64'), { mode: action.mode });
      return true;
    case 'symlink':
      await mkdir(dirname(action.path), { recursive: true });
      await symlink(action.target, action.path);
      return true;
    case 'copy-back':
      await cp(action.copy, action.path, { recursive: true, preserveTimestamps: true, force: false });
      return true;
  }
}

async function ifThere(change: () => Promise<void>): Promise<boolean> {
  try {
    await change();
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

function detachLink(id: number): boolean {
  try {
    using link = openLinkById(id);
    link.detach();
    return true;
  } catch (error) {
    // Its last pin or its device may have gone a moment ago.
    if (error instanceof KernelError && (error.code === 'ENOENT' || error.code === 'ENOLINK')) return false;
    throw error;
  }
}
