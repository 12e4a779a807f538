import { atLeast, type Release, type ReleaseRange } from '../../model/release.ts';
import type { Struct } from './struct.ts';

/** One form that a map has in some releases. */
export interface Variant<K extends Struct = Struct, V extends Struct = Struct> {
  /** Names of its pins: `{endpoint}` stands for the five digits of an endpoint, `{n}` for any number. */
  pins: readonly string[];
  key: K;
  value: V;
  /** First release that writes it; needed where an older variant, which stands behind it, has the same sizes. */
  since?: Release;
}

/** A map that some release of the agent pins. */
export interface MapLayout<V extends Variant = Variant> {
  /** What the map is for. */
  feature: string;
  /** Newest first. */
  variants: readonly V[];
  /** Pins whose entries have no layout: what the kernel keeps in them are no bytes. */
  opaque?: readonly string[];
}

/** Declares a map. */
export function mapLayout<const V extends Variant>(feature: string, ...variants: V[]): MapLayout<V> {
  return { feature, variants };
}

/** Matches the names that a pin's template stands for. */
export function pinPattern(pin: string): RegExp {
  return new RegExp(`^${pin.replace('{endpoint}', '(?<endpoint>\\d{5})').replace('{n}', '\\d+')}$`);
}

/** The pin of an endpoint, from its template. */
export function endpointPin(pin: string, endpoint: number): string {
  return pin.replace('{endpoint}', String(endpoint).padStart(5, '0'));
}

interface SizedMap {
  pin?: string;
  keySize: number;
  valueSize: number;
}

/** The variants that a map of these sizes may have, newest first: those of its pin where there are some. */
function variantsOf<V extends Variant>({ variants }: MapLayout<V>, map: SizedMap): V[] {
  const fitting = variants.filter(
    ({ key, value }) => key.size === map.keySize && value.size === map.valueSize,
  );
  const { pin } = map;
  const named =
    pin === undefined ? [] : fitting.filter(({ pins }) => pins.some((one) => pinPattern(one).test(pin)));
  return named.length > 0 ? named : fitting;
}

/** The variant that a map of these sizes has: one of its pin's where there are several, then by the release. */
export function variantOf<V extends Variant>(
  layout: MapLayout<V>,
  map: SizedMap,
  release: Release,
): V | undefined {
  return variantsOf(layout, map).find(({ since }) => since === undefined || atLeast(release, since));
}

/** Whether two releases of a range take the same bytes of a map for different things. */
export function readsDifferently(layout: MapLayout, map: SizedMap, { first, last }: ReleaseRange): boolean {
  const possible = variantsOf(layout, map).filter(({ since }) => since === undefined || atLeast(last, since));
  const oldest = possible.findIndex(({ since }) => since === undefined || atLeast(first, since));
  const [newest, ...older] = possible.slice(0, oldest + 1);
  return older.some(
    (variant) => newest && (conflict(newest.key, variant.key) || conflict(newest.value, variant.value)),
  );
}

/** Whether a field of the older struct lies elsewhere in the newer one, or where that has others. */
function conflict(newer: Struct, older: Struct): boolean {
  return Object.entries(older.fields).some(([name, field]) => {
    const same = newer.fields[name];
    if (field.kind === 'pad' || (same?.at === field.at && same.size === field.size)) return false;
    if (same) return true;
    return Object.values(newer.fields).some(
      ({ kind, at, size }) => kind !== 'pad' && at < field.at + field.size && field.at < at + size,
    );
  });
}
