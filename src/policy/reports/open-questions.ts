import type { PolicyEngine } from '../evaluate/decide/engine.ts';
import type { Part } from '../evaluate/maps/compile-rule.ts';
import { type Identity, isNode } from '../evaluate/selectors/identities.ts';
import { selectsOrWhy } from '../evaluate/selectors/match.ts';
import type { Selector } from '../evaluate/selectors/selector.ts';

/** What is not known and the policy maps of the endpoints rest on, one sentence each. */
export function openQuestions(engine: PolicyEngine): string[] {
  const found = new Set<string>();
  const uncertain = uncertainPeers(engine);
  for (const { identity: id } of engine.endpoints) {
    const identity = engine.identities.get(id);
    if (!identity) continue;
    const rules = engine.rulesFor(identity);
    if (rules.length === 0) continue;
    if (isNode(identity) && engine.settings.hostFirewall === undefined)
      found.add('whether the host firewall is on is not known (--host-firewall)');
    const { perhaps } = engine.policyOf(identity);
    if (perhaps) found.add(perhaps.why);
    for (const part of rules.flatMap(({ parts }) => parts)) {
      for (const why of part.unknowns) found.add(why);
      for (const peer of part.peers ?? []) for (const why of whyOpen(peer, engine, uncertain)) found.add(why);
      for (const why of unknownPorts(part, identity, engine)) found.add(why);
    }
  }
  if (engine.settings.release === undefined && engine.rules.length > 0 && engine.endpoints.length > 0)
    found.add(`the release is not known, ${engine.release} is assumed (--release)`);
  return [...found];
}

/** Whether something that is not known may give the part an effect that the policy maps do not show. */
export function isOpen(part: Part, engine: PolicyEngine): boolean {
  const uncertain = uncertainPeers(engine);
  return (
    part.unknowns.length > 0 ||
    (part.peers ?? []).some((peer) => whyOpen(peer, engine, uncertain).length > 0) ||
    part.ports.some(({ name, protocol }) => name !== '' && engine.portsNamed(name, protocol) === undefined)
  );
}

const UNCERTAIN = new WeakMap<PolicyEngine, readonly Identity[]>();

/** Identities that may have more labels than are known. */
function uncertainPeers(engine: PolicyEngine): readonly Identity[] {
  const known = UNCERTAIN.get(engine);
  if (known) return known;
  const found = [...engine.identities.all.values()].filter(({ gap }) => gap !== undefined);
  UNCERTAIN.set(engine, found);
  return found;
}

function whyOpen(peer: Selector, engine: PolicyEngine, uncertain: readonly Identity[]): string[] {
  if (peer.kind === 'fqdn' && engine.selectors.resolve(peer).ids.length === 0)
    return ['the addresses of DNS names are not known before pods have asked for them'];
  const inside = peer.kind === 'cidr' && peer.insiders;
  if (peer.kind !== 'labels' && !inside) return [];
  const asked =
    inside || (peer.kind === 'labels' && peer.within) ? engine.identities.all.values() : uncertain;
  for (const identity of asked) {
    const selected = selectsOrWhy(peer, identity);
    if (typeof selected === 'string') return [selected];
  }
  return [];
}

function unknownPorts({ ports, direction }: Part, subject: Identity, engine: PolicyEngine): string[] {
  return ports.flatMap(({ name, protocol }) =>
    name !== '' &&
    engine.portsNamed(name, protocol, direction === 'ingress' ? subject : undefined) === undefined
      ? [`the port named ${name} is not known`]
      : [],
  );
}
