/**
 * Entries of conntrack and NAT maps in the reference's JSON: the stored bytes, numbers read in the host's order whatever
 * theirs is. As objects, and written straight into bytes: the objects of a million entries would make hundreds of
 * megabytes of garbage. Both come from one form, which is made from the structs of the map.
 */
import type { Field, Struct } from '../../bpf/layouts/struct.ts';
import { readUint } from '../../lib/uint.ts';
import type { PackedEntries } from '../../model/bpf-map.ts';
import { type AsciiWriter, ascii } from '../text/ascii-writer.ts';

/** Names of the fields, in order. One that a struct lacks, or shows already as part of another, is left out. */
type Names = readonly (readonly [name: string, field: string])[];

const KEY: Names = [
  ['DestAddr', 'destination'],
  ['SourceAddr', 'source'],
  ['DestPort', 'destinationPort'],
  ['SourcePort', 'sourcePort'],
  ['NextHeader', 'protocol'],
  ['Flags', 'flags'],
];
/** Of conntrack entries and of NAT entries: what the one has the other has not. */
const VALUE: Names = [
  ['Union0', 'union0'],
  ['Reserved0', 'reserved0'],
  ['BackendID', 'backendId'],
  ['RxPackets', 'rxPackets'],
  ['RxBytes', 'rxBytes'],
  ['TxPackets', 'txPackets'],
  ['TxBytes', 'txBytes'],
  ['Packets', 'packets'],
  ['Bytes', 'bytes'],
  ['Lifetime', 'lifetime'],
  ['Flags', 'flags'],
  ['RevNAT', 'revNatId'],
  ['IfIndex', 'ifindex'],
  ['NatPort', 'natPort'],
  ['TxFlagsSeen', 'txFlagsSeen'],
  ['RxFlagsSeen', 'rxFlagsSeen'],
  ['SourceSecurityID', 'sourceIdentity'],
  ['LastTxReport', 'lastTxReport'],
  ['LastRxReport', 'lastRxReport'],
  ['Created', 'created'],
  ['NeedsCT', 'needsCt'],
  ['HostLocal', 'hostLocal'],
  ['Pad1', 'pad1'],
  ['Pad2', 'pad2'],
  ['Addr', 'address'],
  ['Port', 'port'],
];

/** A number of an entry: where it lies, and how many bytes it has. */
class Place {
  constructor(
    readonly of: 'keys' | 'values',
    readonly at: number,
    readonly size: number,
  ) {}

  read({ keys, values, keySize, valueStride }: PackedEntries, i: number): number | bigint {
    return this.of === 'keys'
      ? readUint(keys, i * keySize + this.at, this.size)
      : readUint(values, i * valueStride + this.at, this.size);
  }
}
type Form = Place | Form[] | { [name: string]: Form };

/** The entries of a map as JSON. */
export interface EntryJson {
  toObject(batch: PackedEntries, i: number): unknown;
  /** The same as YAML has it, which names the structs that Go embeds in the key. */
  toYaml(batch: PackedEntries, i: number): unknown;
  /** Writes one entry, indented as an element of a list, without a comma. */
  write(out: AsciiWriter, batch: PackedEntries, i: number): void;
}

/** Longest entry: 45 numbers, each on a line of its own. */
const LONGEST_ENTRY = 4096;

/** Makes the JSON of the entries of a conntrack or NAT map of these structs. */
export function entryJson({ key, value }: { key: Struct; value: Struct }): EntryJson {
  const form = { Key: formOf('keys', key, KEY), Value: formOf('values', value, VALUE) };
  const tuple = `TupleKey${key.fields.source?.kind === 'ipv4' ? 4 : 6}`;
  const nested: Form = { ...form, Key: { [`${tuple}Global`]: { [tuple]: form.Key } } };
  const places = placesOf(form);
  // Every number of the sample is a 0 that ends its line.
  const pieces = JSON.stringify([fill(form, () => 0)], undefined, 2)
    .slice(2, -2)
    .split(/(?<= )0(?=,?\n)/)
    .map(ascii);
  const parts = places.map(({ of, at, size }, n) => ({
    before: pieces[n] ?? ascii(''),
    ofKey: of === 'keys',
    at,
    size,
  }));
  const last = pieces[places.length] ?? ascii('');
  return {
    toObject: (batch, i) => fill(form, (place) => place.read(batch, i)),
    toYaml: (batch, i) => fill(nested, (place) => place.read(batch, i)),
    write: (out, { keys, values, keySize, valueStride }, i) => {
      out.reserve(LONGEST_ENTRY);
      const k = i * keySize;
      const v = i * valueStride;
      for (const { before, ofKey, at, size } of parts) {
        out.put(before);
        const raw = ofKey ? keys : values;
        const from = ofKey ? k + at : v + at;
        // Most are bytes of addresses.
        if (size === 1) out.number(raw[from] ?? 0);
        else if (size === 2) out.number((raw[from] ?? 0) | ((raw[from + 1] ?? 0) << 8));
        else out.integer(readUint(raw, from, size));
      }
      out.put(last);
    },
  };
}

function formOf(of: Place['of'], { fields }: Struct, names: Names): Form {
  const form: Record<string, Form> = {};
  const shown: Field[] = [];
  for (const [name, fieldName] of names) {
    const field = fields[fieldName];
    if (!field || shown.some(({ at, size }) => at < field.at && field.at < at + size)) continue;
    shown.push(field);
    form[name] = fieldForm(of, field);
  }
  return form;
}

/** Addresses are lists of bytes; what is longer than a number is a list of words. */
function fieldForm(of: Place['of'], { kind, at, size }: Field): Form {
  const unit = kind === 'ipv4' || kind === 'ipv6' ? 1 : Math.min(size, 8);
  if (unit === size) return new Place(of, at, size);
  return Array.from({ length: size / unit }, (_, i) => new Place(of, at + i * unit, unit));
}

function placesOf(form: Form): Place[] {
  return form instanceof Place ? [form] : Object.values(form).flatMap(placesOf);
}

function fill(form: Form, read: (place: Place) => number | bigint): unknown {
  if (form instanceof Place) return read(form);
  if (Array.isArray(form)) return form.map((part) => fill(part, read));
  return Object.fromEntries(Object.entries(form).map(([name, part]) => [name, fill(part, read)]));
}
