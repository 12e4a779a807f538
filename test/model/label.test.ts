import { describe, expect, test } from '@jest/globals';
import { formatRange, parseRange } from '../../src/lib/address.ts';
import {
  cidrLabel,
  formatLabel,
  holdsLabels,
  labelsByKey,
  parseLabel,
  parseLabels,
  printableLabels,
  rangeOfLabel,
} from '../../src/model/label.ts';
import { accepts, compileSelector, termsOf } from '../../src/model/selector.ts';
import fc from '../helpers/properties.ts';

describe('labels', () => {
  test.each([
    ['k8s:app=web', 'k8s', 'app', 'web'],
    ['app=web', 'unspec', 'app', 'web'],
    ['app', 'unspec', 'app', ''],
    [':app=web', 'unspec', 'app', 'web'],
    ['$host', 'reserved', 'host', ''],
    ['reserved:host', 'reserved', 'host', ''],
    ['reserved.host', 'reserved', 'host', ''],
    ['reserved-host', 'unspec', 'reserved-host', ''],
    ['reserved:=host', 'reserved', 'host', ''],
    ['k8s:=host', 'k8s', '', 'host'],
    ['k8s:a=b=c', 'k8s', 'a', 'b=c'],
    ['k8s:a:b=c', 'k8s', 'a:b', 'c'],
    // As in the agent the first colon ends the source, wherever it stands.
    ['a=b:c', 'a=b', 'c', ''],
    ['', 'unspec', '', ''],
  ])('%s is %s, %s, %s', (text, source, key, value) => {
    expect(parseLabel(text)).toEqual({ source, key, value });
  });

  test('the source that is not written is the one that is asked for', () => {
    expect(parseLabels(['app', 'k8s:app', '$host'], 'any').map(({ source }) => source)).toEqual([
      'any',
      'k8s',
      'reserved',
    ]);
  });

  test('what is written is read again', () => {
    const word = fc.stringMatching(/^[a-z][-a-z0-9./]{0,20}$/);
    fc.assert(
      fc.property(word, word, fc.oneof(word, fc.constant('')), (source, key, value) => {
        expect(parseLabel(formatLabel({ source, key, value }))).toEqual({ source, key, value });
      }),
    );
    expect(formatLabel({ source: 'k8s', key: 'app', value: '' })).toBe('k8s:app');
  });

  test('wanted labels are held when each is there with its source, key and value', () => {
    const have = parseLabels(['k8s:app=web', 'k8s:tier', 'container:app=db']);
    const holds = (...wanted: string[]) => holdsLabels(have, parseLabels(wanted, 'any'));
    expect(holds()).toBe(true);
    expect(holds('app=web')).toBe(true);
    expect(holds('app=web', 'tier')).toBe(true);
    expect(holds('app=web', 'tier=x')).toBe(false);
    expect(holds('app')).toBe(false);
    expect(holds('container:app=web')).toBe(false);
    expect(holds('any:app=db')).toBe(true);
    expect(holds('web=app')).toBe(false);
  });

  test('of two labels with one key the later counts', () => {
    expect([...labelsByKey(['k8s:a=1', 'k8s:b', 'any:a=2', '=3']).values()].map(formatLabel)).toEqual([
      'any:a=2',
      'k8s:b',
    ]);
  });

  test('printable labels are sorted and show prefixes with colons', () => {
    expect(printableLabels(['reserved:world', 'cidr:fd00--/8', 'cidr:10.0.0.0', 'k8s:app=a-b'])).toEqual([
      'cidr:10.0.0.0',
      'cidr:fd00::/8',
      'k8s:app=a-b',
      'reserved:world',
    ]);
    expect(printableLabels(['k8s:fd00--/8'])).toEqual(['k8s:fd00--/8']);
  });

  test.each(['10.0.0.0/8', 'fd00::/8', '::/0', '2001:db8::1:0:0:1/128'])(
    'the label of %s names it',
    (text) => {
      const range = parseRange(text);
      const label = range && parseLabel(cidrLabel(range));
      expect(label).toMatchObject({ source: 'cidr', key: expect.not.stringContaining(':') });
      const named = label && rangeOfLabel(label.key);
      expect(named && formatRange(named)).toBe(text);
    },
  );
});

describe('selectors', () => {
  const LABELS = [
    'k8s:app=web',
    'k8s:env=prod',
    'reserved:host',
    'container:env=test',
    'k8s:size=10',
    'cidr:10.1.2.0/24',
  ];

  test.each([
    ['app=web', true],
    ['app==web', true],
    ['app = web', true],
    ['app=db', false],
    ['app!=web', false],
    ['app!=db', true],
    ['none!=x', true],
    ['app', true],
    ['!app', false],
    ['!none', true],
    ['none', false],
    ['none=', false],
    ['k8s:app=web', true],
    ['any:app=web', true],
    ['container:app=web', false],
    ['!container:app', true],
    ['reserved:host', true],
    ['app in (db, web)', true],
    ['app in (db)', false],
    ['app notin (db)', true],
    ['app notin (db, web)', false],
    ['app=web,env=prod', true],
    ['app=web,env=other', false],
    ['app in (web,db),env in (prod)', true],
    // Of the labels that one key and any source mean, the first counts.
    ['env=test', false],
    ['env!=test', true],
    ['container:env=test', true],
    ['container:env!=prod', true],
    ['', true],
    ['app in ()', false],
    ['reserved:host in ()', true],
    ['app in (web,)', true],
    ['size>9', true],
    ['size > 10', false],
    ['size<11', true],
    ['app>1', false],
    ['none<1', false],
    ['cidr:10.0.0.0/8', true],
    ['cidr:10.1.2.0/25', false],
    ['! app', false],
  ])('%s: %s', (text, expected) => {
    expect(compileSelector(text)?.(LABELS)).toBe(expected);
  });

  test.each([
    ...[
      ' ',
      'app=web,',
      ',app',
      'a b',
      'app in web',
      'app=(web)',
      '=web',
      'app=a=b',
      '!',
      '!app=web',
      'app!web',
    ],
    ...[
      'app>x',
      'app>',
      'app>=1',
      ':app',
      'a:b:c',
      'app=a:b',
      'app=-a',
      'app in (a b)',
      `app=${'x'.repeat(64)}`,
    ],
    ...['x'.repeat(60), 'A/b', 'a/b/c'],
  ])('"%s" is not a selector', (text) => expect(compileSelector(text)).toBeUndefined());

  test('the terms of a selector name the source, or any', () => {
    expect(
      termsOf({
        matchLabels: { 'k8s:app': 'web', ':tier': 'x', env: '' },
        matchExpressions: [{ key: 'reserved:host', operator: 'Exists' }],
      }),
    ).toEqual([
      { source: 'k8s', name: 'app', operator: 'In', values: ['web'] },
      { source: 'any', name: 'tier', operator: 'In', values: ['x'] },
      { source: 'any', name: 'env', operator: 'In', values: [''] },
      { source: 'reserved', name: 'host', operator: 'Exists', values: [] },
    ]);
    expect(termsOf({})).toEqual([]);
  });

  test.each([
    ['In', 'a', true],
    ['In', 'b', false],
    ['In', undefined, false],
    ['NotIn', 'a', false],
    ['NotIn', 'b', true],
    ['NotIn', undefined, true],
    ['Exists', '', true],
    ['Exists', undefined, false],
    ['DoesNotExist', 'a', false],
    ['DoesNotExist', undefined, true],
  ] as const)('%s a, with the value %s: %s', (operator, value, expected) => {
    expect(accepts({ source: 'any', name: 'x', operator, values: ['a'] }, value)).toBe(expected);
  });
});
