import { expect, test } from '@jest/globals';
import { compile, loadSchema } from '../../../src/policy/read/crd-schema.ts';
import { readDocuments } from '../../../src/policy/read/documents.ts';
import { doubledKeys } from '../../../src/policy/read/json-text.ts';
import { fitsOf } from '../../../src/policy/read/schema-fits.ts';
import fc from '../../helpers/properties.ts';

const SPECS = [
  {
    description: 'any',
    endpointSelector: {
      matchLabels: { app: 'a' },
      matchExpressions: [{ key: 'b', operator: 'In', values: ['c'] }],
    },
    ingress: [
      {
        fromEndpoints: [{ matchLabels: { 'k8s:app': 'b' } }, {}],
        toPorts: [
          {
            ports: [
              { port: '80', protocol: 'TCP' },
              { port: 'http', endPort: 0 },
            ],
            rules: { http: [{ method: 'GET', path: '/', headerMatches: [{ name: 'x', mismatch: 'LOG' }] }] },
          },
        ],
      },
      { fromCIDR: ['10.0.0.0/8'], icmps: [{ fields: [{ type: 8, family: 'IPv4' }, { type: 'Echo' }] }] },
      { fromCIDRSet: [{ cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] }, { cidrGroupRef: 'group' }] },
    ],
    egress: [
      { toFQDNs: [{ matchName: 'a.example' }, { matchPattern: '*.example' }] },
      {
        toEntities: ['world'],
        toPorts: [{ ports: [{ port: '53' }], rules: { dns: [{ matchPattern: '*' }] } }],
      },
      { toServices: [{ k8sService: { serviceName: 'db', namespace: 'shop' } }] },
    ],
    enableDefaultDeny: { ingress: true },
    labels: [{ key: 'a', source: 'b', value: 'c' }],
  },
  { nodeSelector: {}, ingressDeny: [{ fromEntities: ['all'] }], log: { value: 'x' } },
];

/** Put in place of something. */
const OTHERS = [
  null,
  '',
  'x',
  'ü',
  'a'.repeat(64),
  'a'.repeat(300),
  '\u{1f600}'.repeat(40),
  '10.0.0.0/33',
  '10.0.0.0/8',
  '*.a',
  'TCP',
  '65536',
  0,
  -1,
  65_536,
  1.5,
  true,
  [],
  {},
  [null],
  ['a', 'a'],
  { matchLabels: { a: null } },
  { cidr: '10.0.0.0/8', cidrGroupRef: 'both' },
];

/** All places in a value. */
function* placesIn(value: unknown): Generator<{ owner: Record<string, unknown>; key: string }> {
  if (typeof value !== 'object' || value === null) return;
  const owner = value as Record<string, unknown>;
  for (const key of Object.keys(owner)) {
    yield { owner, key };
    yield* placesIn(owner[key]);
  }
}

const changed = fc
  .tuple(
    fc.nat(SPECS.length - 1),
    fc.array(fc.tuple(fc.nat(), fc.nat(OTHERS.length), fc.constantFrom('', 'cidr', 'endPort', 'new')), {
      maxLength: 3,
    }),
  )
  .map(([which, changes]) => {
    const spec = structuredClone(SPECS[which] ?? {});
    for (const [place, other, added] of changes) {
      const places = [...placesIn(spec)];
      const { owner, key } = places[place % places.length] ?? { owner: {}, key: '' };
      const into = owner[key];
      if (added && typeof into === 'object' && into !== null && !Array.isArray(into))
        (into as Record<string, unknown>)[added] = structuredClone(OTHERS[other]);
      else if (other === OTHERS.length && !Array.isArray(owner)) delete owner[key];
      else owner[key] = structuredClone(OTHERS[other]) ?? null;
    }
    return spec;
  });

test.each(['1.18', '1.19', '1.20'] as const)(
  'what fits the schema of %s for sure is what ajv takes',
  async (release) => {
    const fits = fitsOf(await loadSchema(release));
    const complain = await compile(release);
    for (const spec of SPECS) expect([fits(spec), complain(spec)]).toEqual([true, []]);
    const seen = { fits: 0, unsure: 0, wrong: 0 };
    fc.assert(
      fc.property(changed, (spec) => {
        const complaints = complain(spec);
        if (fits(spec)) {
          seen.fits++;
          expect(complaints).toEqual([]);
        } else if (complaints.length === 0) seen.unsure++;
        else seen.wrong++;
      }),
      { numRuns: 4000 },
    );
    // Nulls alone leave it open.
    expect(seen.fits).toBeGreaterThan(seen.unsure);
    expect(seen.wrong).toBeGreaterThan(1000);
  },
);

test.each([
  ['{"a":1,"a":2}', ['a']],
  ['{"a":{"b":":","b:":1,"b":2}}', ['a/b']],
  ['[{"x":"\\":"},{"x":1,"x":{"x":1}}]', ['1/x']],
  ['{"\\u0061":1,"a":2}', ['a']],
  ['{"__proto__":1,"__proto__":2}', ['__proto__']],
  ['{"__proto__":{"a":1},"b":":\\\\"}', []],
])('doubled keys of %s', async (text, paths) => {
  expect(doubledKeys(text, JSON.parse(text)).map(({ path }) => path.join('/'))).toEqual(paths);
  expect(
    await readDocuments('a.yaml', text).then(
      () => [],
      () => ['refused'],
    ),
  ).toEqual(paths.length > 0 ? ['refused'] : []);
});
