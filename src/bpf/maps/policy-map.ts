import { basename } from 'node:path';
import { UserError } from '../../errors.ts';
import { sum64 } from '../../lib/uint.ts';
import type { Release } from '../../model/release.ts';
import { RESERVED_IDENTITIES } from '../../model/reserved-identity.ts';
import type { BpfMap } from '../kernel/objects.ts';
import { slotsOf } from '../kernel/reader.ts';
import { endpointPin } from '../layouts/map-layout.ts';
import {
  POLICY,
  POLICY_FLAG,
  POLICY_STATIC_BITS,
  POLICY_STATS,
  type PolicyMapDump,
  type PolicyMapEntry,
  type PolicyVariant,
  policyStats,
  policyStatsKey,
} from '../layouts/policy.ts';
import type { Struct } from '../layouts/struct.ts';
import { decode, encode } from './codec.ts';
import { readRecords, requireVariant } from './records.ts';

/** Precedence of entries that no rule ordered: the highest API priority, then deny or plain allow. */
const PRECEDENCE_DENY = 0xffff_ffff;
const PRECEDENCE_ALLOW = 0xffff_ff01;

/** Reads a policy map. Newer agents keep the counters in a map of their own, which is joined. */
export async function readPolicyMap(
  map: BpfMap,
  stats: BpfMap | undefined,
  release: Release,
): Promise<PolicyMapDump> {
  const entries = (await readRecords(map, POLICY, release)).map(({ key, value }): PolicyMapEntry => {
    const full = 'prefixLength' in key ? key : { ...key, prefixLength: prefixOf(key.protocol, key.port) };
    return {
      key: full,
      value,
      counters: 'packets' in value ? value : stats && countersOf(map, stats, full),
    };
  });
  return { variant: requireVariant(map, POLICY, release), entries: entries.sort(byImportance) };
}

function byImportance(a: PolicyMapEntry, b: PolicyMapEntry): number {
  return (
    (b.value.flags & POLICY_FLAG.deny) - (a.value.flags & POLICY_FLAG.deny) ||
    a.key.direction - b.key.direction ||
    a.key.identity - b.key.identity ||
    a.key.protocol - b.key.protocol ||
    a.key.port - b.key.port ||
    a.key.prefixLength - b.key.prefixLength
  );
}

/** What a byte of the keys of counters holds. */
const MAX_PREFIX = 255;

/** The counters of an entry, over all CPUs; undefined when the datapath has not counted it. */
function countersOf(map: BpfMap, stats: BpfMap, key: PolicyMapEntry['key']): PolicyMapEntry['counters'] {
  const endpointId = endpointOfPolicyMap(basename(map.label));
  // A shorter prefix would stand for endpoints and identities at once: no agent writes that.
  if (endpointId === undefined || key.prefixLength < POLICY_STATIC_BITS) return undefined;
  requireVariant(stats, POLICY_STATS);
  const prefixLength = key.prefixLength - POLICY_STATIC_BITS;
  // Nor one that is longer than the key.
  if (prefixLength > MAX_PREFIX) return undefined;
  const value = stats.lookup(encode(policyStatsKey, { ...key, endpointId, prefixLength }));
  if (!value) return undefined;
  const slots = Array.from(slotsOf(value, policyStats.size), (slot) => decode(policyStats, slot));
  return {
    packets: sum64(slots.map(({ packets }) => packets)),
    bytes: sum64(slots.map(({ bytes }) => bytes)),
  };
}

/** `cilium_policy_v2_00356` belongs to endpoint 356. */
export function endpointOfPolicyMap(name: string): number | undefined {
  const digits = /_(\d+)$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Names of the policy map that an argument means, in the order in which they are looked for. */
export function policyMapNames(argument: string): string[] {
  const label = argument.replace(/^reserved:/, '');
  const reserved = RESERVED_IDENTITIES.indexOf(label);
  const pins = POLICY.variants.flatMap((variant) => variant.pins);
  if (/^\d{1,5}$/.test(argument))
    return pins.filter((pin) => pin.includes('{endpoint}')).map((pin) => endpointPin(pin, Number(argument)));
  if (reserved <= 0)
    throw new UserError(`Failed to parse endpointID "${argument}"`, {
      hint: 'Expected the number of an endpoint ("cilium endpoint list"), a reserved identity such as host, or the path of a pinned map.',
    });
  return pins.filter((pin) => pin.includes('{n}')).map((pin) => pin.replace('{n}', String(reserved)));
}

/** What `bpf policy add` writes. */
export interface PolicyRule {
  identity: number;
  direction: 0 | 1;
  /** 0 for any. */
  protocol: number;
  /** 0 for any. */
  port: number;
  deny: boolean;
  cookie: number;
}

/** How entries of this map are written. All that a rule writes is at the same place in layouts of the same sizes. */
export function policyVariant(map: BpfMap): PolicyVariant {
  return requireVariant(map, POLICY);
}

/** The key of a rule: a protocol takes 8 bits of the prefix, a port 16 more. */
export function encodePolicyKey({ key }: PolicyVariant, rule: Omit<PolicyRule, 'deny' | 'cookie'>): Buffer {
  return encode<Struct>(key, { ...rule, prefixLength: prefixOf(rule.protocol, rule.port) });
}

const ruleBits = (protocol: number, port: number) => (protocol === 0 ? 0 : port === 0 ? 8 : 24);
const prefixOf = (protocol: number, port: number) => POLICY_STATIC_BITS + ruleBits(protocol, port);

/** The value of a rule in the layout of the map. */
export function encodePolicyEntry(
  variant: PolicyVariant,
  { protocol, port, deny, cookie }: PolicyRule,
): Buffer {
  const { key, value } = variant;
  const denies = deny ? POLICY_FLAG.deny : 0;
  const wildcards =
    (protocol === 0 ? POLICY_FLAG.wildcardProtocol : 0) | (port === 0 ? POLICY_FLAG.wildcardPort : 0);
  const how = !('prefixLength' in key.fields)
    ? 0
    : 'wildcards' in variant
      ? wildcards
      : ruleBits(protocol, port) << 3;
  return encode<Struct>(value, {
    flags: denies | how,
    precedence: deny ? PRECEDENCE_DENY : PRECEDENCE_ALLOW,
    cookie,
  });
}
