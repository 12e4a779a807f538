import { formatLabel } from '../../model/label.ts';
import { protocolName } from '../../model/protocol.ts';
import { type Decision, decideDirection } from '../evaluate/decide/decide.ts';
import type { PolicyEngine } from '../evaluate/decide/engine.ts';
import type { Traffic } from '../evaluate/decide/ports-of-traffic.ts';
import type { Direction, Part, PortSpec } from '../evaluate/maps/compile-rule.ts';
import { effectivePeers } from '../evaluate/maps/direction-policy.ts';
import type { Identity } from '../evaluate/selectors/identities.ts';
import { selects } from '../evaluate/selectors/match.ts';
import { formatPosition, type Origin, type Path, type Position, positionOf, type Tier } from '../rule.ts';

/** A reference to a rule, or to a part of one, in reports. */
export interface RuleReference {
  kind: Origin['kind'];
  namespace?: string;
  name?: string;
  /** Labels of the rule, as text. */
  labels: string[];
  /** `ingress[0]`. */
  part: string;
  position: Position;
  location: string;
}

/** A decision as text and data. */
export interface Explanation {
  direction: Direction;
  answer: Decision['answer'];
  reason: Decision['reason']['kind'];
  text: string;
  rules: RuleReference[];
  /** The kind of the proxy that then applies L7 rules. */
  proxy?: string;
  /** Peers must authenticate. */
  auth?: number;
}

export function referenceOf(
  origin: Origin,
  labels: readonly { source: string; key: string; value: string }[] = [],
  path: Path = [],
): RuleReference {
  const position = positionOf(origin, path);
  const { kind, namespace, name } = origin;
  return {
    kind,
    ...(namespace && { namespace }),
    ...(name && { name }),
    labels: labels.map(formatLabel),
    part: path
      .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
      .join('')
      .replace(/^\./, ''),
    position,
    location: formatPosition(position),
  };
}

function referenceOfPart({ origin, path, rule }: Part): RuleReference {
  return referenceOf(origin, rule.source.rule.labels, path);
}

/** What reports call a rule: `CiliumNetworkPolicy default/api (api.yaml:3:5)`. */
function nameOf({ kind, namespace, name, location }: RuleReference): string {
  const what = kind === 'rule' ? 'rule' : kind;
  const who = [namespace, name].filter(Boolean).join('/');
  return `${what}${who && ` ${who}`} (${location})`;
}

/** Explains a decision. */
export function explain(direction: Direction, decision: Decision, subject: string): Explanation {
  const { answer, reason, proxy, auth, remark, passed = [] } = decision;
  const passing = passed.map(referenceOfPart);
  const by = passing.map((rule) => `passed on by ${nameOf(rule)}, ${rule.part}; `).join('');
  const extra = {
    ...(proxy && { proxy: proxyKind(reason.kind === 'rule' ? reason.port : undefined) }),
    ...(auth !== undefined && { auth }),
  };
  const base = { direction, answer, reason: reason.kind, ...extra };
  switch (reason.kind) {
    case 'rule': {
      const rule = referenceOfPart(reason.part);
      const verb = reason.part.deny ? 'denied' : 'allowed';
      const more = [
        ...(proxy ? [`the ${extra.proxy} proxy then applies its rules`] : []),
        ...(auth ? ['once both ends have authenticated'] : []),
        ...(remark === undefined ? [] : [remark]),
      ];
      return {
        ...base,
        rules: [rule, ...passing],
        text: [`${by}${verb} by ${nameOf(rule)}, ${rule.part}`, ...more].join('; '),
      };
    }
    case 'default-deny': {
      const rules = reason.rules.map(({ source }) => referenceOf(source.origin, source.rule.labels));
      const closing = rules[0]
        ? `${nameOf(rules[0])}${rules.length > 1 ? ` and ${rules.length - 1} more` : ''}`
        : 'the enforcement mode';
      return {
        ...base,
        rules: [...rules, ...passing],
        text: `${by}${closing} enabled default deny for ${direction} of ${subject}, and no rule allows this${remark === undefined ? '' : `; ${remark}`}`,
      };
    }
    case 'default-allow':
      return {
        ...base,
        rules: passing,
        text: `${by}the rules for ${subject} do not enable default deny`,
      };
    case 'not-enforced':
      return { ...base, rules: [], text: `no rule applies to ${direction} of ${subject}` };
    case 'no-endpoint':
      return { ...base, rules: [], text: `${subject} is not an endpoint, so no policy applies` };
    case 'localhost':
      return { ...base, rules: [], text: 'connections from the node itself are always allowed' };
    case 'unknown':
      return { ...base, rules: [], text: `cannot be decided: ${reason.why}` };
  }
}

function proxyKind(port: PortSpec | undefined): string {
  if (port?.l7?.dns) return 'DNS';
  if (port?.l7?.http) return 'HTTP';
  if (port?.l7?.kafka) return 'Kafka';
  return port?.l7?.l7proto ?? (port?.serverNames.length ? 'TLS' : 'L7');
}

/** A change that would allow denied traffic. */
export interface Remedy {
  text: string;
  location?: string;
}

/** Changes that would allow a denied direction, the smallest first. */
export function remedies(
  engine: PolicyEngine,
  direction: Direction,
  subject: Identity,
  peer: Identity,
  traffic: Traffic,
): Remedy[] {
  const { answer, reason } = decideDirection(engine, direction, subject, peer, traffic);
  if (answer !== 'denied') return [];
  if (reason.kind === 'rule') {
    const { location, part } = referenceOfPart(reason.part);
    return [{ location, text: `remove this traffic from ${part}: ${FIRST[tierOf(reason.part)]}` }];
  }
  const port =
    traffic.port === undefined || traffic.protocol === undefined
      ? 'the port'
      : `port ${traffic.port}/${protocolName(traffic.protocol)}`;
  const other = direction === 'ingress' ? 'from' : 'to';
  const allows = engine
    .policyOf(subject)
    [direction].parts.filter(({ deny, pass, ports }) => !deny && !pass && ports.length > 0);
  const near: Remedy[] = [];
  for (const part of allows) {
    const { location } = referenceOfPart(part);
    const peerFits = effectivePeers(part).some((selector) => selects(selector, peer));
    const portFits = part.ports.some((spec) => covered(spec, traffic));
    if (peerFits && !portFits)
      near.push({ location, text: `add ${port} to its toPorts: it allows this peer on other ports` });
    if (portFits && !peerFits)
      near.push({ location, text: `add this peer to its ${other}…: it allows ${port} ${other} other peers` });
  }
  const closing = engine.policyOf(subject)[direction].closedBy[0];
  const rest: Remedy = closing
    ? {
        location: referenceOf(closing.source.origin).location,
        text: `add an ${direction} rule for this peer and ${port} here, or in a separate policy`,
      }
    : { text: `add a rule that allows ${port} ${other} this peer` };
  return [...near.slice(0, 3), rest];
}

/** What goes before a rule that denies, by its tier. */
const FIRST: Readonly<Record<Tier, string>> = {
  Admin: 'only an earlier rule of the Admin tier goes before it',
  Normal: 'deny rules take precedence over allow rules',
  Baseline: 'or allow it in a network policy, which goes before the Baseline tier',
};

function tierOf({ rule }: Part): Tier {
  return rule.source.rule.order?.tier ?? 'Normal';
}

function covered(spec: PortSpec, { protocol, port }: Traffic): boolean {
  if (spec.protocol === 0) return spec.port === 0 && spec.name === '';
  if (spec.protocol !== protocol) return false;
  if (spec.port === 0 && spec.name === '') return true;
  return port !== undefined && port >= spec.port && port <= Math.max(spec.port, spec.endPort);
}
