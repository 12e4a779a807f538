import { atLeast } from '../../../model/release.ts';
import type { Direction, Part, PortSpec } from '../maps/compile-rule.ts';
import { type Identity, isOutside, isReserved } from '../selectors/identities.ts';
import type { PolicyEngine } from './engine.ts';

/** What rules can match in a connection besides its ends. */
export interface Traffic {
  /** Number of the IP protocol; undefined when it is not known. */
  protocol: number | undefined;
  /** Destination port, or the ICMP type. */
  port: number | undefined;
}

/** What is asked: one direction of a connection. */
export interface Asked {
  direction: Direction;
  subject: Identity;
  peer: Identity;
  traffic: Traffic;
}

/** From so many ports on they are looked up instead of tried one after the other. */
const MANY_PORTS = 16;

/** A port of a part, with its place among them. */
interface Placed {
  place: number;
  spec: PortSpec;
}

/** The ports of a part that are a number each, by protocol and number, and the others. */
interface PortIndex {
  exact: ReadonlyMap<number, readonly Placed[]>;
  others: readonly Placed[];
  specsOfOthers: readonly PortSpec[];
}

const indexes = new WeakMap<readonly PortSpec[], PortIndex>();
const PORTS = 0x1_0000;

function indexOf(ports: readonly PortSpec[]): PortIndex {
  const known = indexes.get(ports);
  if (known) return known;
  const exact = new Map<number, Placed[]>();
  const others: Placed[] = [];
  for (const [place, spec] of ports.entries()) {
    const { protocol, port, endPort, name } = spec;
    const isExact = protocol !== 0 && port !== 0 && name === '' && endPort <= port;
    const key = PORTS * protocol + port;
    const same = isExact ? (exact.get(key) ?? []) : others;
    same.push({ place, spec });
    if (isExact) exact.set(key, same);
  }
  const index = { exact, others, specsOfOthers: others.map(({ spec }) => spec) };
  indexes.set(ports, index);
  return index;
}

/** The ports of a part that may fit traffic, in their order: those of other numbers are left out of a long list. */
export function portsFor(ports: readonly PortSpec[], { protocol, port }: Traffic): readonly PortSpec[] {
  if (ports.length < MANY_PORTS || protocol === undefined || port === undefined) return ports;
  const { exact, others, specsOfOthers } = indexOf(ports);
  const own = exact.get(PORTS * protocol + port);
  if (own === undefined) return specsOfOthers;
  const all = others.length === 0 ? own : [...own, ...others].sort((a, b) => a.place - b.place);
  return all.map(({ spec }) => spec);
}

/** Whether a port of a rule is the one asked for, or why that is not known. */
export function portFits(spec: PortSpec, asked: Asked, engine: PolicyEngine): boolean | string {
  const fits = isPort(spec, asked, engine);
  return fits === false ? false : (spec.perhaps ?? fits);
}

function isPort(spec: PortSpec, asked: Asked, engine: PolicyEngine): boolean | string {
  const { traffic } = asked;
  // A port without a protocol is a deny rule of an agent up to 1.11, which no packet meets.
  if (spec.protocol === 0) return spec.port === 0 && spec.name === '';
  if (traffic.protocol === undefined) return 'the protocol is not known';
  if (traffic.protocol !== spec.protocol) return false;
  if (spec.name !== '') return nameFits(spec, asked, engine);
  // Up to 1.13 agents look for the traffic's own port and for no port of no protocol, not for every port of one.
  const wide = atLeast(engine.releaseOfMaps, '1.14');
  if (wide && spec.port === 0 && (spec.endPort === 0 || spec.endPort === 0xffff)) return true;
  if (traffic.port === undefined) return 'the port is not known';
  return traffic.port >= spec.port && traffic.port <= Math.max(spec.port, spec.endPort);
}

function nameFits(spec: PortSpec, asked: Asked, engine: PolicyEngine): boolean | string {
  const { direction, subject, peer, traffic } = asked;
  const { name, protocol, endPort } = spec;
  if (direction === 'ingress') {
    const numbers = engine.portsNamed(name, protocol, subject);
    if (numbers === undefined) return `the port named ${name} is not known`;
    // The pods of an identity may have different numbers for a name. Each goes by its own.
    return isOneOf(numbers, traffic, severalNumbers(name), endPort);
  }
  const everywhere = engine.portsNamed(name, protocol);
  if (everywhere === undefined) return `the port named ${name} is not known`;
  if (traffic.port === undefined) return everywhere.size === 0 ? false : 'the port is not known';
  // Agents before 1.20 take the number that all pods have for the name, and none where pods differ.
  const common =
    everywhere.size === 1 && isOneOf(everywhere, traffic, severalNumbers(name), endPort) === true;
  const lacking = engine.hasEveryEndpoint
    ? undefined
    : `the ports of pods of which the state has no endpoint are not known`;
  const own = isPod(peer) ? engine.portsNamed(name, protocol, peer) : NONE;
  const ofPeer =
    own === undefined
      ? `the port named ${name} of the peer is not known`
      : // 1.20 gives pods with other numbers an identity of their own, but not those that were there before.
        isOneOf(own, traffic, severalNumbers(name));
  const byPeer = engine.resolvesNames;
  if (byPeer === true) return ofPeer;
  // Another pod may have another number, or the only one.
  if (lacking && (common || everywhere.size === 0)) return lacking;
  if (byPeer === false || common === ofPeer) return common;
  if (typeof ofPeer === 'string') return ofPeer;
  return everywhere.size > 1 ? twoNumbers(name, everywhere) : BY_PEER;
}

/** Only pods have names of ports. One that has no labels yet may be any. */
function isPod(peer: Identity): boolean {
  const isOwn = peer.labels.every(({ source }) => source !== 'reserved') || isReserved(peer, 'init');
  return isOwn && !isOutside(peer);
}

const NONE: ReadonlySet<number> = new Set();

const BY_PEER = 'agents from 1.20 on ask the peer itself for the number of a port name (--release)';

function severalNumbers(name: string): string {
  return `pods with these labels have different numbers for the port named ${name}`;
}

/** Whether a port is the number of a name, or in the range that begins with it. */
function isOneOf(
  numbers: ReadonlySet<number>,
  { port }: Traffic,
  several: string,
  endPort = 0,
): boolean | string {
  if (numbers.size === 0) return false;
  if (port === undefined) return 'the port is not known';
  const fitting = [...numbers].filter((number) => port === number || (number < port && port <= endPort));
  if (fitting.length === 0) return false;
  return fitting.length === numbers.size || several;
}

function twoNumbers(name: string, numbers: ReadonlySet<number>): string {
  const list = [...numbers].sort((a, b) => a - b).join(' and ');
  return `the port name ${name} stands for ${list}: agents before 1.20 then allow none of them, 1.20 allows each destination its own (--release)`;
}

/** Says of a denied direction which port names stand for no port, because pods have different numbers for them. */
export function remarkOn(
  engine: PolicyEngine,
  parts: readonly Part[],
  { protocol, port }: Traffic,
  direction: Direction,
): string | undefined {
  if (direction === 'ingress' || engine.resolvesNames !== false) return undefined;
  for (const spec of parts.filter(({ deny }) => !deny).flatMap(({ ports }) => ports)) {
    if (spec.name === '' || spec.protocol !== protocol) continue;
    const numbers = engine.portsNamed(spec.name, spec.protocol);
    if (numbers && numbers.size > 1 && port !== undefined && numbers.has(port))
      return twoNumbers(spec.name, numbers);
  }
  return undefined;
}
