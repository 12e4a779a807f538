import { readFileSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Who may open the unix socket at a path that the system has refused to open, and how one joins the group that may: one line.
 * Undefined where something else than owner, group and mode forbids it.
 */
export function whoMayOpen(path: string): string | undefined {
  const socket = seen(path);
  // To connect takes the right to write.
  if (socket) return rights(`the socket ${path}`, socket, 0o020, 0o002);
  // A socket that is not seen is below a folder that cannot be entered: the lowest of those that are.
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const stats = seen(folder);
    if (stats) return rights(`the folder ${folder}`, stats, 0o010, 0o001);
    if (dirname(folder) === folder) return undefined;
  }
}

function rights(
  what: string,
  { gid, uid, mode }: Stats,
  ofGroup: number,
  ofOthers: number,
): string | undefined {
  if ((mode & ofOthers) !== 0) return undefined;
  const owner = uid === 0 ? 'root' : `${nameIn('/etc/passwd', uid) ?? `user ${uid}`} or root`;
  if (gid === 0 || (mode & ofGroup) === 0)
    return `Run the command as ${owner}: ${what} is open to nobody else.`;
  const group = nameIn('/etc/group', gid);
  const may = `Run the command as ${owner}, or as a member of the group ${group ?? gid}, which may open ${what}.`;
  return group === undefined ? may : `${may} Join it: sudo usermod -aG ${group} "$USER", then log in again.`;
}

function seen(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/** The name that a number has in `/etc/passwd` or `/etc/group`. */
function nameIn(file: string, id: number): string | undefined {
  try {
    const lines = readFileSync(file, 'utf8').split('\n');
    return lines.map((line) => line.split(':')).find(([, , number]) => number === String(id))?.[0];
  } catch {
    return undefined;
  }
}
