import { expect, test } from '@jest/globals';
import * as yaml from 'yaml';
import { stringify } from 'yaml';
import { parsePlainYaml } from '../../../src/policy/read/plain-yaml.ts';
import { parseFullYaml } from '../../../src/policy/read/yaml-documents.ts';
import fc from '../../helpers/properties.ts';

/** What the parser proper reads; undefined when it finds something to say. */
function proper(text: string): unknown[] | undefined {
  const { documents, findings } = parseFullYaml('p.yaml', text, yaml);
  return findings.length > 0 ? undefined : documents.map(({ value }) => value);
}

function agrees(text: string): boolean {
  const plain = parsePlainYaml(text);
  if (plain === undefined) return true;
  expect({ text, value: plain.filter((value) => value !== null) }).toEqual({ text, value: proper(text) });
  return true;
}

const scalar = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.constantFrom(
    '80',
    '1e3',
    '0x10',
    '010',
    '1_000',
    '1_0',
    '0o7',
    '017',
    '08',
    '1.10',
    '-0b1',
    '.inf',
    '18446744073709551616',
    'true',
    'yes',
    'n',
    'Off',
    'oN',
    'null',
    '~',
    '-',
    '- a',
    'a: b',
    'a #b',
    '.5',
    '+1',
    '',
  ),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const key = fc.oneof(
  fc.constantFrom('app', 'k8s:app', 'a.b/c-d', 'matchLabels', 'true', '1', 'null', '', 'y', 'on', 'No', '<<'),
  fc.string({ maxLength: 5 }),
);
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.array(tie('any'), { maxLength: 3 }),
    fc.dictionary(key, tie('any'), { maxKeys: 3 }),
  ),
})).any;

/** Quotes around words and numbers of YAML 1.1 are what their authors forget. */
function unquoted(text: string): string {
  return text.replace(/"([\w.+]{1,5})"/g, '$1');
}

test('what it reads of a written document is what the parser proper reads', () => {
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 3 }), fc.boolean(), (documents, indentSeq) =>
      agrees(documents.map((one) => `---\n${unquoted(stringify(one, { indentSeq }))}`).join('')),
    ),
    { numRuns: 500 },
  );
});

test('so it does of any text', () => {
  const word = fc.constantFrom(
    'a',
    '- ',
    ': ',
    ':',
    '\n',
    '  ',
    '"',
    "'",
    '#',
    ' #',
    '{}',
    '[]',
    '[',
    '---\n',
    '~',
    '1',
    '|',
    '&x ',
    'b: ',
    'y',
    'off',
    '0x1F',
    '1_0',
    '<<',
    '\n  - ',
    '\n- ',
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 14 }), (words) => agrees(words.join(''))),
    { numRuns: 5000 },
  );
});

test('it reads manifests, and leaves what it does not know', () => {
  const text = 'a: # why\n  - b: "c"\n    d: e # f\n  -\n    g: \'h\'\n---\nlist:\n- 1\n- {}\n';
  expect(parsePlainYaml(text)).toEqual([{ a: [{ b: 'c', d: 'e' }, { g: 'h' }] }, { list: [1, {}] }]);
  for (const other of [
    'a: [1]',
    'a: |\n  b',
    'a: &x b',
    'a: b\n  c',
    'a: 1\na: 2',
    'a:\tb',
    '? a',
    'a: "\\x41"',
    'y: a',
    'off: a',
    '<<: a',
    'a: .inf',
  ])
    expect(parsePlainYaml(other)).toBeUndefined();
});
