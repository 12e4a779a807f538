import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { KNOWN_MAPS } from '../src/bpf/layouts/catalogue.ts';
import { pinPattern } from '../src/bpf/layouts/map-layout.ts';
import { resolve } from '../src/cli/tree.ts';
import { VERBS } from '../src/cli/usage/reference.ts';
import { LISTED } from '../src/cluster/kinds.ts';
import { TREE } from '../src/commands/index.ts';
import { dropReasonText } from '../src/model/drop-reason.ts';
import { eventTypesOf } from '../src/model/monitor.ts';
import { parseRelease, type Release, releaseOfStatus } from '../src/model/release.ts';
import { AGGREGATE_IDS, hasIdentity, identityName } from '../src/model/reserved-identity.ts';
import { sourceFileName } from '../src/model/source-file.ts';
import { TRACE_POINTS } from '../src/model/trace-point.ts';
import { isOwnPin } from '../src/node/cleanup/own.ts';
import { renderDebugMessage } from '../src/render/monitor/debug.ts';
import { agentOf } from './helpers/agent.ts';
import { serveKube } from './helpers/kube.ts';
import { fixture } from './helpers/recordings.ts';
import { run } from './helpers/run.ts';

type Span = [since: string | null, until: string | null];
/** What makes a fact that is not sure make no difference. */
type Unsure =
  | { docs: string }
  | { test: string; says: string }
  | { drop: number }
  | { pin: string }
  | { column: Release }
  | { patches: string[] };
type Outcome =
  | { test: string; says: string }
  | { recording: string; case: string }
  | { difference: string }
  | { not: string };

/** What 1.18, 1.19 and released 1.20 have that 1.17 and the early snapshot of 1.20 had not, and the other way round. */
const DELTA = fixture<{
  drops: [number, string, string | null][];
  sourceFiles: Record<string, Record<string, string>>;
  tracePoints: [number, string][];
  debugEvents: [number, string][];
  debugTexts: [number, string][];
  proto: [item: string, name: string, number: number | null, type: string | null, label: string | null][];
  verbs: [string, ...Span][];
  flags: [verb: string, flag: string, ...Span][];
  uses: [string, string[]][];
  api: [item: string, name: string, ...Span][];
  crd: { path: string; change: string; release: string; value?: unknown; to?: unknown; in?: string[] }[];
  identities: [number, string, string][];
  entities: string[];
  maps: string[];
  options: [name: string, ...Span][];
  operatorOptions: [name: string, ...Span][];
  kinds: {
    kind: string;
    plural: string;
    outcome: Outcome | { read: string } | { in: string; ignores: string };
    rows: string[][];
  }[];
  unsure: [what: string, outcome: Unsure][];
  rows: [section: string, row: string, outcome: Outcome][];
}>('release-delta.json');

const text = (path: string) => readFileSync(fileURLToPath(new URL(`../${path}`, import.meta.url)), 'utf8');
const isRelease = (name: string): name is Release => /^1\.\d+$/.test(name);

test.each(DELTA.drops)('drop reason %i is %s', (number, words) => {
  expect(dropReasonText(number)).toBe(words);
});

test.each(Object.entries(DELTA.sourceFiles).filter(([release]) => isRelease(release)))(
  'the files of drops in %s',
  (release, table) => {
    if (!isRelease(release)) throw new Error(release);
    const ours = Object.keys(table).map((id) => [id, sourceFileName(Number(id), release)]);
    expect(Object.fromEntries(ours)).toEqual(table);
    expect(sourceFileName(6, release) === 'bpf_network.c').toBe(release !== '1.20');
  },
);

test('the points of traces', () => {
  expect(DELTA.tracePoints.map(([number]) => TRACE_POINTS[number])).toEqual(
    DELTA.tracePoints.map(([, name]) => name),
  );
});

test('the kinds of monitor events, of which 1.19 lost the recorder', () => {
  const names = (release: Release) => Object.keys(eventTypesOf(release));
  expect(eventTypesOf('1.20')).toEqual({
    drop: 1,
    debug: 2,
    capture: 3,
    trace: 4,
    'policy-verdict': 5,
    'trace-sock': 7,
    l7: 129,
    agent: 130,
  });
  expect(names('1.18')).toEqual([...names('1.19'), 'recorder'].toSorted());
});

describe('debug messages', () => {
  const render = (subtype: number, release: Release) =>
    renderDebugMessage(
      { kind: 'debug', source: 0, target: 0, subtype, hash: 0, arg1: 1, arg2: 2, arg3: 3 },
      { interfaceName: String, release },
    );

  test.each(DELTA.debugEvents.filter(([number]) => number > 0))('%i, %s, has words', (number) => {
    expect(render(number, '1.20')).not.toMatch(/^Unknown message/);
  });

  test.each(DELTA.debugTexts)('%i says: %s', (number, words) => {
    const start = /^[^%]*/.exec(words)?.[0] ?? '';
    expect(render(number, '1.20').slice(0, start.length)).toBe(start);
  });
});

describe('the Hubble API', () => {
  const proto = text('schemas/hubble/flow.proto');
  const block = (name: string) =>
    new RegExp(`(?:message|enum) ${name} \\{([^{}]*(?:\\{[^{}]*\\}[^{}]*)*)\\}`, 's').exec(proto)?.[1];

  test.each(DELTA.proto.filter(([item]) => item === 'message' || item === 'enum'))('%s %s', (_, name) => {
    expect(block(name.split('.').at(-1) ?? '')).toBeDefined();
  });

  test.each(DELTA.proto.filter(([, , number]) => number !== null))(
    '%s %s = %i',
    (item, name, number, type) => {
      const [member = '', owner = ''] = name.split('.').reverse();
      const kind = item === 'field' ? `${type?.split('.').at(-1)} +` : '';
      expect(block(owner)).toMatch(new RegExp(`${kind}${member} *= *${number}\\b`));
    },
  );
});

describe('the command line', () => {
  test.each(DELTA.verbs.filter(([verb]) => !/^statedb ./.test(verb)))('has %s', (verb) => {
    const { path, unknown } = resolve(TREE, verb.split(' '));
    expect({ path: path.map(({ name }) => name).join(' '), unknown }).toEqual({
      path: verb,
      unknown: undefined,
    });
  });

  test.each(DELTA.verbs.filter(([verb]) => Object.hasOwn(VERBS, verb)))(
    '%s: since and until',
    (verb, since, until) => {
      const known = VERBS[verb] ?? {};
      expect(known.until ?? null).toBe(until);
      // The tree of 1.17 of which these facts were made had all that 1.17 names as new.
      if (since !== null && since !== '1.17') expect(known.since ?? null).toBe(since);
    },
  );

  test.each(DELTA.flags)('"%s" takes %s', async (verb, flag) => {
    // Flags of logs, which stand above all verbs, are this program's own affair.
    if (verb === '') return;
    const { stdout } = await run([...verb.split(' '), '--help']);
    // A flag that is kept for older releases may be hidden.
    const taken = stdout.includes(` ${flag} `) || stdout.includes(` ${flag}\n`);
    const hidden = () => text(`src/commands/${verb.replaceAll(' ', '/')}.ts`).includes(flag);
    expect(taken || hidden()).toBe(true);
  });

  test.each(DELTA.uses)('the usage of %s', (verb, changes) => {
    const { args } = VERBS[verb] ?? {};
    for (const change of changes) {
      const [, release = '', line = ''] = /^(\S+?):? ?: (.*)$/.exec(change.replace(': ', ' : ')) ?? [];
      if (!isRelease(release) || args === undefined) continue;
      const words = line.replace(`cilium-dbg ${verb}`, '').replace('[flags]', '').trim();
      const dated = typeof args === 'string' ? args : args[release];
      expect({ release, words: dated }).toEqual({ release, words });
    }
  });
});

describe('the agent’s API', () => {
  interface Described {
    $ref?: string;
    items?: Described;
    properties?: Record<string, Described>;
    'x-versions'?: string[];
  }
  const api: {
    definitions: Record<string, Described>;
    paths: Record<
      string,
      Record<string, { parameters?: { name: string }[]; responses: object; 'x-versions'?: string[] }>
    >;
  } = JSON.parse(text('schemas/agent-api.json'));

  function find(name: string): Described | undefined {
    const [model = '', ...fields] = name.split('.');
    let here: Described | undefined = api.definitions[model];
    for (const field of fields) {
      while (here?.$ref) here = api.definitions[here.$ref.split('/').at(-1) ?? ''];
      here = here?.properties?.[field];
    }
    return here;
  }

  /** Whether a part is described for released 1.20 as the facts have it. */
  const of120 = (versions: string[] | undefined) => versions === undefined || versions.includes('1.20');

  test.each(
    DELTA.api.filter(
      ([item, name]) => (item === 'property' || item === 'model') && name !== 'LabelArrayList',
    ),
  )('describes the %s %s', (item, name, since, until) => {
    const described = find(name);
    expect(described).toBeDefined();
    if (until !== null && !name.startsWith('Recorder') && item === 'property' && !name.includes('.metrics.'))
      expect(of120(described?.['x-versions'])).toBe(false);
    if (since !== null && until === null) expect(of120(described?.['x-versions'])).toBe(true);
  });

  test.each(DELTA.api.filter(([item]) => item === 'path'))('has the %s %s', (_, name, __, until) => {
    const [method = '', path = ''] = name.split(' ');
    const operation = api.paths[path]?.[method.toLowerCase()];
    expect(operation).toBeDefined();
    expect(of120(operation?.['x-versions'])).toBe(until === null);
  });

  test.each(DELTA.api.filter(([item]) => item === 'response'))('knows the %s %s', (_, name) => {
    const [method = '', path = '', status = ''] = name.split(' ');
    expect(api.paths[path]?.[method.toLowerCase()]?.responses).toHaveProperty([status]);
  });

  test('otherTypes: states and modes that came later are values of theirs', () => {
    expect(JSON.stringify(find('BackendAddress.state'))).toContain('terminating-not-serving');
    expect(JSON.stringify(find('EncryptionStatus.mode'))).toContain('Ztunnel');
    expect(find('BgpRoutePolicyStatement.match-neighbors')?.$ref).toContain('BgpRoutePolicyNeighborMatch');
  });
});

test.each(DELTA.crd)(
  'the schema of policies: $path $change in $release',
  ({ path, change, release, value, to }) => {
    const schema = text(`schemas/crds/${release}/ciliumnetworkpolicies.json`);
    const before =
      release === '1.18'
        ? undefined
        : text(`schemas/crds/1.${Number(release.slice(2)) - 1}/ciliumnetworkpolicies.json`);
    const wanted = to ?? value;
    const says =
      wanted === undefined
        ? `"${path
            .split(/[./]/)
            .at(-1)
            ?.replace(/[[(].*/, '')}"`
        : JSON.stringify(wanted);
    if (change !== 'removed') expect(schema).toContain(says);
    // What was removed is still told of in the release before.
    else if (before !== undefined) expect(schema.length).not.toBe(before.length);
  },
);

test.each(DELTA.identities)('identity %i is %s', (number, name) => {
  if (name.startsWith('aggregate-')) {
    expect(AGGREGATE_IDS).toHaveProperty(name, number);
    expect([hasIdentity('1.19', number), hasIdentity('1.20', number)]).toEqual([number === 11, true]);
    expect(identityName(number, '1.20')).toBe(name);
  } else expect(identityName(number, '1.19')).toBe(name);
});

test.each(DELTA.entities)('the entity %s is known to rules', (entity) => {
  expect(text('src/policy/rule.ts')).toContain(entity.includes('-') ? `'${entity}'` : `${entity}`);
});

test.each([...new Set(DELTA.maps)].filter((name) => !/nat_buffer|version$|cilium_policy$/.test(name)))(
  'the map %s is known',
  (name) => {
    const pin = name.replace('NNNNN', '00123');
    const pins = KNOWN_MAPS.flatMap(({ variants, opaque = [] }) => [
      ...variants.flatMap((one) => one.pins),
      ...opaque,
    ]);
    const known = pins.some((one) => pinPattern(one).test(pin) || one.startsWith(name.replace(/_$/, '')));
    expect(known).toBe(true);
  },
);

/** Where kinds are named that nothing is made of: text of the lab's agent, and what is collected or looked for as it is. */
const BESIDE = ['lab', 'cluster/sysdump', 'cluster/preflight', 'commands/rbac'];

describe('kinds of custom resources', () => {
  const differences = text('docs/differences.md');
  const others = DELTA.kinds.filter(
    ({ outcome }) => 'difference' in outcome && outcome.difference === 'other-kinds',
  );

  test.each(DELTA.kinds)('$kind', ({ plural, outcome }) => {
    if ('ignores' in outcome) {
      expect(text(outcome.in)).toContain(plural);
      expect(sources(...BESIDE)).not.toContain(`'${outcome.ignores}'`);
    }
    if ('difference' in outcome) expect(differences).toContain(`| ${outcome.difference} |`);
    if ('test' in outcome) expect(text(outcome.test)).toContain(outcome.says);
  });

  // differs: other-kinds
  test.each(others)(
    '$kind is no policy, which is said, and is listed as the API server prints it, compared, collected, or nothing',
    async ({ kind, plural }) => {
      const policy = {
        apiVersion: 'cilium.io/v2',
        kind: 'CiliumNetworkPolicy',
        metadata: { name: 'a', namespace: 'b' },
        spec: { endpointSelector: {}, ingress: [{ fromEntities: ['world'] }] },
      };
      for (const version of ['v2', 'v2alpha1']) {
        const object = {
          apiVersion: `cilium.io/${version}`,
          kind,
          metadata: { name: 'x' },
          spec: { any: 1 },
        };
        const stdin = JSON.stringify({ kind: 'List', items: [policy, object] });
        const { code, stderr } = await run(['policy', 'validate', '-'], { stdin });
        expect(code).toBe(0);
        expect(stderr).toContain(`warning: kind "${kind}" is not a network policy`);
      }
      const listed = Object.values(LISTED).find((one) => one.kind === kind);
      if (listed) return expect(listed.plural).toBe(plural);
      // Slices are only compared with what they are made of.
      if (kind === 'CiliumEndpointSlice')
        return expect(text('src/kube/inventory.ts')).toContain(`/${plural}'`);
      expect(sources(...BESIDE)).not.toMatch(new RegExp(`\\b(?:${kind}|${plural})\\b`));
    },
  );

  test.each(['v2', 'v2alpha1'])('a CiliumCIDRGroup of %s is read with policies', async (version) => {
    const objects = [
      {
        apiVersion: 'cilium.io/v2',
        kind: 'CiliumNetworkPolicy',
        metadata: { name: 'out', namespace: 'd' },
        spec: { endpointSelector: {}, egress: [{ toCIDRSet: [{ cidrGroupRef: 'offices' }] }] },
      },
      {
        apiVersion: `cilium.io/${version}`,
        kind: 'CiliumCIDRGroup',
        metadata: { name: 'offices' },
        spec: { externalCIDRs: ['192.0.2.0/24'] },
      },
    ];
    const stdin = JSON.stringify({ kind: 'List', items: objects });
    const simulate = ['policy', 'simulate', '--rules', '-', '--from', 'io.kubernetes.pod.namespace=d,app=a'];
    const verdict = async (to: string) =>
      (await run([...simulate, '--to', to, '--port', '443/TCP'], { stdin })).stdout;
    expect(await verdict('192.0.2.7')).toMatch(/allowed/i);
    expect(await verdict('198.51.100.7')).toMatch(/denied/i);
  });
});

/** All of the toolkit but some folders. */
function sources(...but: string[]): string {
  const src = fileURLToPath(new URL('../src', import.meta.url));
  return readdirSync(src, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !but.some((one) => path === join(src, one) || path.startsWith(join(src, one, '/'))))
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');
}

describe('options of the agent and the operator', () => {
  const names = [...new Set([...DELTA.options, ...DELTA.operatorOptions].map(([name]) => name))];

  /** Names that the toolkit has as names of something else: fields of answers, its own flags, words of messages. */
  const OTHER_MEANINGS = new Set([
    'egress-multi-home-ip-rule-compat',
    'enable-extended-ip-protocols',
    'hubble-metrics',
    'k8s-api-server',
    'k8s-api-server-urls',
    'kube-proxy-replacement',
    'kvstore-opt',
    'restore',
    'shell-sock-path',
    'tofqdns-pre-cache',
  ]);

  test('none that came or went is read by its name', () => {
    // The lab plays a cluster's ConfigMap, `cluster/config` compares one with what agents run with, and the state of a
    // cluster takes settings of policies from it, whose names the operator has as well. What tells features by the ConfigMap
    // takes an option that a release does not have for one that is off, which it is.
    const features = ['connectivity/features', 'sysdump/features', 'encryption/status'];
    const all = sources(
      'lab',
      'cluster/config',
      'cli/policy/cluster.ts',
      ...features.map((name) => `cluster/${name}.ts`),
    );
    const read = names.filter((name) => all.includes(`'${name}'`) || all.includes(`--${name}`));
    expect(read.filter((name) => !OTHER_MEANINGS.has(name))).toEqual([]);
  });

  test('build-config writes each as it stands in the ConfigMap, whatever the release', async () => {
    const data = Object.fromEntries(names.map((name, i) => [name, `value ${i}`]));
    await using kube = await serveKube((request, response) => {
      const found = request.url?.startsWith('/api/v1/namespaces/kube-system/configmaps/cilium-config');
      response.setHeader('content-type', 'application/json');
      response.writeHead(found ? 200 : 404).end(JSON.stringify(found ? { data } : {}));
    });
    const folder = mkdtempSync(join(tmpdir(), 'options-'));
    try {
      const argv = ['build-config', '--dest', folder, '--k8s-kubeconfig-path', kube.kubeconfig];
      const { code } = await run([...argv, '--node-name', 'n1'], {
        env: { CILIUM_K8S_NAMESPACE: 'kube-system' },
      });
      expect(code).toBe(0);
      const written = names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]);
      expect(Object.fromEntries(written)).toEqual(data);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('what the facts are not sure of makes no difference', () => {
  const releases = text('docs/releases.md');

  test.each(DELTA.unsure)('%s', (_, outcome) => {
    if ('docs' in outcome) expect(releases).toContain(outcome.docs);
    else if ('test' in outcome) expect(text(outcome.test)).toContain(outcome.says);
    // The number has one meaning, whichever release sends it first.
    else if ('drop' in outcome) expect(dropReasonText(outcome.drop)).not.toMatch(/^\d+$|unknown/i);
    else if ('pin' in outcome) {
      // Pinned or not, it is an agent's own, and has no layout that a verb could read it with.
      expect(isOwnPin(outcome.pin)).toBe(true);
      expect(KNOWN_MAPS.flatMap(({ variants }) => variants.flatMap(({ pins }) => pins))).not.toContain(
        outcome.pin,
      );
    } else if ('column' in outcome) {
      const of = columnOf(releases, outcome.column);
      expect(of.length).toBeGreaterThan(20);
      expect(of.filter((cell) => cell.startsWith('recorded'))).toEqual([]);
    } else
      for (const patch of outcome.patches)
        expect(releaseOfStatus(patch, () => false)).toEqual({ release: patch.replace(/\.\d+$/, '') });
  });
});

/** The cells of one column of the table of releases. */
function columnOf(page: string, release: Release): string[] {
  const lines = page.split('\n').filter((line) => line.startsWith('|'));
  const cells = (line = '') => line.split('|').map((cell) => cell.trim());
  const head = lines.findIndex((line) => line.startsWith('| area |'));
  const at = cells(lines[head]).indexOf(release);
  const end = lines.findIndex((line, i) => i > head && cells(line).length !== cells(lines[head]).length);
  return lines.slice(head + 2, end).map((line) => cells(line)[at] ?? '');
}

describe('rows that are texts', () => {
  const differences = text('docs/differences.md');

  test.each(DELTA.rows)('%s: %s', (_, __, outcome) => {
    if ('test' in outcome) expect(text(outcome.test)).toContain(outcome.says);
    else if ('difference' in outcome) expect(differences).toContain(`| ${outcome.difference} |`);
    else if ('recording' in outcome) {
      const recorded = fixture<{ argv: string[] }[]>(`recordings/${outcome.recording}`);
      const names = JSON.stringify(recorded).match(/"argv":\[[^\]]*\]/g) ?? [];
      expect(names.some((argv) => argv.replaceAll('","', ' ').includes(outcome.case))).toBe(true);
    } else expect(text('docs/releases.md')).toContain(`| ${outcome.not} |`);
  });

  test('the type of a socket’s flow is told by its subtype: pre-xlate-rev', async () => {
    const line = {
      flow: { time: '2026-11-22T08:00:00Z', event_type: { type: 7, sub_type: 3 }, sock_xlate_point: 1 },
    };
    const { stdout } = await run(['hubble', 'observe', '--input-file', '-'], { stdin: JSON.stringify(line) });
    expect(stdout).toContain(' pre-xlate-rev ');
  });

  // differs: observe-kafka
  test('a Kafka flow names its protocol', async () => {
    const line = {
      flow: { time: '2026-11-22T08:00:00Z', Type: 'L7', l7: { type: 'REQUEST', kafka: { topic: 't' } } },
    };
    const { stdout } = await run(['hubble', 'observe', '--input-file', '-'], { stdin: JSON.stringify(line) });
    expect(stdout).toContain(' kafka-request ');
  });

  test('ip get -l says N/A where the agent names no block or identity', async () => {
    await using agent = await agentOf({
      'GET /v1/ip': { body: [{ metadata: { name: 'web', namespace: 'shop' } }] },
    });
    const { stdout } = await agent.run(['ip', 'get', '-l', 'k8s:app=web']);
    expect(stdout).toMatch(/\nN\/A +N\/A +web +shop *\n/);
  });

  test('a CiliumNetworkPolicy with neither spec nor specs is refused', async () => {
    const object = { apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy', metadata: { name: 'a' } };
    const { code, stderr } = await run(['policy', 'validate', '-'], { stdin: JSON.stringify(object) });
    expect(code).toBe(1);
    expect(stderr).toContain('must have a "spec"');
  });
});

test('a version on the way to a release counts as that release', () => {
  expect(parseRelease('1.17.0-dev')).toBe('1.17');
});
