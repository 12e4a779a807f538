import { atLeast, type Release } from '../../model/release.ts';
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

/** The variant that a map of these sizes has: one of its pin's where there are several, then by the release. */
export function variantOf<V extends Variant>(
  { variants }: MapLayout<V>,
  map: { pin?: string; keySize: number; valueSize: number },
  release: Release,
): V | undefined {
  const fitting = variants.filter(
    ({ key, value }) => key.size === map.keySize && value.size === map.valueSize,
  );
  const { pin } = map;
  const named =
    pin === undefined ? [] : fitting.filter(({ pins }) => pins.some((one) => pinPattern(one).test(pin)));
  return (named.length > 0 ? named : fitting).find(
    ({ since }) => since === undefined || atLeast(release, since),
  );
}
