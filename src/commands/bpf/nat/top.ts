import type { Command } from 'commander';
import { openGlobal } from '../../../bpf/kernel/pins.ts';
import { walk } from '../../../bpf/kernel/reader.ts';
import { decodeTranslation, natVariant } from '../../../bpf/maps/connections.ts';
import { podNames } from '../../../cli/bpf/pods.ts';
import { recordedTranslations } from '../../../cli/bpf/recorded-connections.ts';
import { printTop, type TopOptions, topFlags } from '../../../cli/bpf/top.ts';
import { examples } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { joinHostPort } from '../../../lib/address.ts';
import type { Translation } from '../../../model/conntrack.ts';
import { protocolName } from '../../../model/protocol.ts';
import { natMaps } from './maps.ts';

/** Ports run out per external address and remote end: that is what is ranked first. */
const KEYS = {
  remote: (nat: Translation) =>
    `${nat.toAddress} -> ${joinHostPort(nat.destination, nat.destinationPort)}/${protocolName(nat.protocol)}`,
  source: (nat: Translation) => nat.source,
  destination: (nat: Translation) => nat.destination,
  protocol: (nat: Translation) => protocolName(nat.protocol),
  egress: (nat: Translation) => nat.toAddress,
  port: (nat: Translation) => `${nat.destinationPort}/${protocolName(nat.protocol)}`,
} as const;
type By = keyof typeof KEYS | 'pod';

/**
 * Ports that NAT has for one external address, remote end and protocol: those above the range of NodePort services,
 * 32768 to 65535, unless the agent was told otherwise.
 */
const PORTS_PER_REMOTE = 32_768;

async function keyReader(by: By, ctx: Context): Promise<(nat: Translation) => string> {
  if (by !== 'pod') return KEYS[by];
  const pods = await podNames(ctx);
  return (nat) => pods.get(nat.source) ?? nat.source;
}

/** Declares `bpf nat top`. */
export function addBpfNatTopCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples('cilium bpf nat top --by remote --number 5', 'cilium bpf nat top --by pod --watch 5s'),
  );
  command.argument('[table...]', 'cluster <id> (default: the global table)');
  topFlags(command, ['remote', 'egress', 'pod', 'source', 'destination', 'port', 'protocol']).action(
    (words: string[], options: TopOptions<By>) => runBpfNatTop(words, options, ctx),
  );
}

/** Counts translations by one of their properties. Each has an entry for either way: the outgoing one counts. */
export async function runBpfNatTop(words: string[], options: TopOptions<By>, ctx: Context): Promise<void> {
  const names = natMaps(words);
  const keyOf = await keyReader(options.by, ctx);
  const recorded = ctx.globals.archive && (await recordedTranslations(ctx, words));
  await printTop(
    ctx,
    options,
    async (counter) => {
      for (const nat of recorded ?? []) if (nat.direction === 'OUT') counter.add(keyOf(nat));
      if (recorded) return;
      for (const name of names) {
        using map = openGlobal(ctx.globals.bpfRoot, name);
        if (!map) continue;
        const variant = natVariant(map);
        for await (const batch of walk(map))
          for (let i = 0; i < batch.count; i++) {
            const nat = decodeTranslation(variant, batch, i);
            if (nat.direction === 'OUT') counter.add(keyOf(nat));
          }
      }
    },
    options.by === 'remote' ? PORTS_PER_REMOTE : undefined,
  );
}
