import { describe, expect, test } from '@jest/globals';
import { diffRules, renderRuleDiff } from '../../../src/render/policy/rule-diff.ts';
import { diffLines, nearChanges } from '../../../src/render/text/line-diff.ts';
import { NO_COLOR } from '../../../src/render/text/palette.ts';
import fc from '../../helpers/properties.ts';

describe('a diff of lines', () => {
  const lines = fc.array(fc.constantFrom('a', 'b', 'c', '{', '}'), { maxLength: 30 });

  test('holds both texts', () => {
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const diff = diffLines(before, after);
        const side = (mark: string) => diff.filter((line) => line.mark !== mark).map(({ text }) => text);
        expect(side('+')).toEqual(before);
        expect(side('-')).toEqual(after);
      }),
    );
  });

  test('says nothing of what is far from a change', () => {
    const before = Array.from({ length: 20 }, (_, i) => String(i));
    const diff = nearChanges(diffLines(before, before.with(9, 'new').with(19, 'last')), 1);
    expect(diff.map((line) => (line ? line.mark + line.text : '…'))).toEqual([
      '…',
      ' 8',
      '-9',
      '+new',
      ' 10',
      '…',
      ' 18',
      '-19',
      '+last',
    ]);
  });
});

test('a rule that comes in the place of one with the same labels shows what changed in it', () => {
  const rule = (name: string, entity: string) => ({
    endpointSelector: { matchLabels: { app: 'a', b: 'c' } },
    ingress: [{ fromEntities: [entity] }],
    labels: [{ key: 'name', value: name, source: 'k8s' }],
  });
  const before = [rule('one', 'host'), rule('two', 'host')];
  const text = renderRuleDiff(diffRules(before, [rule('one', 'world'), rule('three', 'host')]), NO_COLOR);
  expect(text).toContain(`~ rule k8s:name=one: changed
  …
      {
        "fromEntities": [
-         "host"
+         "world"
        ]
      }
  …
`);
  expect(text).toContain('-       "value": "two",');
  expect(text).toContain('+       "value": "three",');
  expect(text).toMatch(/\n2 rules added, 2 removed, 0 unchanged\n$/);
});

test('each rule stands below its kind and name, and what is asked for and there already is named', () => {
  const of = (name: string, entity: string) => ({
    endpointSelector: {},
    ingress: [{ fromEntities: [entity] }],
    labels: [
      { key: 'io.cilium.k8s.policy.derived-from', value: 'CiliumNetworkPolicy', source: 'k8s' },
      { key: 'io.cilium.k8s.policy.namespace', value: 'shop', source: 'k8s' },
      { key: 'io.cilium.k8s.policy.name', value: name, source: 'k8s' },
    ],
  });
  const bare = { endpointSelector: {} };
  const [kept, gone, same] = [of('kept', 'host'), of('gone', 'host'), of('same', 'host')];
  const asked = [same, of('fresh', 'world'), bare];
  const heads = (before: object[], after: object[]) =>
    renderRuleDiff(diffRules(before, after), NO_COLOR, asked)
      .split('\n')
      .filter((line) => /^[-+=~] [A-Zr]|^\d/.test(line));
  expect(heads([kept, gone, same], [kept, ...asked])).toEqual([
    '= CiliumNetworkPolicy shop/same: unchanged',
    '- CiliumNetworkPolicy shop/gone: removed',
    '+ CiliumNetworkPolicy shop/fresh: new',
    '+ rule without labels: new',
    '2 rules added, 1 removed, 2 unchanged',
  ]);
  expect(heads([kept, same], [kept, same, same])).toEqual([
    '= CiliumNetworkPolicy shop/same: unchanged, and there twice without --replace',
    '1 rule added, of which 1 there already, 0 removed, 2 unchanged',
  ]);
});
