import { basename } from 'node:path';
import { UserError } from '../../errors.ts';
import { RESERVED_IDENTITIES } from '../../model/reserved-identity.ts';
import type { BpfMap } from '../kernel/objects.ts';
import { slotsOf } from '../kernel/reader.ts';
import * as s from '../layouts/structs.ts';
import { fits, readRecords, requireLayout } from './records.ts';

const STATIC_BITS = 40;
const DENY = 1;
const WILDCARD_PROTOCOL = 2;
const WILDCARD_PORT = 4;
const AUTH_TYPE = 0x7f;
/** What the reference's JSON holds where no counters are kept. */
const NOT_AVAILABLE = 0xffff_ffff_ffff_ffffn;
/** Precedence of entries that no rule ordered: the highest API priority, then deny or plain allow. */
const PRECEDENCE_DENY = 0xffff_ffff;
const PRECEDENCE_ALLOW = 0xffff_ff01;

export type PolicyKey = ReturnType<typeof s.policyKey.decode>;

/** One entry of an endpoint's policy map. */
export interface PolicyMapEntry {
  key: PolicyKey;
  deny: boolean;
  proxyPort: number;
  authType: number;
  cookie: number;
  /** Undefined where the datapath counts nothing for the entry. */
  packets: bigint | undefined;
  bytes: bigint | undefined;
  /** In the reference's JSON form, which differs between releases. */
  json: Record<string, unknown>;
}

/** Reads a policy map. Newer agents keep the counters in a map of their own, which is joined. */
export async function readPolicyMap(map: BpfMap, stats: BpfMap | undefined): Promise<PolicyMapEntry[]> {
  const entries = fits(map, s.policyKey, s.policyEntry117)
    ? (await readRecords(map, s.policyKey, s.policyEntry117)).map(({ key, value }) => oldEntry(key, value))
    : (await readRecords(map, s.policyKey, s.policyEntry)).map(({ key, value }) =>
        newEntry(key, value, stats && countersOf(map, stats, key)),
      );
  return entries.sort(byImportance);
}

function byImportance(a: PolicyMapEntry, b: PolicyMapEntry): number {
  return (
    Number(b.deny) - Number(a.deny) ||
    a.key.direction - b.key.direction ||
    a.key.identity - b.key.identity ||
    a.key.protocol - b.key.protocol ||
    a.key.port - b.key.port ||
    a.key.prefixLength - b.key.prefixLength
  );
}

type Counters = ReturnType<typeof s.policyStats.decode>;

function newEntry(
  key: PolicyKey,
  value: ReturnType<typeof s.policyEntry.decode>,
  counters: Counters | undefined,
): PolicyMapEntry {
  return {
    key,
    deny: (value.flags & DENY) !== 0,
    proxyPort: value.proxyPort,
    authType: value.auth & AUTH_TYPE,
    cookie: value.cookie,
    packets: counters?.packets,
    bytes: counters?.bytes,
    json: {
      ProxyPortNetwork: networkOrder(value.proxyPort),
      Flags: value.flags,
      AuthRequirement: value.auth,
      Precedence: value.precedence,
      Cookie: value.cookie,
      Packets: plain(counters?.packets ?? NOT_AVAILABLE),
      Bytes: plain(counters?.bytes ?? NOT_AVAILABLE),
      Key: keyJson(key),
    },
  };
}

function oldEntry(key: PolicyKey, value: ReturnType<typeof s.policyEntry117.decode>): PolicyMapEntry {
  return {
    key,
    deny: (value.flags & DENY) !== 0,
    proxyPort: value.proxyPort,
    authType: value.auth,
    cookie: 0,
    packets: value.packets,
    bytes: value.bytes,
    json: {
      ProxyPortNetwork: networkOrder(value.proxyPort),
      Flags: value.flags,
      AuthType: value.auth,
      Pad1: 0,
      Pad2: 0,
      Packets: plain(value.packets),
      Bytes: plain(value.bytes),
      Key: keyJson(key),
    },
  };
}

function keyJson(key: PolicyKey): Record<string, unknown> {
  return {
    Prefixlen: key.prefixLength,
    Identity: key.identity,
    TrafficDirection: key.direction,
    Nexthdr: key.protocol,
    DestPortNetwork: networkOrder(key.port),
  };
}

const networkOrder = (port: number) => ((port & 0xff) << 8) | (port >> 8);
const plain = (value: bigint) => (value <= Number.MAX_SAFE_INTEGER ? Number(value) : value);

/** The counters of an entry, over all CPUs; undefined when the datapath has not counted it. */
function countersOf(map: BpfMap, stats: BpfMap, key: PolicyKey): Counters | undefined {
  const endpoint = endpointOfPolicyMap(basename(map.label));
  // A shorter prefix would stand for endpoints and identities at once: no agent writes that.
  if (endpoint === undefined || key.prefixLength < STATIC_BITS) return undefined;
  requireLayout(stats, s.policyStatsKey, s.policyStats);
  const { prefixLength, identity, direction, protocol, port } = key;
  const value = stats.lookup(
    s.policyStatsKey.encode({
      endpointId: endpoint,
      prefixLength: prefixLength - STATIC_BITS,
      identity,
      direction,
      protocol,
      port,
    }),
  );
  if (!value) return undefined;
  const sum = { packets: 0n, bytes: 0n };
  for (const slot of slotsOf(value, s.policyStats.size)) {
    const { packets, bytes } = s.policyStats.decode(slot);
    sum.packets += packets;
    sum.bytes += bytes;
  }
  return sum;
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
  const suffix = /^\d{1,5}$/.test(argument)
    ? argument.padStart(5, '0')
    : reserved > 0
      ? `reserved_${reserved}`
      : undefined;
  if (suffix === undefined)
    throw new UserError(`Failed to parse endpointID "${argument}"`, {
      hint: 'Expected the number of an endpoint ("cilium endpoint list"), a reserved identity such as host, or the path of a pinned map.',
    });
  return [`cilium_policy_v2_${suffix}`, `cilium_policy_${suffix}`];
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

/** The key of a rule: a protocol takes 8 bits of the prefix, a port 16 more. */
export function encodePolicyKey({
  identity,
  direction,
  protocol,
  port,
}: Omit<PolicyRule, 'deny' | 'cookie'>): Buffer {
  const prefixLength = STATIC_BITS + ruleBits(protocol, port);
  return s.policyKey.encode({ prefixLength, identity, direction, protocol, port });
}

const ruleBits = (protocol: number, port: number) => (protocol === 0 ? 0 : port === 0 ? 8 : 24);

/** The value of a rule in the layout of the map. */
export function encodePolicyEntry(map: BpfMap, { protocol, port, deny, cookie }: PolicyRule): Buffer {
  if (fits(map, s.policyKey, s.policyEntry117)) {
    const wildcards = (protocol === 0 ? WILDCARD_PROTOCOL : 0) | (port === 0 ? WILDCARD_PORT : 0);
    return s.policyEntry117.encode({ flags: (deny ? DENY : 0) | wildcards });
  }
  requireLayout(map, s.policyKey, s.policyEntry);
  return s.policyEntry.encode({
    flags: (deny ? DENY : 0) | (ruleBits(protocol, port) << 3),
    precedence: deny ? PRECEDENCE_DENY : PRECEDENCE_ALLOW,
    cookie,
  });
}
