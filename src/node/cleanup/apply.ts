import { constants, lstat, open, readdir, realpath, rename, rmdir, unlink } from 'node:fs/promises';
import { KernelError } from '../../bpf/kernel/errors.ts';
import { openLinkById } from '../../bpf/kernel/objects.ts';
import { errorCode, errorMessage, UserError } from '../../errors.ts';
import type { Action, Outcome } from '../../model/cleanup.ts';
import { coverOf, isBelow, readMounts } from '../state/mounts.ts';
import type { Run } from '../state/run.ts';
import { removeFirewall } from './firewall.ts';

/** What the programs say of a thing that is not there, or is back at its place: another cleanup may run beside this one. */
const GONE =
  /Cannot find device|does not exist|No such file|No such process|Bad rule|does a matching rule exist|No such device|not found|not mounted|no mount point|(?:Parent Qdisc|Specified class) doesn't exist|File exists/;

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
    case 'firewall':
      return removeFirewall(action, run);
    case 'detach-link':
      return detachLink(action.id);
    case 'unlink':
      return ifThere(() => unlink(action.path));
    case 'rmdir':
      return ifThere(() => rmdir(action.path));
    case 'remove-tree':
      return removeTree(action.path);
    case 'unmount':
      return unmount(action, run);
    case 'rename':
      if (!(await isThere(action.from))) return false;
      if (await isThere(action.to)) throw new UserError(`${action.to} is taken by now`);
      return ifThere(() => rename(action.from, action.to));
  }
}

/** Removes a folder and all in it, unless something is mounted there: what is below would be somebody else's. */
async function removeTree(path: string): Promise<boolean> {
  if (!(await isThere(path))) return false;
  const real = await realpath(path);
  const mount = (await readMounts()).find(({ target }) => isBelow(target, real));
  if (mount) throw new UserError(`${mount.type} is mounted on ${mount.target}`);
  await emptyFolder(path);
  return ifThere(() => rmdir(path));
}

/**
 * Empties a folder. Each folder is opened once and what is in it named by what was opened: whoever owns one and puts a link
 * in its place meanwhile has nothing elsewhere removed.
 */
async function emptyFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    const within = `/proc/self/fd/${folder.fd}`;
    for (const entry of await readdir(within, { withFileTypes: true })) {
      const below = `${within}/${entry.name}`;
      if (entry.isDirectory()) {
        await emptyFolder(below);
        await ifThere(() => rmdir(below));
      } else await ifThere(() => unlink(below));
    }
  } finally {
    await folder.close();
  }
}

/** Unmounts what was mounted last, unless that is something else by now. */
async function unmount({ target, type }: Extract<Action, { do: 'unmount' }>, run: Run): Promise<boolean> {
  const mounts = await readMounts();
  const standing = mounts.filter((mount) => mount.target === target && mount.type === type);
  if (standing.length === 0) return false;
  const free = standing.some((mount) => coverOf(mount, mounts) === undefined);
  if (!free) throw new UserError(`something else is mounted on ${target} by now`);
  return apply({ do: 'run', command: ['umount', target] }, run);
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
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
