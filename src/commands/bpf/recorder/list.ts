import type { Command } from 'commander';
import { globalPath, openGlobal } from '../../../bpf/kernel/pins.ts';
import { CAPTURE_RULES4, CAPTURE_RULES6 } from '../../../bpf/layouts/recorder.ts';
import { type MapRecord, readRecords } from '../../../bpf/maps/records.ts';
import { printStructs } from '../../../cli/bpf/maps.ts';
import { type OutputFlag, outputOption } from '../../../cli/output.ts';
import type { Context } from '../../../context.ts';
import { compareNatural } from '../../../lib/order.ts';
import { swap16 } from '../../../lib/uint.ts';
import { protocolName } from '../../../model/protocol.ts';

const MAPS = [
  { name: 'cilium_capture4_rules', layout: CAPTURE_RULES4, bracket: (text: string) => text },
  { name: 'cilium_capture6_rules', layout: CAPTURE_RULES6, bracket: (text: string) => `[${text}]` },
] as const;

type Entry = MapRecord<(typeof CAPTURE_RULES4)['variants'][number]>;

/** Declares `bpf recorder list`, which agents up to 1.17 had. */
export function addBpfRecorderListCommand(command: Command, ctx: Context): void {
  command.addOption(outputOption()).action((options: OutputFlag) => runBpfRecorderList(options, ctx));
}

/** Prints what the packet recorder captures. */
export async function runBpfRecorderList(options: OutputFlag, ctx: Context): Promise<void> {
  const json: Record<string, unknown>[] = [];
  for (const { name, layout, bracket } of MAPS) {
    using map = openGlobal(ctx.globals.bpfRoot, name);
    if (!map) {
      const path = globalPath(ctx.globals.bpfRoot, name);
      await ctx.err.write(`Unable to open ${path}: no such file or directory. Skipping.\n`);
      continue;
    }
    const entries: Entry[] = await readRecords<(typeof layout)['variants'][number]>(map, layout);
    const lines = entries.map((entry) => line(entry, bracket)).sort(compareNatural);
    if (options.output === '') await ctx.out.write(`${lines.join('')}\n`);
    json.push(...entries.map(toJson));
  }
  if (options.output !== '') await printStructs(ctx, json, options);
}

function line({ key, value }: Entry, bracket: (text: string) => string): string {
  const source = `${bracket(`${key.source}/${key.sourceBits}`)}:${key.sourcePort}`;
  const destination = `${bracket(`${key.destination}/${key.destinationBits}`)}:${key.destinationPort}`;
  return `${source} -> ${destination} ${protocolName(key.protocol)} ID:${value.ruleId} CapLen:${value.captureLength}\n`;
}

function toJson({ key, value }: Entry): Record<string, unknown> {
  return {
    Key: {
      SrcAddr: key.source,
      DestAddr: key.destination,
      SrcPort: swap16(key.sourcePort),
      DestPort: swap16(key.destinationPort),
      NextHdr: key.protocol,
      SrcMask: key.sourceBits,
      DestMask: key.destinationBits,
      Flags: key.flags,
    },
    Value: { RuleId: value.ruleId, Reserved: 0, CapLen: value.captureLength },
  };
}
