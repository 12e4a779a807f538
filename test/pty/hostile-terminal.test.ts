import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Verb } from '../../src/cli/tree.ts';
import { TREE } from '../../src/commands/index.ts';
import { decode, encode } from '../../src/hubble/protobuf/codec.ts';
import { missingKernel } from '../helpers/bpf.ts';
import { GobEncoder, monitorStream } from '../helpers/gob.ts';
import { recordedMessages, serveGrpc } from '../helpers/grpc.ts';
import { answerJson, serveKube } from '../helpers/kube.ts';
import { fixturePath, fixtureText } from '../helpers/recordings.ts';
import { close, listen } from '../helpers/replay.ts';
import { serveStream } from '../helpers/stream-server.ts';

/** A title, blinking, a C1 control, reordering, a bell: nothing of it does the program itself say to a terminal. */
const EVIL = 'pwn\u001b]0;t\u0007\u001b[5m\u009b31m\u202e\u200f\u2066\b\u007f';
const ARRIVED = /\u001b\]0;|\u001b\[5m|[\u0007\b\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
/** What the program says to a terminal, but for the live screen, which is Ink's. */
const OWN = /\u001b\[(?:\d+(?:;\d+)*m|H|2J|K|J|\d+A)|\r(?=\u001b\[K|\n|Waiting)/g;
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

/** Verbs that show nothing of a cluster here, by their path or the beginning of it, and why. */
const EXCUSED: Readonly<Record<string, string>> = {
  'hubble completion': 'constant scripts',
  install: 'what it is told, and words of helm: test/commands/install.test.ts',
  completion: 'constant scripts; candidates are in test/commands/completion.test.ts',
  __complete: 'candidates for a shell, not a terminal: test/commands/completion.test.ts',
  'map events': 'a stream: test/commands/map/events.test.ts',
  'policy maps': 'needs a state that holds together: test/commands/hostile-answers.test.ts',
  'policy cost': 'needs a state that holds together: test/commands/hostile-answers.test.ts',
  'prefilter delete': 'says what it was told',
  'prefilter update': 'says what it was told',
  'hubble config': 'the own settings of the user',
  'hubble version': 'constant',
  'hubble export otlp': 'sends what observe prints: test/commands/hubble/export/otlp-records.test.ts',
  'hubble query': 'asks captures, not a cluster: test/commands/hubble/query.test.ts',
  'hubble ui': 'serves a page: test/web/page.test.ts',
  'kvstore set': 'says what it was told',
  'policy trace': 'agents up to 1.14: test/commands/policy',
  'preflight validate-cnp': 'asks Kubernetes: test/commands/preflight',
  'preflight migrate-identity': 'asks etcd: test/commands/preflight',
  'recorder update': 'says what it was told',
  'service update': 'says what it was told',
  'troubleshoot kvstore': 'reads files of the node: test/commands/troubleshoot',
  sysdump: 'writes a file, and lines of its own with what a server refused: test/commands/sysdump.test.ts',
  'features summary': 'constant',
  context: 'the own settings of the user',
  profile: 'the own settings of the user',
  rbac: 'says what it was told',
  'policy wait': 'numbers only',
  'encryption create-key': 'shows only what it makes: test/commands/encryption',
  'encryption rotate-key': 'refuses what is no key before it shows anything: test/commands/encryption',
  'encrypt create-key': 'as that of encryption',
  'encrypt rotate-key': 'as that of encryption',
  'encrypt key-status': 'as that of encryption',
  statedb: 'a call that the description of the API does not have: test/commands/statedb',
  'troubleshoot clustermesh': 'reads files of the node: test/commands/troubleshoot',
  'build-config': 'writes files from the options it was given',
  lab: 'its own names only',
  loadinfo: 'test/commands/loadinfo.test.ts',
  help: 'constant',
};

/** Words behind a verb that needs some. `{…}` stands for a file. */
const WORDS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  status: [[], ['1'], ['-o', 'yaml'], [EVIL], ['--cluster'], ['--cluster', '--unmanaged', '-o', 'json']],
  'endpoint list': [
    [],
    ['1'],
    ['-o', 'yaml'],
    ['-A'],
    ['-A', '-o', 'wide'],
    ['-A', '-o', 'name'],
    ['-A', '-o', 'custom-columns=A:.metadata.name,B:.metadata.labels'],
  ],
  'node list': [[], ['-o', 'yaml'], ['--cluster'], ['--cluster', '-o', 'json']],
  'identity list': [[], ['1', '-o', 'yaml'], ['--cluster'], ['--unused']],
  'lrp list': [[], ['-A'], ['-A', '-o', 'yaml']],
  'config view': [[], ['-o', 'json']],
  'config set': [
    ['debug', 'true'],
    ['debug', 'true', '--dry-run'],
  ],
  'config delete': [['debug'], ['debug', '--dry-run', '--force-conflicts']],
  'config lint': [['{values}'], ['--live']],
  'policy coverage': [
    ['--rules', '{fine}', '--state', 'agent'],
    ['--state', 'cluster'],
  ],
  'policy unused': [
    ['--flows', '{flows}', '--rules', '{fine}', '--state', 'agent'],
    ['--state', 'cluster'],
  ],
  'clustermesh enable': [['--service-type', 'NodePort']],
  'clustermesh connect': [['--destination-context', 'k']],
  'clustermesh disconnect': [['--destination-context', 'k']],
  'encryption key-status': [['--show-secret'], ['-o', 'json']],
  'connectivity check': [['a/b', 'c/d', '--port', '80', '--no-try']],
  'config drift': [[], ['-n', 'kube-system', '-o', 'json'], ['-n', 'kube-system']],
  'multicast list subscriber': [['--all'], ['--all', '-o', 'json']],
  'multicast add': [['-g', '239.255.0.1', '--yes']],
  'multicast delete': [['-g', '239.255.0.1', '--yes']],
  'preflight upgrade': [['--to', '1.20', '--all']],
  logs: [[], ['--component', 'all', '-o', 'json'], ['--color', 'always']],
  'envoy admin logging set global': [['debug']],
  'envoy admin logging set loggers': [['http=debug']],
  'ip get': [['10.0.0.1'], ['-l', 'a=b']],
  'policy validate': [['{policy}'], ['{policy}', '--color', 'always']],
  'policy import': [['{policy}'], ['{fine}', '--dry-run']],
  'policy convert': [['{policy}'], ['{fine}'], ['{fine}', '-o', 'json']],
  'policy simulate': [['--rules', '{policy}', '--from', 'a=b', '--to', 'c=d', '--port', '80']],
  'policy suggest': [['--flows', '{flows}']],
  'policy replay': [['--flows', '{flows}', '--candidate', '{fine}']],
  'policy why': [['--flows', '{flows}', '--last-drop']],
  'policy test': [['{tests}', '--rules', '{fine}']],
  'policy wait': [['1', '--max-wait-time', '1']],
  'hubble observe': [
    [],
    ['--input-file', '{flows}'],
    ['--input-file', '{flows}', '--color', 'always', '-o', 'table', '--print-node-name'],
    ['--input-file', '{flows}', '-o', 'dict'],
    ['--input-file', '{flows}', '--collapse'],
    ['--input-file', '{flows}', '--top', 'src,dst'],
    ['--input-file', '{flows}', '--tui'],
    ['--follow', '--max-reconnects', '1'],
    ['--where', 'src.pod ~ "pwn"', '--explain'],
  ],
};

/** What reads the machine itself: tried on a node of its own, as root. */
const OF_THE_NODE = ['bpf', 'cleanup', 'doctor', 'encrypt'];

interface Schema {
  $ref?: string;
  type?: string;
  items?: Schema;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema;
}
const api = JSON.parse(readFileSync(new URL('../../schemas/agent-api.json', import.meta.url), 'utf8')) as {
  definitions: Record<string, Schema>;
  paths: Record<string, Record<string, { responses: Record<string, { schema?: Schema } & Schema> }>>;
};

/** A body with all its fields, of which every text is hostile, but for what must be an address or a time to be shown. */
function bodyOf(schema: Schema | undefined, name: string, wellFormed: boolean, depth = 0): unknown {
  if (!schema || depth > 7) return undefined;
  if (schema.$ref)
    return bodyOf(api.definitions[schema.$ref.split('/').at(-1) ?? ''], name, wellFormed, depth);
  const inner = (each: Schema | undefined, as: string) => bodyOf(each, as, wellFormed, depth + 1);
  switch (schema.type) {
    case 'string':
      if (wellFormed && /ip|addr|cidr|prefix|gateway/i.test(name)) return '10.0.0.1';
      if (wellFormed && /time|stamp|since|seen/i.test(name)) return '2026-11-22T08:03:30Z';
      return EVIL;
    case 'integer':
    case 'number':
      return 1;
    case 'boolean':
      return true;
    case 'array':
      return [inner(schema.items, name)];
    default:
      if (schema.properties)
        return Object.fromEntries(
          Object.entries(schema.properties).map(([key, field]) => [key, inner(field, key)]),
        );
      return { [EVIL]: inner(schema.additionalProperties ?? { type: 'string' }, name) };
  }
}

const PATHS = Object.entries(api.paths).map(([template, calls]) => ({
  pattern: new RegExp(`^/v1${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
  calls,
}));

/** Everything that is text in a message, hostile; what is a name of the schema stays. */
function spoiled(value: unknown, key = ''): unknown {
  if (typeof value === 'string')
    return /name|label|summary|url|path|method|message|node|version|address|kind|cluster|query|pod/i.test(key)
      ? EVIL
      : value;
  if (Array.isArray(value)) return value.map((item) => spoiled(item, key));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, spoiled(item, name)]));
}

/** The verbs of the tree, each by its words. */
function verbsOf(verb: Verb, path: readonly string[] = []): string[][] {
  const own = verb.load ? [[...path]] : [];
  return [
    ...own,
    ...Object.entries(verb.verbs ?? {}).flatMap(([name, child]) => verbsOf(child, [...path, name])),
  ];
}

/** A noun that also runs by itself only prints its help. */
const excuseOf = (words: readonly string[]) =>
  (words.join(' ') === 'hubble' ? 'constant' : undefined) ??
  words.map((_, i) => EXCUSED[words.slice(0, i + 1).join(' ')]).find((reason) => reason !== undefined);
const VERBS = verbsOf(TREE).filter((words) => words.length > 0);

const TRIED = VERBS.filter((words) => excuseOf(words) === undefined);
const isOfTheNode = ([first = '']: readonly string[]) => OF_THE_NODE.includes(first);
const CLUSTER_VERBS = TRIED.filter((words) => !isOfTheNode(words));
const NODE_VERBS = TRIED.filter(isOfTheNode);

const SCRIPT = ['/usr/bin/script', '/bin/script'].find((path) => existsSync(path));
const terminal = SCRIPT === undefined ? test.skip : test;
const title = SCRIPT === undefined ? ' (skipped: no script(1))' : '';

let folder = '';
const stack = new AsyncDisposableStack();
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pty-'));
});
afterAll(async () => {
  await stack.disposeAsync();
  rmSync(folder, { recursive: true, force: true });
});

function files(): Record<string, string> {
  const flows = fixtureText('recordings/flows-1.20.jsonl')
    .trim()
    .split('\n')
    .slice(0, 20)
    .map((line) => JSON.stringify(spoiled(JSON.parse(line))));
  const rule = (labels: object) =>
    JSON.stringify([{ endpointSelector: { matchLabels: labels }, ingress: [{}] }]);
  const texts = {
    flows: `${flows.join('\n')}\n${EVIL}\n`,
    policy: `${rule({ [EVIL]: EVIL }).slice(0, -1)},{"${EVIL.replaceAll(/[\u0000-\u001f]/g, '')}":1}]`,
    fine: rule({ app: 'web' }),
    values: JSON.stringify({ [EVIL]: EVIL, tunnel: EVIL, ipam: { [EVIL]: { [EVIL]: 1 } } }),
    tests: JSON.stringify([{ name: EVIL, from: 'app=a', to: 'app=b', port: '80', expect: 'allow' }]),
  };
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => {
      const path = join(folder, name);
      writeFileSync(path, text);
      return [name, path];
    }),
  );
}

/** A cluster of which every text is hostile. */
async function kubeServer(): Promise<string> {
  const metadata = {
    name: EVIL,
    namespace: EVIL,
    labels: { 'k8s-app': 'cilium', [EVIL]: EVIL },
    annotations: { 'config.cilium.io/x': `${EVIL}\n${EVIL}`, [EVIL]: EVIL },
    managedFields: [{ manager: EVIL, operation: 'Apply', fieldsV1: { 'f:data': { 'f:debug': {} } } }],
  };
  const running = { name: 'cilium-agent', image: EVIL, ready: true, state: { running: {} } };
  const broken = { ...running, state: { waiting: { reason: EVIL, message: EVIL } } };
  const object = {
    metadata,
    data: {
      debug: EVIL,
      [EVIL]: `${EVIL}\n${EVIL}`,
      // Of a Secret.
      keys: Buffer.from(EVIL).toString('base64'),
    },
    'security-labels': { [EVIL]: EVIL },
    spec: {
      nodeName: EVIL,
      containers: [{ name: EVIL, image: EVIL }],
      defaults: { [EVIL]: EVIL },
      addresses: [{ type: EVIL, ip: EVIL }],
      selector: { matchLabels: { [EVIL]: EVIL } },
      // Of a Node.
      taints: [{ key: EVIL, value: EVIL, effect: EVIL }],
    },
    status: {
      phase: EVIL,
      podIP: EVIL,
      reason: EVIL,
      message: EVIL,
      conditions: [{ type: EVIL, status: EVIL, reason: EVIL, message: EVIL }],
      identity: { id: 7, labels: [EVIL] },
    },
  };
  const pod = (status: object, phase: string) => ({
    ...object,
    status: { ...object.status, phase, containerStatuses: [status] },
  });
  const table = {
    kind: 'Table',
    columnDefinitions: [{ name: EVIL }, { name: EVIL, priority: 1 }],
    rows: [{ cells: [EVIL, { [EVIL]: EVIL }], object: { metadata } }],
  };
  const refusal = {
    kind: 'Status',
    reason: EVIL,
    message: EVIL,
    details: {
      causes: [{ reason: 'FieldManagerConflict', message: `conflict with "${EVIL}"`, field: EVIL }],
    },
  };
  const server = stack.use(
    await serveKube((request, response) => {
      const path = (request.url ?? '').replace(/\?.*/, '');
      if (/\/(?:exec|portforward)$/.test(path)) return answerJson(response, refusal, 403);
      if (path.endsWith('/log'))
        return response.end(`2026-11-22T08:03:30Z level=error msg="${EVIL}" ${EVIL}\n`);
      if (request.method !== 'GET') return answerJson(response, refusal, 409);
      if (request.headers.accept?.includes('as=Table')) return answerJson(response, table);
      if (/\/(?:configmaps|daemonsets|deployments|services|secrets|nodes)\/[^/]+$/.test(path))
        return answerJson(response, object);
      if (/\/pods\/[^/]+$/.test(path)) return answerJson(response, pod(running, 'Running'));
      const items = path.endsWith('/pods') ? [pod(running, 'Running'), pod(broken, 'Pending')] : [object];
      return answerJson(response, { kind: 'List', metadata: {}, items });
    }),
  );
  return server.kubeconfig;
}

async function servers(): Promise<Record<string, string>[]> {
  const envs = [false, true].map(async (wellFormed) => {
    const server = createServer((request, response) => {
      const url = (request.url ?? '').replace(/\?.*/, '');
      const found = PATHS.find(({ pattern }) => pattern.test(url))?.calls[
        request.method?.toLowerCase() ?? ''
      ];
      const schema = found?.responses['200'] ?? found?.responses['201'];
      response.writeHead(schema ? 200 : 404, { 'content-type': 'application/json' });
      const health = url === '/v1beta/status' && {
        local: { name: EVIL },
        nodes: [{ name: EVIL, host: { 'primary-address': { ip: EVIL, icmp: { status: EVIL } } } }],
      };
      const body = health || (schema ? bodyOf(schema.schema ?? schema, '', wellFormed) : { message: EVIL });
      response.end(JSON.stringify(body));
    });
    const socket = await listen(server);
    stack.defer(() => close(server, socket));
    return socket;
  });
  const [hostile = '', fine = ''] = await Promise.all(envs);
  const messages = (file: string, name: 'observer.GetFlowsResponse' | 'observer.GetNodesResponse') =>
    recordedMessages(file)
      .slice(0, 10)
      .map((bytes) => encode(name, spoiled(decode(name, bytes)) as never));
  const failing = { status: 14, message: EVIL };
  const hubble = stack.use(
    await serveGrpc({
      '/observer.Observer/GetFlows': {
        messages: messages('getflows-300.grpc', 'observer.GetFlowsResponse'),
        ...failing,
      },
      '/observer.Observer/GetNodes': {
        messages: messages('relay-GetNodes.grpc', 'observer.GetNodesResponse'),
      },
      '/observer.Observer/GetNamespaces': failing,
      '/observer.Observer/ServerStatus': failing,
      '/observer.Observer/GetAgentEvents': failing,
      '/observer.Observer/GetDebugEvents': failing,
      '/peer.Peer/Notify': failing,
      '/grpc.health.v1.Health/Check': failing,
      '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo': failing,
      '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo': failing,
    }),
  );
  const shell = stack.use(
    await serveStream((connection) =>
      connection.on('data', () => connection.write(`${EVIL}\n${EVIL}<<error>>\n`)),
    ),
  );
  const notice = Buffer.concat([
    Buffer.of(0x82),
    new GobEncoder().encode(
      { struct: 'AgentNotify', fields: { Type: 'uint', Text: 'string' } },
      { Type: 1, Text: EVIL },
    ),
  ]);
  const monitor = stack.use(
    await serveStream((connection) => connection.end(monitorStream([{ Data: notice, CPU: 1 }]))),
  );
  const kubeconfig = await kubeServer();
  const home = join(folder, 'home');
  mkdirSync(home, { recursive: true });
  return [hostile, fine].map((agent) => ({
    HOME: home,
    TERM: 'xterm',
    // No program of the machine is run.
    PATH: join(folder, 'none'),
    KUBECONFIG: kubeconfig,
    CILIUM_SOCK: agent,
    CILIUM_HEALTH_SOCK: agent,
    CILIUM_MONITOR_SOCK: monitor.socket,
    CILIUM_BPF_ROOT: join(folder, 'bpf'),
    CILIUM_SYSFS: fixturePath('monitor/sys'),
    CILIUM_ENVOY_ADMIN_SOCK: agent,
    HUBBLE_SERVER: hubble.address,
    SHELL_SOCKET: shell.socket,
  }));
}

/** How the driver is run: as nobody on this machine, or as root on a node that is made for it. */
interface Place {
  uid: number;
  pins: string[];
  /** Words of a program that runs another one elsewhere. */
  enter: string[];
}
const HERE: Place = { uid: 1000, pins: [], enter: [] };

/** Runs command lines at a terminal and returns what arrived there of each. */
async function atTerminal(
  lines: readonly string[][],
  env: Record<string, string>,
  { uid, pins, enter } = HERE,
): Promise<string[]> {
  const plan = join(folder, 'plan.json');
  const typescript = join(folder, 'typescript');
  writeFileSync(plan, JSON.stringify({ env, cwd: folder, lines, uid, pins }));
  const driver = fileURLToPath(new URL('driver.ts', import.meta.url));
  const tsx = new URL('../../node_modules/tsx/dist/loader.mjs', import.meta.url).href;
  const words = [...enter, process.execPath, '--import', tsx, driver, plan];
  const command = words.map((word) => `'${word}'`).join(' ');
  const child = spawn(SCRIPT ?? 'script', ['-qefc', command, typescript], {
    stdio: ['pipe', 'ignore', 'inherit'],
    cwd: folder,
    // Which tells how screens are compiled: it is looked for in the folder that the driver runs in.
    env: {
      ...process.env,
      TSX_TSCONFIG_PATH: fileURLToPath(new URL('../../tsconfig.json', import.meta.url)),
    },
  });
  await new Promise((resolve) => child.on('close', resolve));
  const text = readFileSync(typescript, 'utf8').replaceAll('\r\n', '\n');
  const parts = text.split(/\n@@(?:\d+|end)@@\n/).slice(1, -1);
  expect(parts.length).toBe(lines.length);
  return parts;
}

/** Command lines of which something arrived that steers a terminal. */
function wrongOf(lines: readonly string[][], arrived: readonly string[]): object[] {
  return lines.flatMap((argv, i) => {
    const text = arrived[i] ?? '';
    const strict = !argv.includes('--tui') && CONTROL.test(text.replaceAll(OWN, ''));
    return ARRIVED.test(text) || strict
      ? [{ argv: argv.join(' '), text: JSON.stringify(text.slice(0, 600)) }]
      : [];
  });
}

/** Verbs that showed something of what is hostile and that was not told to them. */
function shownBy(lines: readonly string[][], arrived: readonly string[]): string[] {
  return lines
    .filter((argv, i) => arrived[i]?.includes('pwn') && !argv.some((word) => word.includes(EVIL)))
    .map((argv) => VERBS.filter((words) => words.every((word, at) => argv[at] === word)).at(-1) ?? [])
    .map((words) => words.join(' '));
}

terminal(
  `no verb lets a hostile cluster steer a terminal${title}`,
  async () => {
    const paths = files();
    const shown = new Set<string>();
    for (const env of await servers()) {
      const lines = CLUSTER_VERBS.flatMap((words) => {
        const given = WORDS[words.join(' ')] ?? [[], ['1'], ['1', '-o', 'yaml'], [EVIL]];
        return given.map((more) => [
          ...words,
          ...more.map((word) => word.replace(/^\{(\w+)\}$/, (_, name: string) => paths[name] ?? word)),
          ...(words[0] === 'shell' || words[0] === 'metrics'
            ? ['--shell-sock-path', env.SHELL_SOCKET ?? '']
            : []),
        ]);
      });
      const arrived = await atTerminal(lines, env);
      const wrong = wrongOf(lines, arrived);
      // Each pane of the live screen was there.
      for (const [i, argv] of lines.entries())
        if (argv.includes('--tui'))
          for (const pane of ['CLIENT / SERVER', 'Connection (', 'TIMELINE', 'Top talkers', 'Keys ('])
            expect(arrived[i]).toContain(pane);
      for (const words of shownBy(lines, arrived)) shown.add(words);
      expect(wrong).toEqual([]);
    }
    const silent = CLUSTER_VERBS.filter((words) => !shown.has(words.join(' ')));
    // A verb that shows nothing of what is hostile needs words above, or an excuse.
    expect(silent.map((words) => words.join(' '))).toEqual([]);
  },
  600_000,
);

/** Of the verbs of the node those, or nouns, that show numbers, addresses and the kernel's own names only. They are tried as well. */
const NUMBERS: readonly string[] = [
  ...'auth bandwidth config ct egress endpoint frag ipcache ipmasq lb metrics multicast nat nodeid recorder socknat srv6 tunnel vtep'
    .split(' ')
    .map((noun) => `bpf ${noun}`),
  // Of what they are told.
  ...[
    'bpf maps dump',
    'bpf policy get',
    'bpf policy add',
    'bpf policy delete',
    'bpf sha get',
    'cleanup baseline',
  ],
  ...['encrypt flush', 'encrypt dump-xfrm'],
];

/** Why no node can be made here. */
const missing = SCRIPT === undefined ? 'no script(1)' : missingKernel();
const node = missing === undefined ? test : test.skip;

node(
  `no verb lets a hostile node steer a terminal${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  async () => {
    const [env = {}] = await servers();
    const evil = join(folder, 'evil');
    writeFileSync(evil, EVIL);
    const scratch = join(folder, 'node');
    mkdirSync(scratch);
    const [record, baseline] = [join(folder, 'record.json'), join(folder, 'baseline.json')];
    const words: Readonly<Record<string, readonly (readonly string[])[]>> = {
      cleanup: [
        ['--dry-run'],
        ['--dry-run', '-o', 'yaml'],
        [],
        ['--force', '--even-if-agent-runs', '--undo-file', record],
      ],
      'cleanup baseline': [[baseline]],
      'cleanup diff': [[baseline], [baseline, '-o', 'yaml'], [EVIL]],
      'cleanup undo': [[record, '--dry-run'], [record], [record, '--force'], [EVIL]],
    };
    // What others show is removed late, and is in the difference then.
    const last = ['cleanup', 'cleanup diff', 'cleanup undo'];
    const order = (verb: readonly string[]) => last.indexOf(verb.join(' '));
    const lines = NODE_VERBS.toSorted((a, b) => order(a) - order(b)).flatMap((verb) =>
      (words[verb.join(' ')] ?? [[], ['-o', 'yaml'], ['1'], [EVIL], [`cilium_${EVIL}`]]).map((more) => [
        ...verb,
        ...more,
      ]),
    );
    const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
    const enter = [
      'bash',
      here('../node/cleanup/matrix/enter.sh'),
      scratch,
      'bash',
      here('hostile-node.sh'),
      evil,
    ];
    const pins = ['cilium_', 'cilium_policy_', 'cilium_lb4_maglev_'].map(
      (name) => `/sys/fs/bpf/tc/globals/${name}${EVIL}`,
    );
    const root = { ...env, PATH: process.env.PATH ?? '', CILIUM_BPF_ROOT: '/sys/fs/bpf' };
    const arrived = await atTerminal(lines, root, { uid: 0, pins, enter });
    expect(wrongOf(lines, arrived)).toEqual([]);
    const shown = shownBy(lines, arrived);
    const silent = NODE_VERBS.map((verb) => verb.join(' ')).filter(
      (verb) => !shown.includes(verb) && !NUMBERS.some((each) => `${verb} `.startsWith(`${each} `)),
    );
    expect(silent).toEqual([]);
  },
  600_000,
);
