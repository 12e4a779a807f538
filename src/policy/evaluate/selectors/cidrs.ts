import { type AddressRange, formatRange, parseRange, without, withoutZone } from '../../../lib/address.ts';
import { atLeast, type Release } from '../../../model/release.ts';
import { termsOf } from '../../../model/selector.ts';
import type { CidrRule } from '../../rule.ts';
import { type ClusterObjects, groupsOf, noObjects } from './cluster-objects.ts';
import {
  type Among,
  bounded,
  canonical,
  type Insiders,
  reserved,
  type Selector,
  unknownPeers,
} from './selector.ts';
import { reaches, type Surroundings } from './surroundings.ts';

function cidrSelector(
  prefix: AddressRange,
  holes: readonly AddressRange[] = [],
  insiders?: Insiders,
): Extract<Selector, { kind: 'cidr' }> {
  const except = holes.map(formatRange).sort().join(',');
  const key = `cidr ${formatRange(prefix)} -${except}`;
  return insiders
    ? { kind: 'cidr', key: `${key} ${JSON.stringify(insiders)}`, prefix, holes, insiders }
    : { kind: 'cidr', key, prefix, holes };
}

const NODES_UNKNOWN = 'whether CIDR rules select nodes is not known (--cidr-match-mode)';
const PODS_UNKNOWN = 'whether CIDR rules select pods is not known (--cidr-match-mode)';

/**
 * Whom a CIDR rule selects in the cluster: nodes from 1.15 on and pods from 1.20 on, where the agents have the option for it.
 */
export function insidersOf({ release, cidrMatchMode: mode }: Surroundings): Insiders | undefined {
  const nodes = mode ? mode.includes('nodes') || undefined : NODES_UNKNOWN;
  const pods = mode ? mode.includes('pods') || undefined : PODS_UNKNOWN;
  const has = (first: Release) => release !== undefined && atLeast(release, first);
  const found: Insiders = {
    ...(nodes && has('1.15') && { nodes }),
    ...(pods && has('1.20') && { pods }),
  };
  return found.nodes || found.pods ? found : undefined;
}

/** Of a rule for all addresses: from 1.19 on they select nodes only where they select pods. */
function insidersOfAll(around: Surroundings, cut: boolean): Insiders | undefined {
  const { nodes, pods } = insidersOf(around) ?? {};
  if (pods) return { ...(nodes && { nodes: nodes === true ? pods : nodes }), pods };
  if (!cut || !nodes || reaches(around, '1.19')) return undefined;
  return { nodes: around.assumed ? 'agents from 1.19 on select no nodes here (--release)' : nodes };
}

/** The agent ignores the zone of an address. */
function rangeOf(text: string): AddressRange | undefined {
  return parseRange(withoutZone(text));
}

/** The selectors of prefixes. */
export function cidrSelectors(list: readonly string[], around: Surroundings): Selector[] {
  return rangeSelectors(
    list.flatMap((text) => rangeOf(text) ?? []),
    around,
  );
}

function rangeSelectors(ranges: readonly AddressRange[], around: Surroundings): Selector[] {
  const insiders = insidersOf(around);
  const narrow = ranges.filter(({ length }) => length > 0).map((range) => cidrSelector(range, [], insiders));
  const all = insidersOfAll(around, false);
  const wide = all
    ? ranges
        .filter(({ length }) => length === 0)
        .map((range) => cidrSelector(range, [], { ...all, only: true }))
    : [];
  return [...narrow, ...worldOf(ranges, around), ...wide];
}

/** A prefix of all addresses means the world. Dual-stack clusters have an identity of it for each family. */
function worldOf(ranges: readonly AddressRange[], around: Surroundings): Selector[] {
  const v4 = ranges.some(({ length, family }) => length === 0 && family === 4);
  const v6 = ranges.some(({ length, family }) => length === 0 && family === 6);
  if (!v4 && !v6) return [];
  const families = [...(v4 ? ['world-ipv4'] : []), ...(v6 ? ['world-ipv6'] : [])];
  const { dualStack, release } = around;
  // Before 1.15 both families share one identity.
  const shared = release !== undefined && !atLeast(release, '1.15');
  if (shared || (v4 && v6 && dualStack === false)) return [reserved('world')];
  const own = families.map(reserved);
  if (v4 && v6) return [reserved('world'), ...own];
  if (dualStack === true) return own;
  const world = worldOfFamily(v4 ? 4 : 6);
  return dualStack === false ? [world] : [world, ...own];
}

/** No IPv6 address meets `0.0.0.0/0`, and no IPv4 address `::/0`, also where both families share an identity. */
function worldOfFamily(family: 4 | 6): Selector {
  const terms = termsOf({ matchLabels: { 'reserved:world': '' } });
  return { kind: 'labels', key: `${canonical(terms)} ipv${family}`, terms, family };
}

/** The selectors of a prefix with exceptions, or of CIDR groups. */
export function cidrRuleSelectors(rule: CidrRule, around: Surroundings): Selector[] {
  const holes = (rule.except ?? []).flatMap((text) => rangeOf(text) ?? []);
  if (rule.cidr !== undefined) return pieces([rule.cidr], holes, around);
  const group = groupPrefixes(rule, around.objects ?? noObjects());
  if (group) return pieces(group, holes, around);
  const what = rule.cidrGroupRef === undefined ? 'no CIDR group' : `the CIDR group ${rule.cidrGroupRef}`;
  const why = rule.cidrGroupRef === undefined ? `${what} is known` : `${what} is not known`;
  return unknownPeers([rule], why, amongCidrs(around));
}

/** Whom a CIDR rule can select. */
function amongCidrs(around: Surroundings): Among {
  const { nodes, pods } = insidersOf(around) ?? {};
  return pods ? 'anyone' : nodes ? 'hosts' : 'outside';
}

function groupPrefixes(
  { cidrGroupRef, cidrGroupSelector }: CidrRule,
  objects: ClusterObjects,
): readonly string[] | undefined {
  if (cidrGroupRef !== undefined) return objects.cidrGroups.find(({ name }) => name === cidrGroupRef)?.cidrs;
  return cidrGroupSelector && groupsOf(cidrGroupSelector, objects);
}

function pieces(list: readonly string[], holes: readonly AddressRange[], around: Surroundings): Selector[] {
  const prefixes = list.flatMap((text) => rangeOf(text) ?? []);
  if (holes.length === 0) return rangeSelectors(prefixes, around);
  // From 1.17 on an exception is a hole in a selector; before, the selector is cut into the prefixes around it.
  if (reaches(around, '1.17'))
    return prefixes.map((prefix) => ({
      ...cidrSelector(prefix, holes, insidersBelow(prefix, around)),
      ...(prefix.length === 0 && around.dualStack === true && { split: true }),
    }));
  const parts = cutSelectors(prefixes, holes, around);
  return around.assumed ? [...parts.map(unlessWorld), ...wholes(prefixes, holes)] : parts;
}

function insidersBelow({ length }: AddressRange, around: Surroundings): Insiders | undefined {
  return length > 0 ? insidersOf(around) : insidersOfAll(around, true);
}

function cutSelectors(
  prefixes: readonly AddressRange[],
  holes: readonly AddressRange[],
  around: Surroundings,
): Selector[] {
  const ranges = prefixes.flatMap((prefix) => without(prefix, holes));
  // Of a prefix of all addresses, agents from 1.19 on keep the prefix whole.
  const ofAll = prefixes.some(({ length }) => length === 0);
  return ofAll
    ? ranges.flatMap((range) =>
        range.length > 0
          ? [cidrSelector(range, [], insidersOfAll(around, true))]
          : rangeSelectors([range], around),
      )
    : rangeSelectors(ranges, around);
}

/** An identity of a prefix that contains an exception, which only later agents select. */
function wholes(prefixes: readonly AddressRange[], holes: readonly AddressRange[]): Selector[] {
  const perhaps = 'releases differ in whether they select a prefix around an exception (--release)';
  return prefixes.map((prefix) => {
    const selector = cidrSelector(prefix, holes);
    return { ...selector, key: `${selector.key} perhaps`, perhaps };
  });
}

/** Where an exception cuts nothing off all addresses, later agents do not select the world any more. */
function unlessWorld(selector: Selector): Selector {
  const why = 'releases differ in whether this selects the world (--release)';
  return selector.kind === 'labels' ? bounded(selector, { everybody: true, why }) : selector;
}
