// `config view` beside `kubectl get cm`, against a real API server on this machine: time from exec to exit, and memory.
// KUBE_APISERVER names the server's program (`npm run e2e` builds one), KUBECTL kubectl's where it is not on PATH.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { startApiServer } from '../e2e/api-server.ts';
import { loadFacts } from '../src/cluster/config/facts.ts';
import { measureInTurns, table } from './lib-measure.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const RUNS = 20;

function has(program: string, ...words: string[]): boolean {
  return spawnSync(program, words, { stdio: 'ignore' }).status === 0;
}

/** Prints both, with a ConfigMap of all keys that 1.20 has. */
export async function run(): Promise<void> {
  const kubectl = process.env.KUBECTL ?? 'kubectl';
  for (const [program, words] of [
    [process.env.KUBE_APISERVER ?? 'kube-apiserver', ['--version']],
    ['etcd', ['--version']],
    [kubectl, ['version', '--client']],
  ] as const)
    if (!has(program, ...words)) {
      console.log(`no ${program}: skipped`);
      return;
    }
  const facts = await loadFacts();
  await using server = await startApiServer();
  const data = Object.fromEntries(facts.keys.of(20).map((key) => [key, 'true']));
  await server.call('POST', '/api/v1/namespaces/kube-system/configmaps', {
    metadata: { name: 'cilium-config' },
    data,
  });
  const env = { ...process.env, KUBECONFIG: server.kubeconfig('admin') };
  const rows = await measureInTurns(
    [
      {
        name: 'kubectl get cm -o yaml',
        command: kubectl,
        args: '-n kube-system get cm cilium-config -o yaml'.split(' '),
      },
      { name: 'cilium config view', command: `${root}bin/cilium`, args: ['config', 'view'] },
      {
        name: 'cilium config view -n',
        command: `${root}bin/cilium`,
        args: 'config view -n kube-system'.split(' '),
      },
    ],
    { env, runs: RUNS },
  );
  const base = rows[0]?.medianMs ?? 1;
  console.log(
    table(
      ['command', 'median ms', 'x kubectl', 'peak MB', 'exit'],
      rows.map((row) => [
        row.name,
        row.medianMs.toFixed(1),
        (row.medianMs / base).toFixed(2),
        row.peakMb.toFixed(0),
        String(row.exitCode),
      ]),
    ),
  );
}
