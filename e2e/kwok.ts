import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestLab } from '../test/helpers/lab.ts';
import { type ApiServer, freePorts } from './api-server.ts';

/** kwok as the kubelet of all nodes: it makes them ready and pods run, and takes exec. */
export interface Kwok extends AsyncDisposable {
  /** What follows the sockets of the agents: a file that is there holds all that are opened back. */
  hold: string;
  /** How many connections were asked for so far. */
  started(): number;
}

/** Which agents answer. */
export interface Agents {
  /** The sockets of this one stand for those in every container. */
  lab: TestLab;
  /** The agents in these pods take a connection and never answer. */
  hanging?: readonly string[];
}

/** Stands for perl in a container: it leads to the sockets of the lab, whatever the path is called. */
const PERL = `#!/bin/sh
while [ "$HANGS" = yes ] && [ -d "$SOCKETS" ]; do sleep 5; done
echo >> "$STARTED"
while [ -e "$HOLD" ]; do sleep 0.05; done
exec /usr/bin/perl "$1" "$2" "$SOCKETS/\${3##*/}"
`;

const stage = (name: string, kind: string, statusTemplate: string) => ({
  kind: 'Stage',
  metadata: { name },
  spec: {
    resourceRef: { apiGroup: 'v1', kind },
    selector: {
      matchExpressions: [
        { key: '.metadata.deletionTimestamp', operator: 'DoesNotExist' },
        { key: '.status.phase', operator: 'NotIn', values: ['Running'] },
      ],
    },
    next: { statusTemplate },
  },
});

const NODE = `phase: Running
conditions: [{ type: Ready, status: "True", reason: KubeletReady, lastTransitionTime: {{ Now | Quote }} }]
addresses: [{ type: InternalIP, address: {{ NodeIP | Quote }} }]
daemonEndpoints: { kubeletEndpoint: { Port: {{ NodePort }} } }
`;
const POD = `phase: Running
startTime: {{ Now | Quote }}
conditions: [{ type: Ready, status: "True", lastTransitionTime: {{ Now | Quote }} }]
containerStatuses:
{{ range .spec.containers }}
- { name: {{ .name | Quote }}, image: {{ .image | Quote }}, ready: true, restartCount: 0, state: { running: { startedAt: {{ Now | Quote }} } } }
{{ end }}
`;

const documents = (objects: readonly object[]) =>
  objects.map((one) => JSON.stringify({ apiVersion: 'kwok.x-k8s.io/v1alpha1', ...one })).join('\n---\n');

/** Starts one. `KWOK` names the program. */
export async function startKwok(server: ApiServer, { lab, hanging = [] }: Agents): Promise<Kwok> {
  const folder = mkdtempSync(join(tmpdir(), 'kwok-'));
  const file = (name: string) => join(folder, name);
  for (const name of ['bin', 'sockets']) mkdirSync(file(name));
  writeFileSync(file('started'), '');
  writeFileSync(file('bin/perl'), PERL);
  chmodSync(file('bin/perl'), 0o755);
  const { agent, monitor, health, shell } = lab.lab.info.sockets;
  for (const [name, path] of [
    ['cilium.sock', agent],
    ['monitor1_2.sock', monitor],
    ['health.sock', health],
    ['shell.sock', shell],
  ] as const)
    symlinkSync(path, file(`sockets/${name}`));
  const env = Object.entries({
    SOCKETS: file('sockets'),
    HOLD: file('hold'),
    STARTED: file('started'),
    PATH: process.env.PATH ?? '',
  }).map(([name, value]) => ({ name, value }));
  const exec = (name: string, selector: object, more: object[] = []) => ({
    kind: 'ClusterExec',
    metadata: { name },
    spec: { ...selector, execs: [{ local: { workDir: folder, envs: [...env, ...more] } }] },
  });
  writeFileSync(
    file('kwok.yaml'),
    documents([
      stage('node', 'Node', NODE),
      stage('pod', 'Pod', POD),
      ...(hanging.length > 0
        ? [exec('hang', { selector: { matchNames: hanging } }, [{ name: 'HANGS', value: 'yes' }])]
        : []),
      exec('all', {}),
    ]),
  );
  const [port] = await freePorts(1);
  const started = spawn(
    process.env.KWOK ?? 'kwok',
    [
      ...['--config', file('kwok.yaml'), '--kubeconfig', server.kubeconfig('admin'), '--manage-all-nodes'],
      ...[`--server-address=127.0.0.1:${port}`, '--node-ip=127.0.0.1', `--node-port=${port}`],
      ...['--tls-cert-file', server.file('certs/apiserver.crt')],
      ...['--tls-private-key-file', server.file('certs/apiserver.key')],
    ],
    {
      stdio: ['ignore', 'ignore', process.env.E2E_VERBOSE ? 'inherit' : 'ignore'],
      env: { ...process.env, HOME: folder, PATH: `${file('bin')}:${process.env.PATH}` },
    },
  );
  return {
    hold: file('hold'),
    started: () => readFileSync(file('started'), 'utf8').length,
    [Symbol.asyncDispose]: async () => {
      started.kill('SIGKILL');
      if (started.exitCode === null && started.signalCode === null) await once(started, 'exit');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Waits until kwok has made all nodes ready, and all pods run. */
export async function allRun(server: ApiServer): Promise<void> {
  const running = async (path: string) => {
    const { items } = JSON.parse((await server.call('GET', path)).body) as {
      items: { status: { phase?: string } }[];
    };
    return items.every(({ status }) => status.phase === 'Running');
  };
  while (!((await running('/api/v1/nodes')) && (await running('/api/v1/pods')))) await sleep(200);
}
