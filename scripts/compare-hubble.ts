// Runs random command lines of `hubble observe` here and by the reference, and compares; see HELP.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { FILTER_FLAGS } from '../src/commands/hubble/observe/filter-flags.ts';
import type { Flow } from '../src/model/hubble.gen.ts';
import { fixturePath } from '../test/helpers/recordings.ts';
import { run } from '../test/helpers/run.ts';

const HELP = `Runs random command lines of "hubble observe" on a file of flows, here and by the reference hubble CLI, and
compares standard output and exit codes. Without a reference nothing is compared and the exit code is 0.

Usage: npm run compare-hubble -- [options] [file of flows...]

  --reference <path>  The reference (default: HUBBLE_REFERENCE, else a "hubble" on PATH that is not this program)
  --runs <n>          Command lines (default 300)
  --seed <n>          Other command lines (default: another one each time, which is printed)
  --cel               Only CEL expressions
  -h, --help          Print this help
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    reference: { type: 'string' },
    runs: { type: 'string', default: '300' },
    seed: { type: 'string' },
    cel: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
});

/** The path of the reference, if there is one here. */
function findReference(): string | undefined {
  const named = values.reference ?? process.env.HUBBLE_REFERENCE;
  if (named !== undefined) return resolve(named);
  const found = (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'hubble'))
    .find((path) => existsSync(path));
  // Ours names its runtime where the reference names Go.
  return found && /compiled with go/.test(execFileSync(found, ['version']).toString()) ? found : undefined;
}

/** Texts that stand in the flows, so that filters for them find something. */
function textsOf(file: string): string[] {
  const texts = new Set<string>();
  const collect = (value: unknown): void => {
    if (typeof value === 'string') texts.add(value);
    else if (typeof value === 'object' && value !== null)
      for (const inner of Object.values(value)) collect(inner);
  };
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    try {
      const { flow = {} }: { flow?: Flow } = JSON.parse(line);
      const { time, ...rest } = flow;
      collect(rest);
    } catch {
      // Damaged lines are part of the recordings.
    }
  }
  return [...texts].filter((text) => text.length < 80).slice(0, 4000);
}

const ODD = [
  '',
  '*',
  '/',
  'a/b',
  'a/',
  '/a',
  'x',
  '0',
  '-1',
  '80',
  '.*',
  '(',
  'é',
  'default/',
  'a=b',
  '!a',
  'true',
  '10.0.0.0/8',
  '::/0',
];

/** Values for the flags that take few. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  protocol: [
    'tcp',
    'UDP',
    'icmp',
    'icmpv4',
    'ICMPv6',
    'sctp',
    'vrrp',
    'igmp',
    'dns',
    'http',
    'kafka',
    'quux',
    '',
  ],
  'tcp-flags': ['syn', 'SYN,ack', 'fin', 'rst,psh', 'ns', '', 'syn,', 'none'],
  type: [
    'drop',
    'trace',
    'l7',
    'policy-verdict',
    'capture',
    'trace-sock',
    'debug',
    'trace:to-endpoint',
    'trace:from-host',
    '0',
    '4',
    '129',
    '4:0',
    'trace:0',
    'agent:message',
    'drop:133',
    'nope',
    '5:',
  ],
  verdict: [
    'FORWARDED',
    'DROPPED',
    'AUDIT',
    'REDIRECTED',
    'ERROR',
    'TRACED',
    'TRANSLATED',
    'VERDICT_UNKNOWN',
    'dropped',
    '',
  ],
  'drop-reason-desc': ['POLICY_DENIED', 'DROP_REASON_UNKNOWN', 'UNSUPPORTED_L3_PROTOCOL', ''],
  'http-status': ['200', '404', '5+', '40+', '600', '0+', '1', '+', ''],
  'http-method': ['get', 'POST', '', 'x'],
  'http-path': ['.*', '^/', '/api', '', '^$', '('],
  'http-url': ['.*', '[[:alpha:]]+://', '', '^/', '\\d+', '(?i)HTTP', '('],
  'http-header': ['a:b', 'x', ':', 'host:x'],
  'ip-trace-id': ['1', '12345', '0', 'x', '18446744073709551615'],
  fqdn: ['*', '*.example.com', 'cilium.io', 'EXAMPLE.com', 'a..', 'x_y', ''],
  ip: ['10.0.0.1', '10.0.0.0/8', '::1', '::/0', '0.0.0.0/0', 'fd00::/8', 'x', '10.0.0.1/33', ''],
  'ip-version': ['4', 'v6', 'none', 'IPv4', ''],
  'node-name': ['*', 'node*', 'cluster1/*', 'default/node1', '/node1', 'cluster1/', 'a/b/c', '', 'k8s1'],
  label: [
    'k8s:app=web',
    'app=web',
    'app',
    '!app',
    'app in (web, api)',
    'app notin (web)',
    'reserved:host',
    'reserved:world',
    'app!=web',
    '',
    ' ',
    'a b',
    'k8s:io.kubernetes.pod.namespace=default',
    'app in ()',
    'app,!x',
    'a>1',
  ],
  port: ['80', '443', '53', '0', '65536', 'http', ''],
  identity: [
    'world',
    'host',
    '0',
    '1',
    '2',
    'remote-node',
    'kube-apiserver',
    'init',
    'health',
    '9',
    '99999',
    'nope',
    '',
  ],
  workload: ['web', 'Deployment/web', 'Deployment/', '/', ''],
  'traffic-direction': ['ingress', 'EGRESS', 'none', ''],
  interface: ['eth0', 'lxc123', ''],
};

/** Expressions that the reference takes, and some that it refuses. */
const CEL = [
  '_flow.verdict == Verdict.DROPPED',
  '_flow.verdict == flow.Verdict.FORWARDED',
  '_flow.verdict in [Verdict.DROPPED, Verdict.ERROR]',
  '_flow.verdict == 1',
  '_flow.verdict > 1',
  '_flow.verdict == 1u',
  '_flow.verdict == null',
  '_flow.verdict',
  '_flow.source.ID == 5u',
  '_flow.source.ID == 5',
  '_flow.source.ID > 5u',
  '_flow.source.ID > 5',
  'int(_flow.source.ID) > 5',
  'int(_flow.source.ID) == 0',
  'uint(_flow.verdict) == 1u',
  'string(_flow.source.identity).startsWith("1")',
  '_flow.source.identity in [0u, 1u, 2u]',
  '_flow.source == null',
  '_flow.source != null',
  '_flow.l7 == null',
  '_flow.source.pod_name == null',
  '_flow.is_reply',
  '!_flow.is_reply',
  '_flow.is_reply == true',
  '_flow.is_reply == null',
  '_flow.is_reply != null && _flow.is_reply',
  '_flow.is_reply || true',
  '_flow.is_reply ? true : false',
  'has(_flow.is_reply)',
  'has(_flow.source)',
  'has(_flow.source.pod_name)',
  'has(_flow.l4.TCP)',
  'has(_flow.verdict)',
  'has(_flow.uuid) && !has(_flow.l7)',
  '_flow.source.pod_name.startsWith("a")',
  '_flow.source.pod_name.contains("-")',
  '_flow.source.pod_name.endsWith("0")',
  '_flow.source.pod_name.matches("^[a-z]+$")',
  'matches(_flow.node_name, "node[0-9]")',
  'size(_flow.source.labels) > 0',
  '_flow.source.labels.size() == 2',
  '"k8s:app=web" in _flow.source.labels',
  '_flow.source.labels.exists(l, l.startsWith("k8s:"))',
  '_flow.source.labels.all(l, l != "")',
  '_flow.source.labels[0] == "reserved:host"',
  '_flow.source_names.exists_one(n, n == "cilium.io")',
  '_flow.source.workloads.exists(w, w.kind == "Deployment")',
  '_flow.source.labels.map(l, size(l)).exists(n, n > 10)',
  '_flow.source.labels.filter(l, l.contains("=")).size() > 0',
  '_flow.l4.TCP.destination_port == 80u',
  '_flow.l4.TCP.destination_port == 80',
  '_flow.l4.TCP.flags.SYN',
  '_flow.l4.TCP.flags.SYN && !_flow.l4.TCP.flags.ACK',
  '_flow.l7.http.code >= 400u',
  '_flow.IP.encrypted',
  '_flow.IP.ipVersion == IPVersion.IPv4',
  '_flow.IP.source == "10.0.0.1" || _flow.IP.destination == "10.0.0.1"',
  '_flow.time > timestamp("2026-11-22T12:00:00Z")',
  '_flow.time.getHours() > 12',
  '_flow.traffic_direction == TrafficDirection.INGRESS',
  '_flow.drop_reason_desc == DropReason.POLICY_DENIED',
  '_flow.event_type.type == 4',
  '_flow.event_type.sub_type == -1',
  '_flow.Summary == ""',
  '_flow.nope == 1',
  '_flow',
  'true',
  'false',
  '1',
  '"x"',
  '1 == 1',
  '1 == 1u',
  '1 == 1.0',
  '"a" == 1',
  'dyn(1) == dyn(1u)',
  'dyn(_flow.source.ID) == 5',
  'null == null',
  'type(_flow.uuid) == string',
  '[1, 2].exists(x, x == 2)',
  '[1, "a"].size() == 2',
  '{"a": 1}["a"] == 1',
  '1 / 0 == 1',
  'x == 1',
  '_flow.verdict ==',
  '',
  '_flow.uuid > "5"',
  '_flow.ip_trace_id.trace_id > 0u',
  '_flow.policy_match_type == 0u',
  '_flow.destination_service.name != ""',
  '_flow.source.cluster_name == "default" ? _flow.verdict == 1 : false',
  'string(_flow.verdict) == "1"',
  'double(_flow.source.ID) > 1.5',
  'duration("1s") < duration("2s")',
  'bool("true")',
  'int("x") == 1',
  '_flow.source.identity in [1, 2]',
  '_flow.source.workloads.exists(w, w.name == 1)',
  '_flow.source.labels.exists(l, size(l) > 3u)',
  '_flow.source.labels.exists(l, size(l) > 3)',
  '_flow.is_reply == 1',
  '_flow.is_reply.value',
  '_flow.l7.latency_ns > 5u',
  '_flow.l7.latency_ns > 5',
  '_flow.interface.index == 2u',
  '_flow.time == null',
  '_flow.source.workloads == null',
  '_flow.source_names == null',
  '_flow.IP == _flow.tunnel.IP',
  '_flow.source == _flow.destination',
  '_flow.source.labels == _flow.destination.labels',
  '_flow.source.ID + 1u > 1u',
  '_flow.source.ID + 1 > 1u',
  '_flow.verdict + 1 == 2',
  '-_flow.verdict < 0',
  '_flow.verdict == Verdict.DROPPED && true || false',
  'Verdict.DROPPED == 2',
  'Verdict.NOPE == 2',
  '_flow.extensions == null',
  '_flow.file.line > 0u',
  'size(_flow.source) == 0',
  '_flow.Type == FlowType.L7',
  '_flow.l7.type == L7FlowType.REQUEST',
  'dyn(true)',
  '[true][0]',
  '{"a": true}.a',
  '_flow.uuid in {"x": 1}',
  '_flow.uuid + "x" == "x"',
  'b"a" == b"a"',
  '_flow["uuid"] == ""',
] as const;

const pick = <T>(list: readonly T[]) => fc.constantFrom(...list);

/** The values of a filter flag: those that it knows, those of the flows, and odd ones. */
function filterValue(name: string, texts: readonly string[]): fc.Arbitrary<string> {
  if (name === 'cel-expression') return pick(CEL);
  const known = VALUES[name] ?? VALUES[name.replace(/^(?:from|to|snat|node)-/, '')];
  return fc.oneof(
    ...(known ? [{ weight: 6, arbitrary: pick(known) }] : []),
    { weight: known ? 2 : 6, arbitrary: pick(texts) },
    { weight: 1, arbitrary: pick(ODD) },
  );
}

/** A filter flag that the reference's help knows, in one of the ways to write it. */
function filterWords(texts: readonly string[], help: string): fc.Arbitrary<string[]> {
  const flags = FILTER_FLAGS.filter(({ name }) => new RegExp(`--${name}\\b`).test(help));
  return pick(flags).chain(({ name, value }) =>
    fc
      .tuple(filterValue(name, texts), fc.boolean(), fc.nat(4))
      .map(([text, joined, not]) => [
        ...(not === 0 ? ['--not'] : []),
        ...(!value ? [`--${name}`] : joined ? [`--${name}=${text}`] : [`--${name}`, text]),
      ]),
  );
}

const FORMATS = ['compact', 'dict', 'table', 'tab', 'json', 'jsonpb', 'JSON'];
const TIMES = [
  '2026-11-22',
  '2026-11-22T08:00:00Z',
  '2026-11-22T12Z',
  '2026-11-22T12:30+01:00',
  '2026-11-22T20:08:29Z',
  'yesterday',
  '1h',
  '-5m',
];

const other: fc.Arbitrary<string[]> = fc.oneof(
  { weight: 8, arbitrary: pick(FORMATS).map((format) => ['-o', format]) },
  fc
    .tuple(pick(['--last', '--first']), pick(['0', '1', '5', '20', '1000001', '-1']))
    .map((words) => [...words]),
  fc.tuple(pick(['--since', '--until']), pick(TIMES)).map((words) => [...words]),
  pick([
    '--all',
    '--print-node-name',
    '--print-policy-names',
    '--numeric',
    '--ip-translation=false',
    '--color=always',
    '--print-raw-filters',
    '--follow',
    '--use-default-field-masks=false',
    '-s',
  ]).map((word) => [word]),
  pick(['RFC3339', 'rfc3339nano', 'StampMilli', 'RFC1123Z', 'YearMonthDay', 'YearMonthDayHour', 'nope']).map(
    (layout) => ['--time-format', layout],
  ),
  pick(['uuid', 'source.pod_name,verdict', 'l4', 'nope', '']).map((mask) => ['--field-mask', mask]),
  pick([
    '{"verdict":["DROPPED"]}',
    '{}',
    '{"source_pod":[""]}',
    '{"nope":1}',
    '{"reply":[true]}{"uuid":["x"]}',
    'x',
  ]).chain((filter) => pick(['--allowlist', '--denylist']).map((flag) => [flag, filter])),
);

function commandLines(texts: readonly string[], help: string): fc.Arbitrary<string[]> {
  return fc
    .tuple(
      fc.array(filterWords(texts, help), { maxLength: 3 }),
      fc.array(other, { maxLength: 3 }),
      fc.boolean(),
    )
    .map(([filters, others, flows]) => [
      'observe',
      ...(flows ? ['flows'] : []),
      ...filters.flat(),
      ...others.flat(),
    ]);
}

interface Outcome {
  stdout: string;
  code: number;
}

async function ours(argv: readonly string[]): Promise<Outcome & { stderr: string }> {
  return run(['hubble', ...argv], { env: { HOME: '/nonexistent' }, nowMs: Date.now() });
}

function theirs(reference: string, argv: readonly string[]): Outcome & { stderr: string } {
  const env = { HOME: '/nonexistent', TZ: 'UTC' };
  const result = spawnSync(reference, argv, { env, encoding: 'utf8', maxBuffer: 1 << 30, timeout: 60_000 });
  return { stdout: result.stdout, stderr: result.stderr, code: result.status ?? -1 };
}

/** Both at the first line where they part. */
function explain(a: string, b: string): string {
  const [left, right] = [a.split('\n'), b.split('\n')];
  const at = left.findIndex((line, i) => line !== right[i]);
  const line = at === -1 ? left.length : at;
  return `line ${line + 1}\n    reference: ${left[line]?.slice(0, 300)}\n    ours:      ${right[line]?.slice(0, 300)}`;
}

async function main(): Promise<number> {
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const reference = findReference();
  if (reference === undefined) {
    console.log('skipped: there is no reference hubble CLI; name one with --reference or HUBBLE_REFERENCE');
    return 0;
  }
  console.log(execFileSync(reference, ['version']).toString().trim());
  const help = execFileSync(reference, ['observe', '--help']).toString();
  const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed);
  const recorded = ['flows-random.jsonl', 'flows-1.20.jsonl', 'flows-1.14.jsonl'];
  const files =
    positionals.length > 0
      ? positionals.map((file) => resolve(file))
      : recorded.map((file) => fixturePath(`recordings/${file}`));
  const perFile = Math.ceil(Number(values.runs) / files.length);
  let differing = 0;
  let total = 0;
  for (const file of files) {
    const lines = values.cel
      ? CEL.map((expression) => ['observe', '--cel-expression', expression])
      : fc.sample(commandLines(textsOf(file), help), { seed, numRuns: perFile });
    for (const line of lines) {
      const argv = [...line, '--input-file', file];
      const [want, have] = [theirs(reference, argv), await ours(argv)];
      total++;
      if (want.stdout === have.stdout && want.code === have.code) continue;
      differing++;
      console.log(`  ${JSON.stringify(argv)}`);
      if (want.code !== have.code)
        console.log(
          `    exit code ${want.code}, ours ${have.code}: ${(want.stderr || have.stderr).slice(0, 300)}`,
        );
      else console.log(`    ${explain(want.stdout, have.stdout)}`);
    }
  }
  console.log(`${total - differing}/${total} alike, seed ${seed}`);
  return differing === 0 ? 0 : 1;
}

process.exitCode = await main();
