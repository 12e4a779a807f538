import type { Command } from 'commander';
import { globalPath, openGlobal } from '../../../bpf/kernel/pins.ts';
import {
  type ConnectionOrphan,
  connectionOrphans,
  isOrphan,
  type LocalAddresses,
} from '../../../bpf/maps/orphans.ts';
import { printStructs } from '../../../cli/bpf/maps.ts';
import { addOrphanOptions, type OrphanOptions, readLocalAddresses } from '../../../cli/bpf/orphans.ts';
import { recordedConnections } from '../../../cli/bpf/recorded-connections.ts';
import { mapsRelease } from '../../../cli/bpf/release.ts';
import { mayWrite } from '../../../cli/confirm.ts';
import { examples } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { connectionText } from '../../../render/bpf/connection.ts';
import { GLOBAL_TABLE } from './maps.ts';

/** Declares `bpf ct orphans`. */
export function addBpfCtOrphansCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf ct orphans', 'cilium bpf ct orphans --delete --dry-run'));
  addOrphanOptions(command).action((options: OrphanOptions) => runBpfCtOrphans(options, ctx));
}

/** Prints the connections whose endpoint on this node is gone, and with --delete takes exactly those out. */
export async function runBpfCtOrphans(options: OrphanOptions, ctx: Context): Promise<void> {
  const local = await readLocalAddresses(ctx, options.podCidr);
  const byMap = ctx.globals.archive ? undefined : await collect(ctx, local);
  const all = byMap ? [...byMap.values()].flat() : await recorded(ctx, local);
  if (options.output !== '')
    await printStructs(
      ctx,
      all.map(({ connection }) => connection),
      options,
    );
  else if (all.length === 0) await ctx.err.write('Every connection has its endpoint.\n');
  else {
    const release = await mapsRelease(ctx);
    await ctx.out.write(all.map(({ connection }) => `${connectionText(connection, release)}\n`).join(''));
  }
  if (!byMap || all.length === 0 || !options.delete) return;
  if (!(await mayWrite(ctx, `delete ${all.length} connections`, options))) return;
  for (const [name, orphans] of byMap) {
    using map = openGlobal(ctx.globals.bpfRoot, name, { write: true });
    const deleted = map?.deleteMany(Buffer.concat(orphans.map(({ key }) => key))) ?? 0;
    await ctx.out.write(`Deleted ${deleted} entries from ${globalPath(ctx.globals.bpfRoot, name)}\n`);
  }
}

async function recorded(
  ctx: Context,
  local: LocalAddresses,
): Promise<Pick<ConnectionOrphan, 'connection'>[]> {
  const { connections } = await recordedConnections(ctx, []);
  return connections.filter((one) => isOrphan(one, local)).map((connection) => ({ connection }));
}

async function collect(ctx: Context, local: LocalAddresses): Promise<Map<string, ConnectionOrphan[]>> {
  const found = new Map<string, ConnectionOrphan[]>();
  for (const name of GLOBAL_TABLE) {
    using map = openGlobal(ctx.globals.bpfRoot, name);
    if (!map) continue;
    const orphans: ConnectionOrphan[] = [];
    for await (const orphan of connectionOrphans(map, local)) orphans.push(orphan);
    if (orphans.length > 0) found.set(name, orphans);
  }
  return found;
}
