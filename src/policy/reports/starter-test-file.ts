import { formatRange } from '../../lib/address.ts';
import { formatLabel } from '../../model/label.ts';
import type { PolicyEngine } from '../evaluate/decide/engine.ts';
import { type Peers, parsePort } from '../evaluate/decide/peers.ts';
import { balancedBy, decideNamed } from '../evaluate/decide/services.ts';
import {
  type CompiledRule,
  DIRECTIONS,
  type Direction,
  type PortSpec,
} from '../evaluate/maps/compile-rule.ts';
import { effectivePeers } from '../evaluate/maps/direction-policy.ts';
import type { Selector } from '../evaluate/selectors/selector.ts';
import { portText } from './replay.ts';
import type { ExpectedVerdict } from './test-file.ts';

/** A test that passes now. */
export interface StarterTest {
  from: string;
  to: string;
  port: string;
  expect: ExpectedVerdict;
}

/** The most tests that are written. */
const MOST = 200;

/**
 * Tests of what the rules allow now: one per peer and port that a rule names, and one for the world on the same port.
 * What cannot be decided or named is left out.
 */
export function starterTests(engine: PolicyEngine, peers: Peers): StarterTest[] {
  const found = new Map<string, StarterTest>();
  for (const rule of engine.rules) {
    const subject = rule.node ? undefined : nameOf(rule.subject, engine);
    if (subject === undefined) continue;
    for (const direction of DIRECTIONS)
      for (const { peer, port } of namedBy(rule, direction, engine)) {
        const [from, to] = direction === 'ingress' ? [peer, subject] : [subject, peer];
        const test = decide(from, to, port, peers);
        if (test) found.set(`${from} ${to} ${port}`, test);
        if (found.size === MOST) return [...found.values()];
      }
  }
  return [...found.values()];
}

/** The peers and ports that a rule names, and the world on the same ports. */
function namedBy(
  rule: CompiledRule,
  direction: Direction,
  engine: PolicyEngine,
): { peer: string; port: string }[] {
  return rule.parts
    .filter((part) => part.direction === direction && part.peers !== undefined)
    .flatMap((part) => {
      const names = effectivePeers(part).flatMap((selector) => nameOf(selector, engine) ?? []);
      const ports = part.ports.flatMap((spec) => portOf(spec) ?? []);
      return ports.flatMap((port) => [...names, 'world'].map((peer) => ({ peer, port })));
    });
}

function decide(from: string, to: string, port: string, peers: Peers): StarterTest | undefined {
  const [source, destination, traffic] = [peers.find(from), peers.find(to), parsePort(port)];
  const balanced = balancedBy(peers, destination, traffic);
  const { answer } = decideNamed(peers, [source, destination], traffic, balanced);
  if (answer === 'unknown') return undefined;
  return { from, to, port, expect: answer === 'allowed' ? 'allow' : 'deny' };
}

/** Names what a selector selects, as a test file does; undefined when it cannot. */
function nameOf(selector: Selector, engine: PolicyEngine): string | undefined {
  switch (selector.kind) {
    case 'none':
      return undefined;
    case 'cidr':
      return selector.perhaps ? undefined : formatRange(selector.prefix);
    case 'fqdn':
      return /^[-a-z0-9._]+$/.test(selector.labels[0] ?? '') ? `fqdn:${selector.labels[0]}` : undefined;
    case 'labels': {
      if (selector.terms.length === 0) return undefined;
      const [reserved] = selector.terms.filter(({ source }) => source === 'reserved');
      // The world itself covers its two families, and no packet carries an aggregate.
      if (reserved) return /^(world|aggregate)-/.test(reserved.name) ? undefined : reserved.name;
      const [first] = engine.selectors.resolve(selector).ids;
      const known = first === undefined ? undefined : engine.identities.get(first);
      if (known) return namesOfLabels(known.labels.map(formatLabel));
      if (selector.terms.some(({ operator }) => operator !== 'In')) return undefined;
      return namesOfLabels(
        selector.terms.map(
          ({ source, name, values }) => `${source === 'any' ? 'k8s' : source}:${name}=${values[0]}`,
        ),
      );
    }
  }
}

/** The labels without those that the agent adds, and without the source `k8s:`. */
function namesOfLabels(labels: readonly string[]): string | undefined {
  const own = labels.filter((label) => !label.includes(':io.cilium.k8s.'));
  return own.length === 0 ? undefined : own.map((label) => label.replace(/^k8s:/, '')).join(',');
}

/** One port of the part. */
function portOf({ protocol, port, name }: PortSpec): string | undefined {
  if (name !== '') return undefined;
  if (protocol === 0) return '443/TCP';
  return portText(protocol, port === 0 ? 443 : port);
}

/** The test file as text. */
export function starterFile(
  tests: readonly StarterTest[],
  from: { rules: readonly string[]; state: string | undefined; namespace: string },
): string {
  const quoted = (text: string) => (/^[A-Za-z0-9][-\w./=]*$/.test(text) ? text : JSON.stringify(text));
  const lines = [
    '# What the policies allow and deny today. Check each line: is that intended? Run: cilium policy test FILE',
    ...(from.rules.length > 0 ? ['rules:', ...from.rules.map((path) => `  - ${quoted(path)}`)] : []),
    ...(from.state === undefined ? [] : [`state: ${quoted(from.state)}`]),
    `namespace: ${quoted(from.namespace)}`,
    'tests:',
    ...tests.map(
      ({ from: source, to, port, expect }) =>
        `  - { from: ${quoted(source)}, to: ${quoted(to)}, port: ${port}, expect: ${expect} }`,
    ),
  ];
  return `${lines.join('\n')}\n`;
}
