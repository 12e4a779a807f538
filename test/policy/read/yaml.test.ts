import { describe, expect, test } from '@jest/globals';
import * as yaml from 'yaml';
import { stringify } from 'yaml';
import { parseFile } from '../../../src/policy/read/documents.ts';
import { parsePolicies } from '../../../src/policy/read/policies.ts';
import { parseFullYaml } from '../../../src/policy/read/yaml-documents.ts';
import fc from '../../helpers/properties.ts';
import { fixture } from '../../helpers/recordings.ts';

interface Reading {
  text: string;
  value?: unknown;
  error?: string;
}

async function read(text: string) {
  const { documents, findings } = await parseFile('p.yaml', text);
  const errors = findings.filter(({ severity }) => severity === 'error');
  return { values: documents.map(({ value }) => value), errors, findings };
}

test.each(fixture<Reading[]>('kubectl-yaml.json').map((each) => [each.text, each] as const))(
  'kubectl and we read the same: %j',
  async (text, { value, error }) => {
    const { values, errors } = await read(text);
    if (error !== undefined) expect(errors.map(({ message }) => message)).toHaveLength(1);
    else expect({ values, errors }).toEqual({ values: [value], errors: [] });
  },
);

describe('every document is read or is an error', () => {
  test.each([
    [
      'an alias of nothing',
      'a: *everything\n',
      'malformed policy, not YAML? the alias *everything stands for nothing',
    ],
    [
      'an alias inside of what it stands for',
      'a: &x [*x]\n',
      'malformed policy, not YAML? the alias *x stands inside of what it stands for',
    ],
    [
      'an anchor of another document',
      'a: &x b\n---\na: *x\n',
      'malformed policy, not YAML? the alias *x stands for nothing',
    ],
    ['a merge of a word', 'a: {<<: b}\n', 'malformed policy, not YAML? "<<" merges objects only'],
    [
      'a name that is null',
      '~: a\n',
      'malformed policy, not YAML? the name of a field must be a string, found ~',
    ],
  ])('%s', async (_, text, message) => {
    const { errors } = await read(`good: 1\n---\n${text}---\nlast: 2\n`);
    expect(errors.map((each) => each.message)).toEqual([message]);
  });

  test('as many come out as go in, whatever is wrong with some', async () => {
    const document = fc.constantFrom(
      'a: b',
      'a: *x',
      'a: &x [*x]',
      'a: &x {b: c}\nd: {<<: *x}',
      '<<: 1',
      '? [a]\n: b',
      '{a: b',
      'a: "b',
      'a: !!int b',
      'a: .inf',
      'a: [1, 2]',
      '- a',
      '~: 1',
      'a: b\na: c',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(document, { minLength: 1, maxLength: 5 }), async (texts) => {
        const { values, errors } = await read(texts.map((text) => `---\n${text}\n`).join(''));
        const parted = new Set(errors.map(({ position }) => position.line));
        // Quotes or brackets that are not closed may take the rest of the file with them.
        if (texts.some((text) => text.endsWith('"b') || text === '{a: b')) expect(errors).not.toEqual([]);
        else expect(values.length + parted.size).toBeGreaterThanOrEqual(texts.length);
      }),
      { numRuns: 300 },
    );
  });

  test('many aliases of one value are read', async () => {
    const text = `- &p {fromEndpoints: [{matchLabels: {a: b}}]}\n${'- *p\n'.repeat(5000)}`;
    const { values, errors } = await read(text);
    expect(errors).toEqual([]);
    expect(values[0]).toHaveLength(5001);
  });

  test('aliases that multiply are refused, at once', async () => {
    const levels = Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(10)}]`);
    const { values, errors } = await read(`a0: &a0 x\n${levels.join('\n')}\n`);
    expect(values).toEqual([]);
    expect(errors.map(({ message }) => message)).toEqual([
      'malformed policy, not YAML? the document has too many aliases',
    ]);
  });

  test('so many aliases that they take long are refused, also where each stands for little', async () => {
    const text = (count: number) =>
      `- &p {fromEndpoints: [{matchLabels: {a: b}}]}\n${'- *p\n'.repeat(count)}`;
    expect((await read(text(20_000))).errors).toEqual([]);
    const { values, errors } = await read(text(20_001));
    expect(values).toEqual([]);
    expect(errors.map(({ message }) => message)).toEqual([
      'malformed policy, not YAML? the document has more than 20000 aliases',
    ]);
  });

  test('what is nested deeper than the stack is an error', async () => {
    for (const text of [`a: ${'['.repeat(30_000)}${']'.repeat(30_000)}`, `${'- '.repeat(30_000)}a`])
      expect((await read(text)).errors.map(({ message }) => message)).toEqual([
        'malformed policy: its parts are nested too deeply to be read',
      ]);
  });
});

describe('a merge', () => {
  test('a value that was merged is pointed at where it is written', async () => {
    const text = `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: merge, namespace: d}
spec:
  endpointSelector: {}
  ingress:
    - &base
      fromEntities: [host]
      toPorts: [{ports: [{port: "a b", protocol: TCP}]}]
    - <<: *base
      fromEntities: [cluster]
`;
    const { findings, rules } = await parsePolicies([{ file: 'p.yaml', text }]);
    expect(findings.map(({ position, path }) => [position.line, ...path.slice(-3)])).toEqual([
      [9, 'ports', 0, 'port'],
      [9, 'ports', 0, 'port'],
    ]);
    expect(rules[0]?.rule.ingress?.map(({ fromEntities }) => fromEntities)).toEqual([['host'], ['cluster']]);
  });

  test('that comes after a field overrides it, with a warning', async () => {
    const { values, findings } = await read('x: &x {a: 1}\nz:\n  a: 2\n  <<: *x\n');
    expect(values).toEqual([{ x: { a: 1 }, z: { a: 1 } }]);
    expect(findings).toMatchObject([
      { severity: 'warning', code: 'merge', position: { line: 4, column: 3 } },
    ]);
  });

  test('what it gives is what the object would say without it', async () => {
    const fields = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.integer(), { maxKeys: 3 });
    await fc.assert(
      fc.asyncProperty(fc.array(fields, { minLength: 1, maxLength: 3 }), fields, async (merged, own) => {
        const anchors = merged.map((each, i) => `m${i}: &m${i} ${JSON.stringify(each)}`).join('\n');
        const list = merged.map((_, i) => `*m${i}`).join(', ');
        const { values } = await read(
          `${anchors}\nz: {<<: [${list}], ${JSON.stringify(own).slice(1, -1)}}\n`,
        );
        const z = (values[0] as { z: unknown }).z;
        expect(z).toEqual(Object.assign({}, ...merged.toReversed(), own));
      }),
    );
  });
});

describe('what is no string without quotes', () => {
  const policy = (labels: string) => `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: access, namespace: d}
spec:
  podSelector: {matchLabels: {run: nginx}}
  ingress:
  - from:
    - podSelector:
        matchLabels:
          ${labels}
`;
  const WORDS = ['yes', 'Yes', 'YES', 'y', 'Y', 'no', 'n', 'N', 'on', 'ON', 'off', 'Off', 'true', 'False'];
  const NUMBERS = ['1_000', '0x1F', '0o17', '017', '1.10', '1e3', '.5', '+1', '0b11', '8080', '1_0.5'];

  test.each([...WORDS, ...NUMBERS])('%s is quoted in the advice as it is written', async (word) => {
    for (const [labels, line] of [
      [`access: ${word}`, 10],
      [`{access: ${word}}`, 10],
      [`<<: {access: ${word}} # why`, 10],
    ] as const) {
      const { findings } = await parsePolicies([{ file: 'p.yaml', text: policy(labels) }]);
      expect(findings).toMatchObject([{ severity: 'error', code: 'type', position: { line } }]);
      expect(findings[0]?.message).toMatch(/^expected a string, found a (boolean|number)$/);
      expect(findings[0]?.hint).toMatch(`Write it in quotes: "${word}".`);
    }
  });

  test.each(['yES', 'oN', '1:30', '2001-01-01', '1.2.3', '1_a', '1e400', '"yes"', "'1_000'", '!!str on'])(
    '%s is a string',
    async (word) => {
      const { findings } = await parsePolicies([{ file: 'p.yaml', text: policy(`access: ${word}`) }]);
      expect(findings.filter(({ code }) => code === 'type')).toEqual([]);
    },
  );

  test('names of fields become strings, with a warning', async () => {
    const { values, findings } = await read('a: {on: x, 0x1F: z, 80: b}\n');
    expect(values).toEqual([{ a: { true: 'x', 31: 'z', 80: 'b' } }]);
    expect(findings.map(({ severity, message, hint }) => [severity, message, hint])).toEqual([
      ['warning', 'the name on is read as "true"', 'Write it in quotes: "on".'],
      ['warning', 'the name 0x1F is read as "31"', 'Write it in quotes: "0x1F".'],
    ]);
  });

  test('labels and annotations of the object are strings too', async () => {
    const text = `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
  name: a
  namespace: on
  labels: {team: 12e3}
  annotations: {x: yes}
spec:
  endpointSelector: {}
  ingress: [{}]
`;
    const { findings } = await parsePolicies([{ file: 'p.yaml', text }]);
    expect(findings.map(({ position, hint }) => [position.line, hint])).toEqual([
      [5, 'on is true without quotes. Write it in quotes: "on".'],
      [6, '12e3 is 12000 without quotes. Write it in quotes: "12e3".'],
      [7, 'yes is true without quotes. Write it in quotes: "yes".'],
    ]);
  });

  test('in JSON as well', async () => {
    const text = '[{"endpointSelector": {"matchLabels": {"a": 1.10}}, "ingress": [{}]}]';
    const { findings } = await parsePolicies([{ file: 'p.json', text }]);
    expect(findings.map(({ hint }) => hint)).toEqual([
      '1.10 is 1.1 without quotes. Write it in quotes: "1.10".',
    ]);
  });
});

test.each(['p.yaml', 'p.json'])('%s: `__proto__` is a field like any other', async (file) => {
  const text = '{"__proto__": {"a": 1}, "endpointSelector": {}, "ingress": [{}]}';
  const { findings } = await parsePolicies([{ file, text }]);
  expect(findings.map(({ message }) => message)).toEqual(['unknown field "__proto__"']);
  expect(findings[0]?.hint).toMatch(/^Fields of a rule: /);
});

test('what a writer writes is read back', () => {
  // The writer does not know all numbers that Go reads, such as 0X0, and leaves them without quotes.
  const word = fc.string({ maxLength: 6 }).filter((text) => !/^[-+.\d]/.test(text));
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 4 },
      word,
      fc.constantFrom('yes', 'n', '0x1F', '1_000', '<<', '.inf', '~', '12', '-1.5', '1e3'),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('any'), { maxLength: 3 }),
      fc.dictionary(word, tie('any'), { maxKeys: 3 }),
    ),
  })).any;
  fc.assert(
    fc.property(value, (one) => {
      // Written for YAML 1.1, so that its words are in quotes.
      const { documents, findings } = parseFullYaml('p.yaml', stringify(one, { version: '1.1' }), yaml);
      expect(findings).toEqual([]);
      expect(documents.map((each) => each.value)).toEqual(one === null ? [] : [one]);
    }),
    { numRuns: 300 },
  );
});
