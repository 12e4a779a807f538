import type { Command } from 'commander';
import { openGlobal } from '../../../bpf/kernel/pins.ts';
import { walk } from '../../../bpf/kernel/reader.ts';
import { conntrackVariant, decodeConnection, matchesConnection } from '../../../bpf/maps/connections.ts';
import { podNames } from '../../../cli/bpf/pods.ts';
import { recordedConnections } from '../../../cli/bpf/recorded-connections.ts';
import { printTop, type TopOptions, topFlags } from '../../../cli/bpf/top.ts';
import { examples } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { joinHostPort } from '../../../lib/address.ts';
import type { Connection } from '../../../model/conntrack.ts';
import { protocolName } from '../../../model/protocol.ts';
import { addFilterFlags, type FilterOptions, readFilter } from './filter.ts';
import { conntrackTable } from './maps.ts';

const KEYS = {
  source: (c: Connection) => c.source,
  destination: (c: Connection) => c.destination,
  pair: (c: Connection) => `${c.source} -> ${c.destination}`,
  service: (c: Connection) => `${joinHostPort(c.destination, c.destinationPort)}/${protocolName(c.protocol)}`,
  protocol: (c: Connection) => protocolName(c.protocol),
  direction: (c: Connection) => c.direction,
  port: (c: Connection) => `${c.destinationPort}/${protocolName(c.protocol)}`,
} as const;
type By = keyof typeof KEYS | 'pod';

/** What a connection is counted by. A pod is that of this node: the source, else the destination. */
async function keyReader(by: By, ctx: Context): Promise<(connection: Connection) => string> {
  if (by !== 'pod') return KEYS[by];
  const pods = await podNames(ctx);
  return (c) => pods.get(c.source) ?? pods.get(c.destination) ?? '(no pod of this node)';
}

/** Declares `bpf ct top`. */
export function addBpfCtTopCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples('cilium bpf ct top --by source --number 5', 'cilium bpf ct top --by pair --port 443 --watch 5s'),
  );
  command.argument('[table...]', 'global (default), endpoint <id or pod> or cluster <id>');
  addFilterFlags(
    topFlags(command, ['source', 'destination', 'pair', 'service', 'protocol', 'direction', 'port', 'pod']),
  ).action((words: string[], options: TopOptions<By> & FilterOptions) => runBpfCtTop(words, options, ctx));
}

/** Counts the connections of a table by one of their properties. */
export async function runBpfCtTop(
  words: string[],
  options: TopOptions<By> & FilterOptions,
  ctx: Context,
): Promise<void> {
  const table = await conntrackTable(words, ctx);
  if ('wrong' in table) throw new UserError(`Invalid argument: ${table.wrong}`);
  const filter = await readFilter(options, ctx);
  const keyOf = await keyReader(options.by, ctx);
  const recorded = ctx.globals.archive && (await recordedConnections(ctx, words)).connections;
  await printTop(ctx, options, async (counter) => {
    for (const connection of recorded ?? [])
      if (!filter || matchesConnection(connection, filter)) counter.add(keyOf(connection));
    if (recorded) return;
    for (const name of table.maps) {
      using map = openGlobal(ctx.globals.bpfRoot, name);
      if (!map) continue;
      const { key: tuple } = conntrackVariant(map);
      for await (const { keys, count, keySize } of walk(map))
        for (let i = 0; i < count; i++) {
          const connection = decodeConnection(tuple, keys, i * keySize);
          if (!filter || matchesConnection(connection, filter)) counter.add(keyOf(connection));
        }
    }
  });
}
