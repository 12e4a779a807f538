import type { MapSpec } from '../../bpf/kernel/objects.ts';
import { knownMap } from '../../bpf/layouts/catalogue.ts';
import { ctEntry, ctEntry115, TUPLE_FLAG } from '../../bpf/layouts/conntrack.ts';
import { pinPattern, type Variant } from '../../bpf/layouts/map-layout.ts';
import { metricsValue } from '../../bpf/layouts/metrics.ts';
import type { RecordOf, Struct } from '../../bpf/layouts/struct.ts';
import { decode, encode } from '../../bpf/maps/codec.ts';
import { atLeast, NEWEST_RELEASE, type Release } from '../../model/release.ts';
import { pinName } from '../pin-names.ts';
import type { RawEntry } from './contents.ts';

type Spec = Omit<MapSpec, 'name'>;

/** A map as agents of a release have it. */
export interface MapForm {
  pin: string;
  spec: Spec;
  /** Turns an entry of the newest form into one of this. */
  entry(key: Buffer, value: Buffer): RawEntry;
}

/** The form that agents of a release give the map of that newest name; undefined where they have none. */
export function formOf(newest: string, spec: Spec, release: Release): MapForm | undefined {
  const pin = pinName(newest, release);
  if (pin === undefined) return undefined;
  const from = variantOfPin(newest, NEWEST_RELEASE);
  const to = variantOfPin(pin, release);
  const value = valueForm(to, from);
  const key = (raw: Buffer) => reshaped(raw, from.key, to.key);
  const sums = to.key === from.key ? undefined : new Sums();
  return {
    pin,
    spec: { ...spec, keySize: to.key.size, valueSize: to.value.size },
    entry: (oldKey, oldValue) => {
      const [newKey, newValue] = [key(oldKey), value(oldKey, oldValue)];
      // Counters of several keys that are one in this form are added up.
      return newest === 'cilium_metrics' && sums
        ? [newKey, sums.add(newKey, oldKey, newValue)]
        : [newKey, newValue];
    },
  };
}

function variantOfPin(pin: string, release: Release): Variant {
  const variants = knownMap(pin)?.variants ?? [];
  const found = variants.find(
    ({ pins, since }) =>
      pins.some((one) => pinPattern(one).test(pin)) && (since === undefined || atLeast(release, since)),
  );
  if (!found) throw new Error(`${pin} has no layout in ${release}`);
  return found;
}

function valueForm(to: Variant, from: Variant): (key: Buffer, value: Buffer) => Buffer {
  const shape = (value: Buffer) => reshaped(value, from.value, to.value);
  if (to.value !== ctEntry115) return (_, value) => shape(value);
  return (key, value) => {
    const { packets, bytes, backendId } = decode(ctEntry, value);
    const service = ((key.at(-1) ?? 0) & TUPLE_FLAG.service) !== 0;
    const counted = { txPackets: packets, txBytes: bytes, ...(service && { rxBytes: backendId }) };
    return encode(ctEntry115, { ...decode(ctEntry115, shape(value)), ...counted });
  };
}

/** The fields that both structs have, where the other one has them. */
function reshaped(raw: Buffer, from: Struct, to: Struct): Buffer {
  if (from === to) return raw;
  const fields = Object.entries(decode(from, raw)).filter(([name]) => name in to.fields);
  return encode(to, Object.fromEntries(fields) as Partial<RecordOf<Struct>>);
}

/** Counters by the keys that they had before several became one. */
class Sums {
  readonly #parts = new Map<string, Map<string, Buffer>>();

  add(key: Buffer, part: Buffer, value: Buffer): Buffer {
    const text = key.toString('latin1');
    const parts = this.#parts.get(text) ?? new Map<string, Buffer>();
    this.#parts.set(text, parts.set(part.toString('latin1'), value));
    const all = [...parts.values()].map((bytes) => decode(metricsValue, bytes));
    return encode(metricsValue, {
      packets: all.reduce((sum, { packets }) => sum + packets, 0n),
      bytes: all.reduce((sum, { bytes }) => sum + bytes, 0n),
    });
  }
}
