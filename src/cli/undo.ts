import { access, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { agentAddress } from '../agent/client.ts';
import type { Context } from '../context.ts';
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

/** A new file there, named after the verb and the time. */
export async function undoPath(ctx: Context, verb: string): Promise<string> {
  const time = new Date(ctx.clock.nowMs()).toISOString().replace(/[:.]/g, '').slice(0, 17);
  for (let n = 1; ; n++) {
    const path = join(undoFolder(ctx), `${verb}-${time}Z${n === 1 ? '' : `-${n}`}.json`);
    const taken = await access(path).then(
      () => true,
      () => false,
    );
    if (!taken) return path;
  }
}

/** Removes the oldest records of a verb in the folder. */
export async function pruneUndo(ctx: Context, verb: string): Promise<void> {
  const folder = undoFolder(ctx);
  const own = (await readdir(folder)).filter((name) => name.startsWith(`${verb}-`) && name.endsWith('.json'));
  // Their names begin with the time.
  for (const name of own.sort(compareBytes).slice(0, -KEPT)) await rm(join(folder, name), { force: true });
}
