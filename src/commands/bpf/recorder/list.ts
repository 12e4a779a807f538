import type { Command } from 'commander';
import { globalPath, openGlobal } from '../../../bpf/kernel/pins.ts';
import { CAPTURE_RULES4, CAPTURE_RULES6 } from '../../../bpf/layouts/recorder.ts';
import type { Struct } from '../../../bpf/layouts/struct.ts';
import { type MapRecord, readRecords, requireVariant } from '../../../bpf/maps/records.ts';
import { printStructs } from '../../../cli/bpf/maps.ts';
import { mapsRelease } from '../../../cli/bpf/release.ts';
import { examples } from '../../../cli/flags.ts';
import { type OutputFlag, outputOption } from '../../../cli/output.ts';
import type { Context } from '../../../context.ts';
import { addressBytes, parseAddress } from '../../../lib/address.ts';
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
  command.addHelpText('after', examples('cilium bpf recorder list'));
  command.addOption(outputOption()).action((options: OutputFlag) => runBpfRecorderList(options, ctx));
}

/** Prints what the packet recorder captures. */
export async function runBpfRecorderList(options: OutputFlag, ctx: Context): Promise<void> {
  const json: Record<string, unknown>[] = [];
  const release = await mapsRelease(ctx, CAPTURE_RULES4);
  for (const { name, layout, bracket } of MAPS) {
    using map = openGlobal(ctx.globals.bpfRoot, name);
    if (!map) {
      const path = globalPath(ctx.globals.bpfRoot, name);
      await ctx.err.write(`Unable to open ${path}: no such file or directory. Skipping.\n`);
      continue;
    }
    const { key: struct } = requireVariant<(typeof layout)['variants'][number]>(map, layout, release);
    const entries: Entry[] = await readRecords<(typeof layout)['variants'][number]>(map, layout, release);
    const lines = entries.map((entry) => line(entry, bracket)).sort(compareNatural);
    if (options.output === '') await ctx.out.write(`${lines.join('')}\n`);
    json.push(...entries.map((entry) => toJson(struct, entry)));
  }
  if (options.output !== '') await printStructs(ctx, json, options);
}

function line({ key, value }: Entry, bracket: (text: string) => string): string {
  const source = `${bracket(`${key.source}/${key.sourceBits}`)}:${key.sourcePort}`;
  const destination = `${bracket(`${key.destination}/${key.destinationBits}`)}:${key.destinationPort}`;
  return `${source} -> ${destination} ${protocolName(key.protocol)} ID:${value.ruleId} CapLen:${value.captureLength}\n`;
}

const NAMES: Readonly<Record<string, string>> = {
  source: 'SrcAddr',
  destination: 'DestAddr',
  sourcePort: 'SrcPort',
  destinationPort: 'DestPort',
  protocol: 'NextHdr',
  sourceBits: 'SrcMask',
  destinationBits: 'DestMask',
  flags: 'Flags',
};

/** The stored bytes, in the order of the struct: ports are not swapped. */
function toJson({ fields }: Struct, { key, value }: Entry): Record<string, unknown> {
  const fieldOf: Readonly<Record<string, string | number>> = key;
  const shown = (name: string) => {
    const field = fieldOf[name] ?? 0;
    if (typeof field === 'string') return addressList(field);
    return name.endsWith('Port') ? swap16(field) : field;
  };
  return {
    Key: Object.fromEntries(Object.keys(fields).map((name) => [NAMES[name] ?? name, shown(name)])),
    Value: { RuleId: value.ruleId, Reserved: 0, CapLen: value.captureLength },
  };
}

function addressList(ip: string): number[] {
  const address = parseAddress(ip);
  return address ? [...addressBytes(address)] : [];
}
