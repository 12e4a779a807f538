import { describe, expect, test } from '@jest/globals';
import { PolicyEngine } from '../../../../src/policy/evaluate/decide/engine.ts';
import type { Settings } from '../../../../src/policy/evaluate/decide/settings.ts';
import type { PartLevel } from '../../../../src/policy/evaluate/maps/direction-policy.ts';
import { prioritiesOf } from '../../../../src/policy/evaluate/maps/priorities.ts';
import { identityOf } from '../../../../src/policy/evaluate/selectors/identities.ts';
import type { Order, Rule } from '../../../../src/policy/rule.ts';
import { entriesText, ruleOf } from '../../helpers.ts';

/** `100:5` is a level of a tier, `100:5!` one that passes. */
function levelsOf(text: string): PartLevel[] {
  return text
    .split(' ')
    .filter(Boolean)
    .map((each) => {
      const [tier = 0, priority = 0] = each.replace('!', '').split(':').map(Number);
      return { tier, priority, parts: [{ pass: each.endsWith('!') }] as unknown as PartLevel['parts'] };
    });
}

describe('the priorities of levels', () => {
  test.each<[string, boolean, number[], number]>([
    ['200:0', false, [0], 10],
    ['200:0', true, [0], 10],
    ['100:1 200:0', false, [0, 10], 20],
    ['100:1 100:1.01 100:7 200:0 250:0 250:9', true, [0, 1, 2, 10, 20, 21], 30],
    [
      Array.from({ length: 11 }, (_, i) => `100:${i}`)
        .join(' ')
        .concat(' 200:0'),
      true,
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20],
      30,
    ],
    // Behind a pass there is room for the normal tier, which has 20: its own 10 and those of default allow or deny.
    ['100:1! 100:2 200:0', true, [0, 21, 30], 40],
    ['100:1! 100:2! 100:3 200:0', true, [0, 21, 42, 50], 60],
    ['250:1! 250:2', true, [0, 11], 20],
    ['100:1! 250:1! 250:2', true, [0, 40, 51], 60],
  ])('%s (default tier: %s)', (text, defaults, levels, last) => {
    expect(prioritiesOf(levelsOf(text), defaults)).toMatchObject({ levels, defaults: last });
  });
});

describe('entries of several tiers', () => {
  const IDENTITIES = [
    identityOf(1, ['reserved:host']),
    identityOf(1000, ['k8s:app=web', 'k8s:io.cilium.k8s.policy.cluster=lab']),
    identityOf(1001, ['k8s:app=api', 'k8s:io.cilium.k8s.policy.cluster=lab']),
  ];
  const rule = (section: string, app: string, order?: Order): Rule => ({
    endpointSelector: { matchLabels: { 'k8s:app': 'web' } },
    [section]: [{ fromEndpoints: [app === '' ? {} : { matchLabels: { 'k8s:app': app } }] }],
    enableDefaultDeny: { ingress: !order, egress: false },
    ...(order && { order }),
  });
  const mapOf = (rules: Rule[], settings: Partial<Settings> = {}) => {
    const engine = new PolicyEngine(IDENTITIES, [{ id: 1, identity: 1000 }], {
      release: '1.20',
      ...settings,
    });
    const entries = engine.addAll(rules.map(ruleOf)).entriesOf({ id: 1, identity: 1000 });
    return entriesText(
      entries.filter(({ direction, identity }) => direction === 'ingress' && [0, 1, 1001].includes(identity)),
    );
  };
  const line = (identity: number, priority: number, byte: number) =>
    `ingress identity ${identity} protocol 0 port 0/0${byte === 255 ? ' deny' : ''} auth 0 precedence ${((0xffffff - priority) * 256 + byte).toString(16)}`;

  test('deny in front, default allow behind', () => {
    expect(mapOf([rule('ingressDeny', 'api', { tier: 'Baseline', priority: 4 })])).toEqual([
      line(0, 10, 1),
      line(1001, 0, 255),
    ]);
  });

  test('what is passed is written right below the rule that passes', () => {
    const pass = rule('ingress', 'api', { tier: 'Admin', priority: 1, pass: true });
    const deny = rule('ingressDeny', '', { tier: 'Admin', priority: 2 });
    expect(mapOf([pass, deny, rule('ingress', 'api')])).toEqual([line(0, 21, 255), line(1001, 1, 1)]);
  });

  test('default deny and the allow of the own node are explicit where a rule passes', () => {
    const pass = rule('ingress', 'api', { tier: 'Admin', priority: 1, pass: true });
    expect(mapOf([pass, rule('ingress', 'web')], { allowLocalhost: true })).toEqual([
      line(0, 41, 255),
      line(1, 40, 1),
      line(1001, 12, 255),
    ]);
  });
});
