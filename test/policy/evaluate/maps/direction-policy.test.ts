import { describe, expect, test } from '@jest/globals';
import { PolicyEngine } from '../../../../src/policy/evaluate/decide/engine.ts';
import { covers, type PeerPolicy } from '../../../../src/policy/evaluate/maps/direction-policy.ts';
import { Identities, identityOf } from '../../../../src/policy/evaluate/selectors/identities.ts';
import { SelectorCache } from '../../../../src/policy/evaluate/selectors/selection.ts';
import { WILDCARD } from '../../../../src/policy/evaluate/selectors/selector.ts';
import type { IngressRule, Listener } from '../../../../src/policy/rule.ts';
import { ruleOf } from '../../helpers.ts';

const WEB = identityOf(1000, ['k8s:app=web']);
const API = identityOf(1001, ['k8s:app=api']);

/** What the rules together say about the web pods on port 80 of the API. */
function peerOf(...rules: IngressRule[]): PeerPolicy | undefined {
  const engine = new PolicyEngine([WEB, API], []).addAll(
    rules.map((ingress, i) =>
      ruleOf(
        { endpointSelector: {}, ingress: [ingress], enableDefaultDeny: { ingress: true, egress: false } },
        i,
      ),
    ),
  );
  const { filters } = engine.policyOf(API).ingress;
  expect(filters).toHaveLength(1);
  const [peer, ...others] = filters[0]?.peers.values() ?? [];
  expect(others).toEqual([]);
  return peer;
}

function through(name: string, priority?: number): IngressRule {
  const listener: Listener = { envoyConfig: { name: 'proxies' }, name, ...(priority && { priority }) };
  return {
    fromEndpoints: [{ matchLabels: { 'any:app': 'web' } }],
    toPorts: [{ ports: [{ port: '80', protocol: 'TCP' }], ...(name && { listener }) }],
  };
}

describe('of two rules for the same peers', () => {
  test.each([
    [through('first', 5), through('second', 9), 'proxies/first'],
    [through('first', 9), through('second', 5), 'proxies/second'],
    [through('first', 5), through('second', 5), 'proxies/first'],
    [through('first'), through('second', 100), 'proxies/second'],
    [through('first', 100), through('second'), 'proxies/first'],
    [through(''), through('second'), 'proxies/second'],
    [through('first'), through(''), 'proxies/first'],
  ])('%j and %j: the listener is %s', (one, two, listener) => {
    expect(peerOf(one, two)).toMatchObject({ listener, redirect: true, deny: false });
  });

  test('both count as the origin of a denial', () => {
    const deny = { fromEndpoints: [{}] };
    const engine = new PolicyEngine([WEB, API], []).addAll(
      [0, 1].map((i) =>
        ruleOf(
          { endpointSelector: {}, ingressDeny: [deny], enableDefaultDeny: { ingress: true, egress: false } },
          i,
        ),
      ),
    );
    const peers = engine.policyOf(API).ingress.filters.flatMap((filter) => [...filter.peers.values()]);
    expect(peers.map(({ deny: denied, parts }) => [denied, parts.length])).toEqual([[true, 2]]);
  });

  test('both count as the origin', () => {
    expect(peerOf(through('a'), through('b'))?.parts.map(({ rule }) => rule.source.origin.name)).toEqual([
      'rule-0',
      'rule-1',
    ]);
  });
});

describe('a peer needs no entry beside the one for everybody', () => {
  const selection = new SelectorCache(new Identities([])).resolve(WILDCARD);
  const plain = { deny: false, pass: false, redirect: false, listener: '', priority: 0, auth: undefined };
  const peer: PeerPolicy = { selection, ...plain, parts: [] };
  const proxied = { ...peer, redirect: true };

  test.each<[string, PeerPolicy, PeerPolicy, boolean]>([
    ['when both allow', peer, peer, true],
    ['when everybody is denied', { ...peer, deny: true }, peer, true],
    ['when both are denied', { ...peer, deny: true }, { ...peer, deny: true }, true],
    ['unless it is denied', peer, { ...peer, deny: true }, false],
    ['unless it authenticates', peer, { ...peer, auth: 1 }, false],
    ['when both authenticate in the same way', { ...peer, auth: 1 }, { ...peer, auth: 1 }, true],
    ['when it does not state authentication', { ...peer, auth: 1 }, peer, true],
    ['unless it passes the proxy', peer, proxied, false],
    ['when everybody passes the proxy', proxied, peer, true],
    ['when both pass the same proxy', proxied, proxied, true],
    [
      'unless it passes another listener',
      { ...proxied, listener: 'a' },
      { ...proxied, listener: 'b' },
      false,
    ],
  ])('%s', (_, everybody, one, expected) => {
    expect(covers(everybody, one)).toBe(expected);
  });
});
