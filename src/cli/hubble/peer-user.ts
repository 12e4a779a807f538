import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';

/** States of a socket that is nobody's: it has been closed, or listens. */
const OWNERLESS = new Set(['06', '07', '0A']);

/**
 * The number of the user whose program is at the other end of a connection within this machine, as Linux tells it; undefined where it
 * does not.
 */
export function userAtOtherEnd({
  remotePort,
  localPort,
}: Pick<Socket, 'remotePort' | 'localPort'>): number | undefined {
  if (remotePort === undefined || localPort === undefined) return undefined;
  const [theirs, ours] = [remotePort, localPort].map((port) =>
    port.toString(16).toUpperCase().padStart(4, '0'),
  );
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const row of rowsOf(table)) {
      // https://docs.kernel.org/networking/proc_net_tcp.html: number, local and remote address, state, two queues, …, user.
      const [, local = '', remote = '', state, , , , user] = row.trim().split(/\s+/);
      if (OWNERLESS.has(state ?? '')) continue;
      if (local.endsWith(`0100007F:${theirs}`) && remote.endsWith(`0100007F:${ours}`)) return Number(user);
    }
  }
  return undefined;
}

function rowsOf(table: string): string[] {
  try {
    return readFileSync(table, 'latin1').split('\n').slice(1);
  } catch {
    return [];
  }
}

/**
 * Whether a user may have what is for another one. Root may, through whom tunnels and containers come. What root serves is for
 * somebody's browser, who is only known where sudo says it.
 */
export function isFor(
  user: number | undefined,
  { uid, env }: { uid: number | undefined; env: Readonly<Record<string, string | undefined>> },
): boolean {
  if (user === undefined || uid === undefined || user === 0 || user === uid) return true;
  return uid === 0 && (env.SUDO_UID === undefined || user === Number(env.SUDO_UID));
}
