import { basename } from 'node:path';
import { TUPLE_FLAG } from '../../bpf/layouts/conntrack.ts';
import type { Ends, FindConnection } from '../../bpf/maps/orphans.ts';
import type { Context } from '../../context.ts';
import { formatIp, unbracketed } from '../../lib/address.ts';
import { parseJson } from '../../lib/exact-json.ts';
import { isRecord } from '../../lib/record.ts';
import type { Connection, Translation } from '../../model/conntrack.ts';
import { protocolNumber } from '../../model/protocol.ts';
import { recordedRun } from '../kube/replay.ts';
import { failedAs, unreadable } from './recorded.ts';

/** Said of a map that is not there, on stderr; archives of cilium-cli have it among the entries. */
const MISSING = /^Unable to open (\S+): /;

/** A line of a list of entries with its number, and what stands between the entries of two maps. */
interface Lines {
  lines: { text: string; number: number }[];
  /** How many maps were there. */
  maps: number;
  /** Paths of those that are said not to be there. */
  missing: string[];
  place: string;
}

async function linesOf(ctx: Context, words: readonly string[]): Promise<Lines> {
  const run = await recordedRun(words, ctx);
  const [first = ''] = words;
  const text = run.stdout.toString('utf8');
  if (run.exitCode !== 0) throw failedAs(run.stderr || text, first);
  const found: Lines = {
    lines: [],
    maps: 0,
    missing: [],
    place: `${ctx.globals.archive?.label}: what "${first}" printed`,
  };
  for (const line of run.stderr.split('\n')) found.missing.push(...(MISSING.exec(line)?.slice(1) ?? []));
  // The text ends with a newline, behind which nothing stands.
  for (const [i, line] of text.split('\n').slice(0, -1).entries()) {
    const missing = MISSING.exec(line)?.[1];
    if (missing !== undefined) found.missing.push(missing);
    else if (line === '') found.maps++;
    else found.lines.push({ text: line, number: i + 1 });
  }
  if (found.maps === 0 && found.lines.length === 0 && found.missing.length > 0)
    ctx.globals.archive?.note(
      `no map of "${first}" was there, so nothing is known of its entries: ${found.missing.join(', ')}`,
    );
  return found;
}

/** `fd00::1:8080`: the port stands behind the last colon. */
const END = String.raw`(\S+):(\d+)`;
const CONNECTION = new RegExp(
  `^(\\S+) (IN|OUT|SVC) ${END} -> ${END}( related)?( service)? (?:expires=|Packets=|RxPackets=|Flags=)`,
);

/** The connections of a table in an archive, in the order of its maps. `words` are those behind `bpf ct list`. */
export async function recordedConnections(
  ctx: Context,
  words: readonly string[],
): Promise<{ connections: Connection[]; find: FindConnection }> {
  const named = ['bpf ct list', ...words].join(' ');
  const isGlobal = words.length === 0 || words.join(' ') === 'global';
  const { lines, maps, missing, place } = await linesOf(
    ctx,
    isGlobal ? ['bpf ct list global', 'bpf ct list'] : [named],
  );
  const connections = lines.map(({ text, number }) => {
    const [, name = '', direction, from = '', fromPort, to = '', toPort, related, service] =
      CONNECTION.exec(text) ?? [];
    const protocol = protocolNumber(name);
    if (protocol === undefined) throw unreadable(`${place}, line ${number}`, 'an entry of a connection');
    const ends = { source: unbracketed(from), sourcePort: Number(fromPort) };
    const others = { destination: unbracketed(to), destinationPort: Number(toPort) };
    const common = {
      protocol,
      related: related !== undefined,
      direction: direction as Connection['direction'],
    };
    // Since 1.16 the entry of a service is told with its ends exchanged.
    if (service === undefined) return { ...common, ...ends, ...others };
    return {
      ...{ ...common, direction: 'SVC' as const },
      ...{ source: others.destination, sourcePort: others.destinationPort },
      ...{ destination: ends.source, destinationPort: ends.sourcePort },
    };
  });
  const lost = missing.map((path) => basename(path)).filter((map) => !/^cilium_ct(?:_any)?6_/.test(map));
  return { connections, find: finder(connections, { lost, hasIpv6: maps + lost.length > 2 }) };
}

/** Looks connections up by their ends. Tables of IPv6 go missing without a word: an empty line stands for each that is there. */
function finder(
  connections: readonly Connection[],
  { lost, hasIpv6 }: { lost: readonly string[]; hasIpv6: boolean },
): FindConnection {
  const idOf = ({ protocol, source, sourcePort, destination, destinationPort }: Ends, direction: string) =>
    `${protocol} ${direction} ${source} ${sourcePort} ${destination} ${destinationPort}`;
  const known = new Set(connections.filter(({ related }) => !related).map((one) => idOf(one, one.direction)));
  return (ends, direction) => {
    const isIpv6 = ends.source.includes(':');
    const table = ends.protocol === TCP ? 'ct4' : 'ct_any4';
    if (isIpv6 ? !hasIpv6 : lost.some((map) => map.startsWith(`cilium_${table}_`))) return undefined;
    return known.has(idOf(ends, direction));
  };
}

const TCP = 6;

const TRANSLATION = new RegExp(
  `^(\\S+) (IN|OUT) ${END} -> ${END} (related )?(service )?XLATE_(?:DST|SRC) ${END} Created=(-?\\d+)sec(?: ago)? (NeedsCT|HostLocal)=(\\d+)$`,
);

/** The translations of a table in an archive. What they have as \`created\` is their age in seconds. */
export async function recordedTranslations(ctx: Context, words: readonly string[]): Promise<Translation[]> {
  const { lines, place } = await linesOf(ctx, [['bpf nat list', ...words].join(' ')]);
  return lines.map(({ text, number }) => {
    const parts = TRANSLATION.exec(text);
    const [, name = '', direction, from = '', fromPort, to = '', toPort, related, service] = parts ?? [];
    const [host = '', port, age = '0', kind, value = '0'] = parts?.slice(9) ?? [];
    const protocol = protocolNumber(name);
    if (protocol === undefined) throw unreadable(`${place}, line ${number}`, 'a translation');
    return {
      protocol,
      direction: direction as 'IN' | 'OUT',
      related: related !== undefined,
      service: service !== undefined,
      source: unbracketed(from),
      sourcePort: Number(fromPort),
      destination: unbracketed(to),
      destinationPort: Number(toPort),
      created: BigInt(age),
      ...(kind === 'HostLocal' ? { hostLocal: BigInt(value) } : { needsCt: BigInt(value) }),
      toAddress: unbracketed(host),
      toPort: Number(port),
    };
  });
}

/** The translations of the global table, with when they were created as the datapath has it. */
export async function recordedTranslationsWithStamps(ctx: Context): Promise<Translation[]> {
  const words = 'bpf nat list -o json';
  const run = await recordedRun([words], ctx);
  const text = run.stdout.toString('utf8');
  if (run.exitCode !== 0) throw failedAs(run.stderr || text, words);
  const place = `${ctx.globals.archive?.label}: what "${words}" printed`;
  let entries: unknown;
  try {
    entries = parseJson(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw unreadable(place, 'JSON');
  }
  if (!Array.isArray(entries)) throw unreadable(place, 'a list of entries');
  return entries.map((entry: unknown, i) => {
    const translation = isRecord(entry) ? translationOf(entry.Key, entry.Value) : undefined;
    if (!translation) throw unreadable(`${place}, entry ${i + 1}`, 'the key and the value of a translation');
    return translation;
  });
}

/** Ports are stored in the order of the network, and were printed as if they were in that of the host. */
const swapped = (port: unknown) => ((Number(port) & 0xff) << 8) | ((Number(port) >> 8) & 0xff);

function translationOf(key: unknown, value: unknown): Translation | undefined {
  if (!isRecord(key) || !isRecord(value)) return undefined;
  const { DestAddr, SourceAddr, DestPort, SourcePort, NextHeader, Flags } = key;
  const { Addr, Port, Created, NeedsCT, HostLocal } = value;
  if (!isBytes(DestAddr) || !isBytes(SourceAddr) || !isBytes(Addr)) return undefined;
  if (![DestPort, SourcePort, NextHeader, Flags, Port, Created].every(isWhole)) return undefined;
  const flags = Number(Flags);
  return {
    protocol: Number(NextHeader),
    direction: flags & TUPLE_FLAG.in ? 'IN' : 'OUT',
    related: (flags & TUPLE_FLAG.related) !== 0,
    service: (flags & TUPLE_FLAG.service) !== 0,
    source: formatIp(Uint8Array.from(SourceAddr)),
    sourcePort: swapped(SourcePort),
    destination: formatIp(Uint8Array.from(DestAddr)),
    destinationPort: swapped(DestPort),
    created: BigInt(Created as number | bigint),
    ...(isWhole(HostLocal)
      ? { hostLocal: BigInt(HostLocal) }
      : { needsCt: BigInt(isWhole(NeedsCT) ? NeedsCT : 0) }),
    toAddress: formatIp(Uint8Array.from(Addr)),
    toPort: swapped(Port),
  };
}

function isWhole(value: unknown): value is number | bigint {
  return typeof value === 'bigint' || Number.isInteger(value);
}

function isBytes(value: unknown): value is number[] {
  return (
    Array.isArray(value) &&
    [4, 16].includes(value.length) &&
    value.every((byte) => isWhole(byte) && byte < 256)
  );
}
