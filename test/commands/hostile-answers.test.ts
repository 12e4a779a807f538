import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from '../helpers/properties.ts';
import { close, listen } from '../helpers/replay.ts';
import { run } from '../helpers/run.ts';

interface Schema {
  $ref?: string;
  type?: string;
  enum?: string[];
  items?: Schema;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema;
}
interface Description {
  definitions: Record<string, Schema>;
  paths: Record<string, Record<string, { responses: Record<string, Schema | null> }>>;
}

const description = JSON.parse(
  readFileSync(new URL('../../schemas/agent-api.json', import.meta.url), 'utf8'),
) as Description;

/** What text may look like: names, control bytes, things that other parsers choke on. */
const text = fc.oneof(
  { weight: 6, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      '',
      'k8s:app=web',
      '10.0.0.1',
      '10.0.0.0/8',
      'fd00::1/128',
      'cidr:fd00--/64',
      '2026-11-22T08:03:30.809Z',
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '\u001b[2J',
      '\u009b31m',
      '\r',
      '\t',
      '\n',
      '\0',
      '__proto__',
      'constructor',
      '\u202e',
      'a\tb\nc',
    ),
  },
);

/** A body as the description has it; fields may be missing or null, as Go writes them. */
function bodyOf(schema: Schema | null, depth = 0): fc.Arbitrary<unknown> {
  if (!schema) return fc.constant(undefined);
  if (schema.$ref) return bodyOf(description.definitions[schema.$ref.split('/').at(-1) ?? ''] ?? {}, depth);
  if (depth > 8) return fc.constant(null);
  if (schema.enum) return fc.oneof(fc.constantFrom(...schema.enum), text);
  switch (schema.type) {
    case 'string':
      return text;
    case 'integer':
      return fc.oneof(fc.integer({ min: 0, max: 70_000 }), fc.maxSafeInteger());
    case 'number':
      return fc.double({ noNaN: true, noDefaultInfinity: true });
    case 'boolean':
      return fc.boolean();
    case 'array':
      return fc.oneof(
        { weight: 1, arbitrary: fc.constant(null) },
        {
          weight: 6,
          arbitrary: fc.array(
            fc.oneof(
              { weight: 9, arbitrary: bodyOf(schema.items ?? {}, depth + 1) },
              { weight: 1, arbitrary: fc.constant(null) },
            ),
            { maxLength: 4 },
          ),
        },
      );
    default:
      return schema.properties
        ? objectOf(schema.properties, depth)
        : mapOf(schema.additionalProperties, depth);
  }
}

function objectOf(properties: Record<string, Schema>, depth: number): fc.Arbitrary<unknown> {
  const fields = Object.fromEntries(
    Object.entries(properties).map(([name, field]) => [
      name,
      fc.oneof(
        { weight: 8, arbitrary: bodyOf(field, depth + 1) },
        { weight: 1, arbitrary: fc.constant(null) },
      ),
    ]),
  );
  return fc.record(fields, { requiredKeys: [] });
}

function mapOf(schema: Schema | undefined, depth: number): fc.Arbitrary<unknown> {
  return fc.dictionary(text, bodyOf(schema ?? { type: 'string' }, depth + 1), { maxKeys: 4 });
}

/** Somewhere in a body stands something else than the description says. */
const mutated = (body: fc.Arbitrary<unknown>) =>
  fc
    .tuple(
      body,
      fc.nat(),
      fc.oneof(fc.jsonValue({ maxDepth: 2 }), text, fc.constant(1e300), fc.constant(-0.5)),
    )
    .map(([value, at, other]) => {
      const copy = structuredClone(value);
      const places: { parent: Record<string | number, unknown>; key: string | number }[] = [];
      const walk = (node: unknown) => {
        if (typeof node !== 'object' || node === null) return;
        for (const key of Array.isArray(node) ? node.keys() : Object.keys(node)) {
          places.push({ parent: node as Record<string | number, unknown>, key });
          walk((node as Record<string | number, unknown>)[key]);
        }
      };
      walk(copy);
      const place = places[at % Math.max(places.length, 1)];
      if (!place) return other;
      place.parent[place.key] = other;
      return copy;
    });

/** Every reading verb, with the path whose answer it shows. */
const VERBS: [argv: string[], path: string][] = [
  [['endpoint', 'list'], '/endpoint'],
  [['endpoint', 'list', '-o', 'wide', '--sort=ipv4,labels'], '/endpoint'],
  [['endpoint', 'list', '--columns=pod,labels,status,identity', '--selector=app!=x'], '/endpoint'],
  [['endpoint', 'health', '1'], '/endpoint/{id}/healthz'],
  [['endpoint', 'log', '1'], '/endpoint/{id}/log'],
  [['endpoint', 'labels', '1'], '/endpoint/{id}/labels'],
  [['endpoint', 'config', '1'], '/endpoint/{id}/config'],
  [['identity', 'list'], '/identity'],
  [['identity', 'list', '--endpoints'], '/identity/endpoints'],
  [['identity', 'get', '1'], '/identity/{id}'],
  [['ip', 'list', '-n', '-v'], '/ip'],
  [['ip', 'get', '-l', 'a=b'], '/ip'],
  [['service', 'list', '--clustermesh-affinity'], '/service'],
  [['service', 'get', '1'], '/service/{id}'],
  [['map', 'list'], '/map'],
  [['map', 'list', '--verbose'], '/map'],
  [['map', 'get', 'm'], '/map/{name}'],
  [['node', 'list'], '/cluster/nodes'],
  [['nodeid', 'list'], '/node/ids'],
  [['fqdn', 'cache', 'list'], '/fqdn/cache'],
  [['lrp', 'list'], '/lrp'],
  [['prefilter', 'list'], '/prefilter'],
  [['cgroups', 'list'], '/cgroup-dump-metadata'],
  [['recorder', 'get', '1'], '/recorder/{id}'],
  [['bgp', 'peers'], '/bgp/peers'],
  [['bgp', 'peers', '-c'], '/bgp/peers'],
  [['bgp', 'routes', 'advertised', 'ipv4', 'unicast'], '/bgp/routes'],
  [['bgp', 'route-policies'], '/bgp/route-policies'],
];

/** Everything that a terminal could take for a command, but the newline. */
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

describe('whatever an agent answers', () => {
  let body = '';
  let bodies: Record<string, unknown> = {};
  let socket = '';
  const server = createServer(({ url = '' }, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const own = bodies[url];
    response.end(own === undefined ? body : JSON.stringify(own));
  });
  beforeAll(async () => {
    socket = await listen(server);
  });
  afterAll(() => close(server, socket));

  async function check(argv: string[], value: unknown, formats = ['']) {
    body = value === undefined ? '' : JSON.stringify(value);
    for (const format of formats) {
      const { stdout, stderr, code } = await run(format ? [...argv, '-o', format] : argv, {
        env: { CILIUM_SOCK: socket },
      });
      expect(stderr).not.toContain('a fault in the toolkit itself');
      // Structured forms carry the bytes as they are.
      if (format === '') expect(stdout).not.toMatch(CONTROL);
      expect(stderr).not.toMatch(CONTROL);
      if (code !== 0) expect(stderr).toMatch(/^Error: /);
    }
  }

  const runs = Number(process.env.FC_RUNS ?? 25);

  test.each(VERBS)('%j shows it or says what is wrong', async (argv, path) => {
    const described = bodyOf(description.paths[path]?.get?.responses['200'] ?? null);
    await fc.assert(
      fc.asyncProperty(described, (value) => check(argv, value)),
      { numRuns: runs },
    );
    await fc.assert(
      fc.asyncProperty(mutated(described), (value) => check(argv, value)),
      { numRuns: runs },
    );
  });

  test.each(VERBS.filter(([argv]) => argv.length <= 3 && !argv.includes('labels')))(
    '%j -o json and yaml print it',
    async (argv, path) => {
      const described = mutated(bodyOf(description.paths[path]?.get?.responses['200'] ?? null));
      await fc.assert(
        fc.asyncProperty(described, (value) => check(argv, value, ['json', 'yaml', 'jsonpath={..id}'])),
        { numRuns: Math.ceil(runs / 3) },
      );
    },
  );

  test.each([
    [['policy', 'maps', '--state', 'agent']],
    [['policy', 'cost']],
    [['policy', 'simulate', '--state', 'agent', '--from', 'a=b', '--to', 'c=d', '--port', '80']],
  ])('%j evaluates it or says what is wrong', async (argv) => {
    const paths = ['/identity', '/endpoint', '/policy', '/ip', '/config'];
    const answers = paths.map((path) => {
      const described = bodyOf(description.paths[path]?.get?.responses['200'] ?? null);
      return fc.oneof(described, mutated(described));
    });
    await fc.assert(
      fc.asyncProperty(fc.tuple(...answers), async (values) => {
        bodies = Object.fromEntries(paths.map((path, i) => [`/v1${path}`, values[i]]));
        await check(argv, null);
      }),
      { numRuns: runs },
    );
    bodies = {};
  });
});
