/**
 * Makes the pictures of terminals in docs/casts: runs commands in a pseudo-terminal against a lab and draws what they send.
 * A picture whose words are the same stays as it is. With --check nothing is written, and a picture that says something else
 * than is printed today ends with exit code 1. Names of casts may be given. Needs "script" of util-linux.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CastStep, drawCast, wordsOfCast } from './casts/draw.ts';

interface Cast {
  name: string;
  title: string;
  lab?: string;
  files?: Readonly<Record<string, string>>;
  /** Run before, and not shown. */
  before?: readonly string[];
  commands: readonly string[];
  columns: number;
}

const DROP = '--from-pod orders/web-0 --to-port 53 --type drop';

const API = `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: { name: catalog, namespace: shop }
spec:
  endpointSelector: { matchLabels: { app: catalog } }
  ingres:
    - fromEndpoints: [{ matchLabels: { app: frontend } }]
      toPorts: [{ ports: [{ port: "3550", protocol: TCP }] }]
`;
const TESTS = `rules: api.yaml
namespace: shop
tests:
  - { name: the frontend reads the catalog, from: app=frontend, to: app=catalog, port: 3550, expect: allow }
  - { name: nobody else reads the catalog, from: app=checkout, to: app=catalog, port: 3550, expect: deny }
`;
const DNS = `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: { name: web-dns, namespace: orders }
spec:
  endpointSelector: { matchLabels: { app: web } }
  egress:
    - toEndpoints: [{ matchLabels: { k8s-app: kube-dns, io.kubernetes.pod.namespace: kube-system } }]
      toPorts: [{ ports: [{ port: "53", protocol: UDP }] }]
`;

const CASTS: readonly Cast[] = [
  {
    name: 'node-triage',
    title: 'The problems of a node, then what is dropped there',
    lab: '--scenario incident',
    before: ['sleep 3'],
    commands: [
      'cilium status --problems',
      'hubble observe --from-pod orders/web-0 --type drop --last 200 --top reason,dst,port',
    ],
    columns: 110,
  },
  {
    name: 'policy-in-ci',
    title: 'A policy with a mistake, its repair, and its tests',
    files: { 'api.yaml': API, 'tests.yaml': TESTS },
    commands: [
      'cilium policy validate api.yaml',
      'sed -i s/ingres:/ingress:/ api.yaml',
      'cilium policy validate api.yaml',
      'cilium policy test tests.yaml',
    ],
    columns: 84,
  },
  {
    name: 'incident',
    title: 'A drop, why it is one, and the rule that mends it',
    lab: '--kube --nodes 3 --scenario incident',
    files: { 'web-egress.yaml': DNS },
    before: ['sleep 3', `hubble observe -P ${DROP} --last 1 -o json > drop.json`],
    commands: [
      `hubble observe -P ${DROP} --last 1`,
      'cilium policy why --state cluster "$(cat drop.json)"',
      'cilium policy import web-egress.yaml --via kubernetes',
    ],
    columns: 104,
  },
  {
    name: 'capture-analysis',
    title: 'A ranking of a capture, one of its flows, and a slip',
    lab: '--scenario incident',
    before: ['sleep 5', 'hubble record capture.jsonl --last 1000'],
    commands: [
      `hubble observe --input-file capture.jsonl --where 'verdict = DROPPED and src.pod = "orders/web-0"' --top reason,dst,port`,
      `hubble observe --input-file capture.jsonl --where 'dst.port = 9000 and verdict = DROPPED' --last 1`,
      `hubble observe --input-file capture.jsonl --where 'dst.prot = 80'`,
    ],
    columns: 110,
  },
  {
    name: 'from-hubble',
    title: 'Flags of the hubble CLI, then one expression and a ranking',
    lab: '--scenario shop',
    before: ['sleep 3'],
    commands: [
      'hubble list namespaces',
      'hubble observe --verdict DROPED --last 1',
      `hubble observe --last 400 --where 'src.namespace = shop and dst.port = 6379 and not reply' --top dst,port`,
    ],
    columns: 108,
  },
];

const root = fileURLToPath(new URL('..', import.meta.url));
const argv = process.argv.slice(2);
const isCheck = argv.includes('--check');
const names = argv.filter((word) => word !== '--check');
const unknown = names.find((name) => !CASTS.some((cast) => cast.name === name));
if (unknown !== undefined) {
  console.error(`There is no cast ${unknown}: ${CASTS.map(({ name }) => name).join(', ')}.`);
  process.exit(1);
}
for (const cast of CASTS.filter(({ name }) => names.length === 0 || names.includes(name))) {
  const path = join(root, 'docs/casts', `${cast.name}.svg`);
  const svg = drawCast(cast.title, record(cast), cast.columns);
  const isSame = existsSync(path) && wordsOfCast(readFileSync(path, 'utf8')) === wordsOfCast(svg);
  console.log(`${cast.name}: ${isSame ? 'unchanged' : isCheck ? 'says something else' : 'drawn'}`);
  if (isSame) continue;
  if (isCheck) process.exitCode = 1;
  else writeFileSync(path, svg);
}

/** Runs the commands of a cast, each on a terminal of its own. */
function record({ lab, files = {}, before = [], commands, columns }: Cast): CastStep[] {
  const folder = mkdtempSync(join(tmpdir(), 'cast-'));
  const env: Record<string, string | undefined> = {
    PATH: `${join(root, 'bin')}:${process.env.PATH}`,
    HOME: folder,
    XDG_RUNTIME_DIR: folder,
    ...{ TZ: 'UTC', LANG: 'C.UTF-8', TERM: 'xterm-256color' },
  };
  const run = (command: string) =>
    execFileSync('bash', ['-c', command], {
      cwd: folder,
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  let isStarted = false;
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    if (lab !== undefined) {
      // As "eval" would take them.
      const told = run(`eval "$(cilium lab start ${lab} 2>/dev/null)"; env -0`);
      isStarted = true;
      for (const pair of told.split('\0')) {
        const at = pair.indexOf('=');
        if (at > 0) env[pair.slice(0, at)] = pair.slice(at + 1);
      }
    }
    for (const command of before) run(command);
    return commands.map((command) => {
      writeFileSync(join(folder, '.cast'), `stty cols ${columns} rows 50\n${command}\nexit 0\n`);
      const sent = run(`script -qec 'bash .cast' /dev/null`);
      return { command, output: sent.replaceAll('\r\n', '\n').trimEnd() };
    });
  } finally {
    if (isStarted) run('cilium lab stop');
    rmSync(folder, { recursive: true, force: true });
  }
}
