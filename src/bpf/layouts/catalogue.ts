import * as conntrack from './conntrack.ts';
import * as egress from './egress.ts';
import * as endpoints from './endpoints.ts';
import * as ipcache from './ipcache.ts';
import { type MapLayout, pinPattern } from './map-layout.ts';
import * as metrics from './metrics.ts';
import * as multicast from './multicast.ts';
import * as nat from './nat.ts';
import * as nodes from './nodes.ts';
import * as policy from './policy.ts';
import * as programs from './programs.ts';
import * as recorder from './recorder.ts';
import * as services from './services.ts';

const FEATURES: readonly object[] = [
  endpoints,
  ipcache,
  nodes,
  policy,
  programs,
  conntrack,
  nat,
  services,
  metrics,
  egress,
  multicast,
  recorder,
];

/** Every map that an agent pins. */
export const KNOWN_MAPS: readonly MapLayout[] = FEATURES.flatMap((feature) =>
  Object.values(feature).filter(isLayout),
);

function isLayout(value: unknown): value is MapLayout {
  return typeof value === 'object' && value !== null && 'variants' in value;
}

const PINS = KNOWN_MAPS.flatMap((layout) =>
  [...new Set([...layout.variants.flatMap(({ pins }) => pins), ...(layout.opaque ?? [])])].map((pin) => ({
    pattern: pinPattern(pin),
    layout,
  })),
);

/** The map that a pin of this name is; undefined for a name of no release. */
export function knownMap(name: string): MapLayout | undefined {
  return PINS.find(({ pattern }) => pattern.test(name))?.layout;
}

/** The endpoint that a pin of this name belongs to. */
export function endpointOf(name: string): number | undefined {
  const match = PINS.map(({ pattern }) => pattern.exec(name)).find((found) => found !== null);
  const digits = match?.groups?.endpoint;
  return digits === undefined ? undefined : Number(digits);
}
