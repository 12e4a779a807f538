import { readFile } from 'node:fs/promises';
import type { Mount } from './state.ts';

/** Reads what is mounted in this mount namespace, in the order in which it was. */
export async function readMounts(): Promise<Mount[]> {
  return parseMounts(await readFile('/proc/self/mountinfo', 'utf8').catch(() => ''));
}

/** Parses /proc/self/mountinfo. */
export function parseMounts(text: string): Mount[] {
  return text.split('\n').flatMap((line): Mount[] => {
    const [before = '', after = ''] = line.split(' - ');
    const [id, parent, , root, target, options = ''] = before.split(' ');
    const [type] = after.split(' ');
    if (root === undefined || target === undefined || !type) return [];
    return [
      {
        id: Number(id),
        parent: Number(parent),
        target: unescaped(target),
        type,
        root: unescaped(root),
        options,
      },
    ];
  });
}

/** Blanks and backslashes are written as octal numbers. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

/** Whether a path is a folder or lies below it. */
export function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

/** The mount that lies on another one, or on a folder above it: a path of the other leads to this one instead. */
export function coverOf(mount: Mount, mounts: readonly Mount[]): Mount | undefined {
  const byId = new Map(mounts.map((each) => [each.id, each]));
  const beneath = new Set<Mount>();
  for (let at: Mount | undefined = mount; at && !beneath.has(at); at = byId.get(at.parent)) beneath.add(at);
  return mounts.find((other) => isBelow(mount.target, other.target) && !beneath.has(other));
}
