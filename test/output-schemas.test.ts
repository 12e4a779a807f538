import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { Command } from 'commander';
import { TOPICS } from '../src/cli/topics.ts';
import { build, type Resolved, type Verb } from '../src/cli/tree.ts';
import { TREE } from '../src/commands/index.ts';
import { labEnvironment } from '../src/lab/environment.ts';
import { missingKernel } from './helpers/bpf.ts';
import { documentsOf, outputSchemas, readSchema, schemaFor, validatorOf } from './helpers/documents.ts';
import { startTestLab, type TestLab } from './helpers/lab.ts';
import { run, testContext } from './helpers/run.ts';

const SCHEMAS = fileURLToPath(new URL('../schemas', import.meta.url));
const read = (name: string) => JSON.parse(readFileSync(join(SCHEMAS, name), 'utf8'));
const RULES = 'policies/cart.yaml';

/** Command lines for each document that a lab has; files are written beside. */
const OURS: Readonly<Record<string, readonly string[]>> = {
  'status-problems': ['status --problems'],
  'bpf-auth-list': ['bpf auth list'],
  'bpf-config-list': ['bpf config list'],
  'bpf-ct-list': ['bpf ct list'],
  'bpf-ct-orphans': ['bpf ct orphans'],
  'bpf-ct-top': ['bpf ct top', 'bpf ct top --by service'],
  'bpf-endpoint-list': ['bpf endpoint list'],
  'bpf-frag-list': ['bpf frag list'],
  'bpf-fs-show': ['bpf fs show'],
  'bpf-ipcache-list': ['bpf ipcache list'],
  'bpf-ipmasq-list': ['bpf ipmasq list', 'bpf ipmasq list --agent-release 1.16'],
  'bpf-lb-list': [
    'bpf lb list',
    'bpf lb list --frontends',
    'bpf lb list --backends',
    'bpf lb list --revnat',
    'bpf lb list --source-ranges',
  ],
  'bpf-maps-dump': [
    'bpf maps dump cilium_ipcache_v2',
    'bpf maps dump cilium_metrics',
    'bpf maps dump cilium_metrics --raw',
  ],
  'bpf-maps-list': ['bpf maps list', 'bpf maps list --no-count'],
  'bpf-metrics-list': ['bpf metrics list'],
  'bpf-nat-list': ['bpf nat list'],
  'bpf-nat-orphans': ['bpf nat orphans'],
  'bpf-nat-retries-list': ['bpf nat retries list'],
  'bpf-nat-top': ['bpf nat top', 'bpf nat top --by egress'],
  'bpf-nodeid-list': ['bpf nodeid list'],
  'bpf-policy-get': ['bpf policy get --all'],
  'bpf-policy-list': ['bpf policy list'],
  'bpf-socknat-list': ['bpf socknat list'],
  'cleanup-plan': ['cleanup --dry-run'],
  'config-lint': ['config lint values.yaml'],
  doctor: ['doctor --fail-on never'],
  'hubble-map': ['hubble map --last 100'],
  'hubble-observe-collapse': ['hubble observe --last 50 --collapse', 'observe flows --last 50 --collapse'],
  'hubble-observe-top': ['hubble observe --last 50 --top src,dst'],
  'hubble-report': ['hubble report --last 100 -o - --format json'],
  'lab-env': ['lab env'],
  'lab-status': ['lab status'],
  'policy-convert': ['policy convert rules.json --name cart', 'policy convert more-rules.json --name cart'],
  'policy-validate': [`policy validate ${RULES}`, 'policy validate wrong.yaml'],
  'policy-cost': ['policy cost --state agent', `policy cost --state agent --rules ${RULES}`],
  'policy-replay': [`policy replay --state agent --last 100 --candidate ${RULES}`],
  'policy-simulate': [
    'policy simulate --state agent --from shop/redis-0 --to shop/loadgen-0 --port 7070',
    'policy simulate --state agent --from app=frontend --to app=cart --port 7070/tcp',
    `policy simulate --state agent --rules ${RULES} --from app=frontend --to app=cart --port 7070`,
  ],
  'policy-suggest': ['policy suggest --last 200'],
  'policy-test': [`policy test --state agent tests.yaml`],
  'policy-unused': ['policy unused --state agent', `policy unused --state agent --rules ${RULES}`],
  'policy-coverage': ['policy coverage --state agent'],
  'policy-why': ['policy why --last-drop'],
  'policy-maps': ['policy maps --state agent', `policy maps --state agent --rules ${RULES}`],
  'profile-explain': ['profile explain'],
  'profile-list': ['profile list'],
  'profile-show': ['profile show shop'],
  rbac: ['rbac -o json policy get', 'rbac -o json bpf ct list'],
  version: ['version'],
  'version-client': ['version --client'],
};

/**
 * Documents that need more than a lab, and the test that has what they need. Each document that any test runs a verb for
 * is held to its schema (helpers/run.ts).
 */
const HELD: Readonly<Record<string, string>> = {
  'bpf-bandwidth-list': 'commands/bpf/lists.test.ts',
  'bpf-egress-list': 'commands/bpf/lists.test.ts',
  'bpf-multicast-group-list': 'commands/bpf/lists.test.ts',
  'bpf-multicast-subscriber-list': 'commands/bpf/lists.test.ts',
  'bpf-recorder-list': 'commands/bpf/lists.test.ts',
  'bpf-srv6-policy': 'commands/bpf/lists.test.ts',
  'bpf-srv6-sid': 'commands/bpf/lists.test.ts',
  'bpf-srv6-vrf': 'commands/bpf/lists.test.ts',
  'bpf-tunnel-list': 'commands/bpf/lists.test.ts',
  'bpf-vtep-list': 'commands/bpf/lists.test.ts',
  'bpf-lb-maglev-get': 'commands/bpf/lists.test.ts',
  'bpf-lb-maglev-list': 'commands/bpf/lists.test.ts',
  'bpf-sha-list': 'commands/bpf/tables.test.ts',
  'connectivity-check': 'commands/connectivity/check.test.ts',
  'connectivity-perf': 'commands/connectivity/perf.test.ts',
  'connectivity-test': 'commands/connectivity/test.test.ts',
  'encryption-key-status': 'commands/encryption/keys.test.ts',
  'kvstore-get': 'commands/kvstore/kvstore.test.ts',
  'multicast-list-group': 'commands/multicast/multicast.test.ts',
  'multicast-list-subscriber': 'commands/multicast/multicast.test.ts',
};

/** Schemas that no test holds a document to, and why. */
const UNTRIED: Readonly<Record<string, string>> = {
  'bpf-srv6-state': 'no recording has these maps, and labs do not pin them',
  cleanup: 'it takes Cilium off the machine that it runs on',
};

/** Verbs that print JSON of which there is no schema here, and why. */
const WITHOUT: Readonly<Record<string, string>> = {
  'bpf sha get': 'what the agent wrote into the header of a template',
  'envoy admin clusters': "Envoy's answer as it came",
  'envoy admin listeners': "Envoy's answer as it came",
  'hubble list namespaces': 'messages of schemas/hubble/observer.proto',
  'hubble list nodes': 'messages of schemas/hubble/observer.proto',
  'hubble observe agent-events': 'messages of schemas/hubble/observer.proto',
  'hubble observe debug-events': 'messages of schemas/hubble/observer.proto',
  'hubble observe flows': 'messages of schemas/hubble/observer.proto; rankings as of hubble observe',
  'hubble query': 'columns are those of the question',
  'hubble status': 'a message of schemas/hubble/observer.proto',
  logs: "lines of which the fields are the component's",
  monitor: "events in the reference's form, which recordings hold byte for byte",
  observe: 'as hubble observe',
  'observe agent-events': 'as hubble observe agent-events',
  'observe debug-events': 'as hubble observe debug-events',
  'observe flows': 'as hubble observe flows',
  'policy trace': 'Payload is the answer of an agent up to 1.11, which has no fields that stay',
  'recorder list':
    'two answers of the agent behind each other: Recorder[] and RecorderMask[] of schemas/agent-api.json',
  statedb: "rows of the agent's tables, whose fields are the agent's own",
};

/** Verbs of agent.json that no lab answers. Recordings of the reference hold their bytes. */
const SILENT = ['bgp peers', 'bgp routes', 'bgp route-policies', 'recorder get'];

const AGENT: { verbs: Record<string, string> } = read('output/agent.json');

/** What a verb of agent.json is asked for. */
const ASKED: Readonly<Record<string, string>> = {
  debuginfo: 'debuginfo --output json',
  'endpoint config': 'endpoint config shop/redis-0',
  'endpoint get': 'endpoint get shop/redis-0',
  'endpoint health': 'endpoint health shop/redis-0',
  'endpoint log': 'endpoint log shop/redis-0',
  'identity get': 'identity get 1',
  'ip get': 'ip get 0.0.0.0/0',
  'map events': 'map events cilium_ipcache_v2',
  'map get': 'map get cilium_ipcache_v2',
  'policy delete': 'policy delete --all',
  'policy import': `policy import ${RULES}`,
  'service get': 'service get 1',
};

const OF_MAPS = /^(bpf|doctor|cleanup)/;
const missing = missingKernel();

let lab: TestLab;
let folder: string;
let env: Record<string, string>;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'toolkit-schemas-'));
  lab = await startTestLab({ scenario: 'shop', maps: 'auto' });
  env = { ...labEnvironment(lab.lab.info), HOME: folder, XDG_RUNTIME_DIR: folder };
  mkdirSync(join(folder, 'policies'));
  writeFileSync(
    join(folder, RULES),
    `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: { name: cart, namespace: shop }
spec:
  endpointSelector: { matchLabels: { app: cart } }
  ingress: [{ fromEndpoints: [{ matchLabels: { app: frontend } }] }]
`,
  );
  writeFileSync(join(folder, 'wrong.yaml'), 'spec: 3\n');
  writeFileSync(join(folder, 'values.yaml'), 'hubble: { enabeld: true }\n');
  const rule = { endpointSelector: { matchLabels: { app: 'cart' } }, ingress: [{}] };
  writeFileSync(join(folder, 'rules.json'), JSON.stringify([rule]));
  writeFileSync(join(folder, 'more-rules.json'), JSON.stringify([rule, rule]));
  writeFileSync(
    join(folder, 'tests.yaml'),
    'tests:\n- { from: app=frontend, to: app=cart, port: 7070, expect: allow }\n',
  );
  mkdirSync(join(folder, '.config/cilium'), { recursive: true });
  writeFileSync(
    join(folder, '.config/cilium/profiles.yaml'),
    'profiles:\n  shop: { context: shop, namespace: kube-system, server: relay.shop:443 }\n',
  );
});
afterAll(async () => {
  await lab[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** Runs a line, and its documents with what it said. */
async function documentsFrom(line: string): Promise<unknown[]> {
  const form = / (?:-o|--output) /.test(line) ? [] : ['-o', 'json'];
  const { stdout, stderr } = await run([...line.split(' '), ...form], {
    env,
    cwd: folder,
    nowMs: Date.now(),
    uptimeMs: Number(process.hrtime.bigint() / 1_000_000n),
  });
  const documents = stdout === '' ? undefined : documentsOf(stdout);
  if (!documents) throw new Error(`${line}: ${stdout}${stderr}`);
  return documents;
}

test('each schema of a document of ours is tried, or it is said why not', () => {
  const cluster = readFileSync(join(SCHEMAS, '../test/output-schemas-cluster.test.ts'), 'utf8');
  const tried = [...Object.keys(OURS), ...Object.keys(HELD), ...Object.keys(UNTRIED)];
  const left = outputSchemas()
    .map(({ name }) => name)
    .filter((name) => !tried.includes(name) && !new RegExp(`^  '?${name}'?: \\[`, 'm').test(cluster));
  expect([...new Set(left)]).toEqual([]);
  expect(tried.filter((name) => !outputSchemas().some((schema) => schema.name === name))).toEqual([]);
});

test.each(Object.entries(HELD))('%s.json is tried by test/%s', (name, file) => {
  const text = readFileSync(join(SCHEMAS, '../test', file), 'utf8');
  const verb = outputSchemas().find((schema) => schema.name === name)?.verb ?? '';
  expect(text).toMatch(/\bjson\b/);
  for (const word of verb.split(' ').slice(0, 2)) expect(text).toContain(word);
});

test('each verb that prints JSON has a schema, or it is said why not', async () => {
  const verbs: string[] = [];
  for (const path of paths(TREE)) {
    const command = await build(new Command('cilium').enablePositionalOptions(), TREE, path, testContext());
    const output = command.options.find(({ long }) => long === '--output' || long === '--json');
    if (output && /json/.test(`${output.long} ${output.description} ${output.argChoices}`))
      verbs.push(path.map(({ name }) => name).join(' '));
  }
  const objects = Object.keys(readSchema('objects').verbs as object).map((line) => line.split(' --')[0]);
  const ours = outputSchemas().map(({ verb }) => verb);
  const others = [...Object.keys(AGENT.verbs), ...objects];
  const has = (verb: string) => [...ours, ...others].includes(verb);
  expect(verbs.filter((verb) => !has(verb)).toSorted()).toEqual(Object.keys(WITHOUT).toSorted());
  expect([...ours, ...others].filter((verb) => !verbs.includes(verb ?? ''))).toEqual(['…', 'hubble report']);
});

function* paths(verb: Verb, path: Resolved['path'] = []): Generator<Resolved['path']> {
  yield path;
  for (const [name, child] of Object.entries(verb.verbs ?? {}))
    yield* paths(child, [...path, { name, verb: child }]);
}

for (const [name, lines] of Object.entries(OURS)) {
  const it = OF_MAPS.test(name) && missing ? test.skip : test;
  it(`${name}.json is what its verb prints`, async () => {
    const validate = await validatorOf(name);
    for (const line of lines) {
      expect({ line, schema: schemaFor(line.split(' '), env) }).toEqual({ line, schema: name });
      for (const document of await documentsFrom(line))
        expect({ line, valid: validate(document), errors: validate.errors }).toEqual({
          line,
          valid: true,
          errors: null,
        });
    }
  });
}

test.each(outputSchemas().map(({ name }) => name))('%s.json refuses what no verb prints', async (name) => {
  // A schema that takes anything would hold nothing.
  const validate = await validatorOf(name);
  expect([validate(3), validate([3]), validate({ none: 3 })]).toEqual([false, false, false]);
});

test.each(Object.entries(AGENT.verbs))(
  '%s prints the %s of the description of the API',
  async (verb, type) => {
    const { definitions } = read('agent-api.json');
    expect(Object.keys(definitions)).toContain(type.replace('[]', ''));
    if (SILENT.includes(verb)) return;
    const ref = { $ref: `#/definitions/${type.replace('[]', '')}` };
    const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
    const validate = ajv.compile({
      definitions,
      ...(type.endsWith('[]') ? { type: 'array', items: ref } : ref),
    });
    for (const document of await documentsFrom(ASKED[verb] ?? verb)) {
      const valid = validate(document);
      // Go writes an empty list as null.
      const errors = (validate.errors ?? []).filter(
        ({ message }) => !/must be (array|object|string)/.test(message ?? ''),
      );
      expect({ verb, errors: valid ? [] : errors }).toEqual({ verb, errors: [] });
    }
  },
);

test('docs/stability.md has the exit codes that help tells', async () => {
  const page = readFileSync(join(SCHEMAS, '../docs/stability.md'), 'utf8');
  const documented = Array.from(page.matchAll(/^\| (\d+) \|/gm), ([, code]) => code);
  expect(documented).toEqual(TOPICS['exit-codes'].entries.map(({ term }) => term));
});

test('docs/stability.md names the verbs that have no schema', () => {
  const page = readFileSync(join(SCHEMAS, '../docs/stability.md'), 'utf8');
  const told = Object.entries(WITHOUT).filter(([, why]) => !/^as |prints text$/.test(why));
  const families = told.map(([verb]) => verb.split(' ').slice(0, verb.startsWith('bpf') ? 3 : 2));
  expect(families.filter((words) => !page.includes(`\`${words.join(' ')}`))).toEqual([]);
});
