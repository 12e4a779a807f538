import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type RunOptions, type RunResult, run } from '../test/helpers/run.ts';
import { until } from '../test/helpers/until.ts';
import { type ApiServer, startApiServer } from './api-server.ts';

const CHART = join(import.meta.dirname, 'chart');
const SYSTEM = '/api/v1/namespaces/kube-system';
const APPS = '/apis/apps/v1/namespaces/kube-system';
const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const APPLY = 'application/apply-patch+yaml';
const MERGE = 'application/merge-patch+json';

let server: ApiServer;
/** Where this program and helm put their files, none of which may stay. */
let temporary: string;
beforeAll(async () => {
  temporary = mkdtempSync(join(tmpdir(), 'e2e-helm-'));
  server = await startApiServer();
  // It makes the namespace a moment after it is ready.
  while ((await server.call('GET', SYSTEM)).status !== 200) await sleep(100);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(temporary, { recursive: true });
});

const at = async (path: string) => {
  const { status, body } = await server.call('GET', path);
  return status === 200 ? JSON.parse(body) : undefined;
};
const data = async () => (await at(`${SYSTEM}/configmaps/cilium-config`))?.data;

/** The test's chart with another version. */
function chartOf(version: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'e2e-chart-'));
  cpSync(CHART, folder, { recursive: true });
  const file = join(folder, 'Chart.yaml');
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll('1.20.0', version));
  return folder;
}

const PROGRAMS = [
  { major: 3, path: process.env.HELM3 ?? '' },
  { major: 4, path: process.env.HELM4 ?? '' },
];

for (const { major, path } of PROGRAMS) {
  const isThere = path !== '' && existsSync(path);
  const suite = isThere ? describe : describe.skip;

  suite(`helm ${major}${isThere ? '' : ' (skipped: it was not built)'}`, () => {
    const cli = (argv: readonly string[], options: RunOptions = {}): Promise<RunResult> =>
      run(argv, {
        ...options,
        env: {
          KUBECONFIG: server.kubeconfig('admin'),
          CILIUM_HELM: path,
          PATH: process.env.PATH ?? '',
          TMPDIR: temporary,
          ...options.env,
        },
      });
    const helm = (...words: string[]) =>
      execFileSync(path, words, {
        env: { ...process.env, KUBECONFIG: server.kubeconfig('admin') },
        encoding: 'utf8',
      });
    const revisions = async () => {
      const { items } = await at(`${SYSTEM}/secrets?labelSelector=owner%3Dhelm,name%3Dcilium`);
      return items
        .map(({ metadata }: { metadata: { labels: { version: string; status: string } } }) => [
          Number(metadata.labels.version),
          metadata.labels.status,
        ])
        .toSorted((a: number[], b: number[]) => (a[0] ?? 0) - (b[0] ?? 0));
    };
    const isUpgrading = () => until(async () => (await revisions()).at(-1)?.[1] === 'pending-upgrade');
    const chart = ['--chart', CHART];

    test('install', async () => {
      const dry = await cli(['install', ...chart, '--dry-run', '--set', 'debug.enabled=true']);
      expect(dry.stdout).toMatch(/^---\n# Source: cilium\/templates\/cilium.yaml\n/);
      expect(dry.stdout).toContain('debug: "true"');
      expect([dry.stderr, dry.code, await revisions()]).toEqual(['', 0, []]);
      const { stdout, stderr, code } = await cli(['install', ...chart, '--set', 'cluster.id=7']);
      const address = new URL(server.url);
      expect([stdout, code]).toEqual([
        'ℹ️  Using Cilium version 1.20.0\n🔮 Auto-detected cluster name: c\n' +
          '🔮 Auto-detected kube-proxy has not been installed\nℹ️  Cilium will fully replace all functionalities of kube-proxy\n',
        0,
      ]);
      expect(stderr).toBe(
        'Cilium 1.20.0 is installed as release cilium. How far it is: cilium status --rollout --wait\n',
      );
      expect(await revisions()).toEqual([[1, 'deployed']]);
      expect(await data()).toMatchObject({ 'cluster-id': '7', 'cluster-name': 'c', debug: 'false' });
      expect((await at(`${APPS}/deployments/cilium-operator`)).spec.replicas).toBe(1);
      expect(JSON.parse(helm('get', 'values', 'cilium', '-n', 'kube-system', '-o', 'json'))).toMatchObject({
        kubeProxyReplacement: true,
        k8sServiceHost: address.hostname,
        k8sServicePort: Number(address.port),
      });
      const second = await cli(['install', ...chart]);
      expect(second.stderr).toContain('release name check failed: cannot reuse a name that is still in use');
      expect(second.code).toBe(1);
    });

    test('images of the release', async () => {
      expect(await cli(['images'])).toEqual({
        stdout: 'quay.io/cilium/cilium:v1.20.0\nquay.io/cilium/operator-generic:v1.20.0\n',
        stderr: '',
        code: 0,
      });
      const { stdout } = await cli(['images', ...chart, '--set', 'hubble.relay.enabled=true', '-o', 'json']);
      expect(JSON.parse(stdout).map(({ image }: { image: string }) => image)).toContain(
        'quay.io/cilium/hubble-relay:v1',
      );
    });

    test('upgrade shows what changes, and keeps what the release has', async () => {
      const flags = ['upgrade', ...chart, '--set', 'debug.enabled=true'];
      const diff =
        'From revision 1 (1.20.0) to 1.20.0:\nConfigMap kube-system/cilium-config:\n  ~ data.debug: "false" -> "true"\n4 objects without a change.\n';
      expect(await cli([...flags, '--diff'])).toEqual({ stdout: diff, stderr: '', code: 0 });
      const { data: before } = await at(`${SYSTEM}/secrets/cilium-ca`);
      const dry = await cli([...flags, '--dry-run']);
      expect(dry.stdout).not.toContain(before['ca.key']);
      expect(await revisions()).toEqual([[1, 'deployed']]);
      const { stderr, code } = await cli(flags);
      expect([stderr, code]).toEqual([diff, 0]);
      expect(await data()).toMatchObject({ 'cluster-id': '7', debug: 'true' });
      expect(await revisions()).toEqual([
        [1, 'superseded'],
        [2, 'deployed'],
      ]);
    });

    test('no jump over a minor version, and none back, without a word', async () => {
      for (const [version, why] of [
        [
          '1.22.0',
          '1.22.0 is more than one minor version after 1.20.0, which is installed: 1.21 would be left out',
        ],
        ['1.19.9', '1.19.9 is older than 1.20.0, which is installed'],
      ] as const) {
        const other = chartOf(version);
        const { stderr, code } = await cli(['upgrade', '--chart', other]);
        expect([stderr.split('\n').at(-3), code]).toEqual([
          `Error: Unable to upgrade Cilium: ${why}: nothing was changed`,
          1,
        ]);
        rmSync(other, { recursive: true });
      }
      expect(await revisions()).toHaveLength(2);
    });

    test('a conflict with somebody else', async () => {
      if (major === 3) {
        // helm 3 does not look at managers of fields, but it takes over no object that is not its own.
        const service = {
          apiVersion: 'v1',
          kind: 'Service',
          metadata: { name: 'hubble-relay' },
          spec: { ports: [{ port: 1 }] },
        };
        await server.call('POST', `${SYSTEM}/services`, service);
        const { stderr, code } = await cli(['upgrade', ...chart, '--set', 'hubble.relay.enabled=true']);
        expect(stderr).toMatch(
          /Error: Unable to upgrade Cilium: .*Service "hubble-relay" .*exists and cannot be imported/,
        );
        expect([code, (await revisions()).at(-1)]).toEqual([1, [2, 'deployed']]);
        await server.call('DELETE', `${SYSTEM}/services/hubble-relay`);
        return;
      }
      const taken = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'cilium-config' },
        data: { debug: 'maybe' },
      };
      const applied = await server.call(
        'PATCH',
        `${SYSTEM}/configmaps/cilium-config?fieldManager=somebody&force=true`,
        taken,
        APPLY,
      );
      expect(applied.status).toBe(200);
      const flags = ['upgrade', ...chart, '--set', 'debug.enabled=false'];
      const { stderr, code } = await cli(flags);
      expect(stderr).toMatch(
        /Error: Unable to upgrade Cilium: [\s\S]*conflict with "somebody"[\s\S]*\.data\.debug/,
      );
      expect([code, (await data()).debug]).toEqual([1, 'maybe']);
      expect((await cli([...flags, '--force-conflicts'])).code).toBe(0);
      expect((await data()).debug).toBe('false');
      expect((await cli(['upgrade', ...chart, '--set', 'debug.enabled=true'])).code).toBe(0);
    });

    test('a hook that fails: what is left behind, and the way back', async () => {
      const [last] = (await revisions())
        .filter(([, status]: [number, string]) => status === 'deployed')
        .at(-1);
      const { stderr, code } = await cli(['upgrade', ...chart, '--set', 'hook.fail=true,cluster.id=8']);
      expect(stderr).toContain('Hooks that helm runs: ConfigMap cilium-pre-upgrade.\n');
      expect(stderr).toMatch(/Error: Unable to upgrade Cilium: [\s\S]*no-such-namespace/);
      const failed = (await revisions()).at(-1);
      expect(failed[1]).toBe('failed');
      const back = `helm rollback cilium ${last} --namespace kube-system`;
      expect(stderr).toContain(
        `Revision ${failed[0]} is left in the state "failed": objects of it may be changed already. Back to revision ${last}: ${back}\n`,
      );
      expect([code, (await data())['cluster-id']]).toEqual([1, '8']);
      helm(...back.split(' ').slice(1));
      expect((await data())['cluster-id']).toBe('7');
      expect((await revisions()).at(-1)).toEqual([failed[0] + 1, 'deployed']);
    });

    test('--rollback-on-failure goes back by itself', async () => {
      const { code } = await cli([
        ...['upgrade', ...chart, '--set', 'hook.fail=true,cluster.id=8', '--rollback-on-failure'],
        ...['--wait-duration', '5s'],
      ]);
      expect(code).toBe(1);
      expect((await data())['cluster-id']).toBe('7');
    });

    test('--wait says what a roll-out that is stuck waits for', async () => {
      const pod = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'operator-1', labels: { 'io.cilium/app': 'operator' } },
        spec: { nodeName: 'n1', containers: [{ name: 'cilium-operator', image: 'x' }] },
      };
      await server.call('POST', `${SYSTEM}/pods`, pod);
      const waiting = { state: { waiting: { reason: 'ImagePullBackOff' } } };
      const status = {
        phase: 'Pending',
        containerStatuses: [
          { name: 'cilium-operator', ready: false, restartCount: 0, image: 'x', imageID: '', ...waiting },
        ],
      };
      await server.call('PATCH', `${SYSTEM}/pods/operator-1/status`, { status }, MERGE);
      const flags = ['upgrade', ...chart, '--set', 'cluster.id=9', '--wait', '--wait-duration', '3s'];
      const { stderr, code } = await cli(flags);
      expect(stderr).toContain('the container waits: ImagePullBackOff');
      expect(stderr).toMatch(
        /Error: Unable to upgrade Cilium: [\s\S]*Back to revision \d+: helm rollback cilium \d+/,
      );
      expect(code).toBe(1);
      await server.call('DELETE', `${SYSTEM}/pods/operator-1?gracePeriodSeconds=0`);
    });

    test('a signal reaches helm, which writes down how far it came', async () => {
      const stop = new AbortController();
      const flags = ['upgrade', ...chart, '--set', 'cluster.id=9', '--wait', '--wait-duration', '2m'];
      const running = cli(flags, {
        signal: stop.signal,
        onStderr: (text) => {
          // The next that it does is the upgrade.
          if (text.startsWith('From revision'))
            void isUpgrading().then(() => stop.abort(new Error('stopped')));
        },
      });
      const { stderr } = await running;
      expect(stderr).toContain(
        'Stopped: helm was told to end, and may have changed something. See: helm history cilium -n kube-system\n',
      );
      expect(readdirSync(temporary)).toEqual([]);
      expect((await revisions()).at(-1)[1]).toBe('failed');
    });

    test('a chart of a repository', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'e2e-repository-'));
      const newer = chartOf('1.21.0-rc.1');
      for (const one of [CHART, newer]) helm('package', one, '--destination', folder);
      helm('repo', 'index', folder);
      const repository = createServer((request, response) => {
        const file = join(folder, basename(request.url ?? ''));
        if (existsSync(file)) response.end(readFileSync(file));
        else response.writeHead(404).end();
      }).listen(0, '127.0.0.1');
      await once(repository, 'listening');
      const { port } = repository.address() as AddressInfo;
      const home = {
        env: { HELM_CACHE_HOME: join(folder, 'cache'), HELM_CONFIG_HOME: join(folder, 'config') },
      };
      const from = ['--repository', `http://127.0.0.1:${port}`];
      expect(await cli(['install', ...from, '--list-versions'], home)).toEqual({
        stdout: 'v1.21.0-rc.1\nv1.20.0 (default)\n',
        stderr: '',
        code: 0,
      });
      expect(existsSync(join(folder, 'config/repositories.yaml'))).toBe(false);
      const newest = await cli(['install', ...from, '--dry-run'], home);
      expect([newest.stdout.includes('kind: DaemonSet'), newest.code]).toEqual([true, 0]);
      const images = await cli(
        ['images', ...from, '--version', 'v1.21.0-rc.1', '--set', 'image.tag=x'],
        home,
      );
      expect(images.stdout).toBe('quay.io/cilium/cilium:x\nquay.io/cilium/operator-generic:x\n');
      const missing = await cli(['upgrade', ...from, '--version', '1.0.0'], home);
      expect(missing.stderr).toMatch(
        /^Error: Unable to upgrade Cilium: the chart cannot be fetched: .*1\.0\.0/,
      );
      repository.close();
      repository.closeAllConnections();
      rmSync(folder, { recursive: true });
      rmSync(newer, { recursive: true });
    });

    test('a release that Argo CD or Flux owns is not touched', async () => {
      const before = await revisions();
      const mark = (value: string | null) =>
        server.call(
          'PATCH',
          `${APPS}/daemonsets/cilium`,
          { metadata: { labels: { 'helm.toolkit.fluxcd.io/name': value } } },
          MERGE,
        );
      await mark('cilium');
      for (const argv of [
        ['upgrade', ...chart, '--set', 'debug.enabled=false'],
        ['hubble', 'enable'],
        ['uninstall', '--yes'],
      ]) {
        const { stdout, stderr, code } = await cli(argv);
        expect(stderr).toContain('Flux (cilium) owns this release: nothing was changed\n');
        expect(code).toBe(1);
        if (argv[0] === 'upgrade') expect(stdout).toContain('debug:\n  enabled: false\n');
      }
      await mark(null);
      const definition = {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: 'applications.argoproj.io' },
        spec: {
          group: 'argoproj.io',
          scope: 'Namespaced',
          names: { kind: 'Application', plural: 'applications' },
          versions: [
            {
              name: 'v1alpha1',
              served: true,
              storage: true,
              schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
            },
          ],
        },
      };
      await server.call('POST', CRDS, definition);
      const applications = '/apis/argoproj.io/v1alpha1/namespaces/default/applications';
      const application = {
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'Application',
        metadata: { name: 'net' },
        spec: { destination: { namespace: 'kube-system' }, source: { chart: 'cilium' } },
      };
      for (let tries = 0; (await server.call('POST', applications, application)).status !== 201; tries++) {
        if (tries > 300) throw new Error('the definition is not established');
        await sleep(200);
      }
      const { stderr, code } = await cli(['upgrade', ...chart]);
      expect(stderr).toContain(
        'Argo CD (net) owns this release: nothing was changed\nTold by Application default/net',
      );
      expect([code, await revisions()]).toEqual([1, before]);
      await server.call('DELETE', `${applications}/net`);
      await server.call('DELETE', `${CRDS}/applications.argoproj.io`);
    });

    test('hubble enable takes the chart of the release, with nothing fetched', async () => {
      const nowhere = { env: { HTTPS_PROXY: 'http://127.0.0.1:1', NO_PROXY: '127.0.0.1' } };
      const { stdout, stderr, code } = await cli(['hubble', 'enable', '--ui'], nowhere);
      expect([stdout, code]).toEqual(['', 0]);
      expect(stderr).toMatch(
        /^Revision \d+ of the release cilium: hubble.relay.enabled=true, hubble.ui.enabled=true.\n$/,
      );
      expect(await at(`${APPS}/deployments/hubble-relay`)).toBeDefined();
      expect((await cli(['hubble', 'enable'])).code).toBe(0);
      expect(await at(`${APPS}/deployments/hubble-ui`)).toBeDefined();
      expect((await cli(['hubble', 'disable'])).code).toBe(0);
      expect(await at(`${APPS}/deployments/hubble-ui`)).toBeUndefined();
      // What failed does not count: the last revision that was deployed is the one before it.
      expect((await data())['cluster-id']).toBe('7');
    });

    test('helm acts in the same name as this program', async () => {
      const { stderr, code } = await cli(['hubble', 'enable', '--as', 'nobody']);
      expect(stderr).toContain('User "nobody" cannot list resource "secrets"');
      expect(code).toBe(1);
    });

    test('uninstall says what goes and what stays, and looks again', async () => {
      await leave();
      const { stdout, stderr, code } = await cli(['uninstall']);
      expect(stderr).toContain(`This goes:
  release cilium with 5 objects: 1 ConfigMap, 1 DaemonSet, 1 Deployment, 1 Secret, 1 ServiceAccount
  namespace cilium-test-1 with all that is in it
  annotations of Cilium on 1 node: n1
This stays:
  1 definition (CRD) of Cilium with their objects: ciliumthings.cilium.io 2
  finalizers on 1 object in the namespace default, which cannot be deleted while nobody takes them away
  secrets: cilium-ipsec-keys
  taint node.cilium.io/agent-not-ready on 1 node, which keeps pods away: n1
`);
      expect(stdout).toBe(`🔥 Deleting pods in cilium-test-1 namespace...
🔥 Deleting cilium-test-1 namespace...
⌛ Uninstalling Cilium
🔥 Cleaning up Cilium node annotations...
  Removing annotations from node n1
`);
      expect(stderr.slice(stderr.indexOf('Still there:'))).toContain('  secrets: cilium-ipsec-keys\n');
      expect(code).toBe(0);
      expect(await revisions()).toEqual([]);
      expect(await at(`${APPS}/daemonsets/cilium`)).toBeUndefined();
      expect((await at('/api/v1/nodes/n1')).metadata.annotations).toEqual({ 'other.io/a': 'b' });
      const { stdout: told, code: done } = await cli(['uninstall', '--crds', '--timeout', '2h']);
      expect(told).toContain(
        '🔥 Deleting 1 CRD of Cilium...\n  Taking finalizers off 1 object of ciliumthings.cilium.io\n',
      );
      expect([done, await at(`${CRDS}/ciliumthings.cilium.io`)]).toEqual([0, undefined]);
    });

    test('uninstall --wait ends in time although something does not go', async () => {
      expect((await cli(['install', ...chart])).code).toBe(0);
      // Nobody collects garbage here: what is deleted in the foreground stays until somebody does.
      const { stderr, code } = await cli(['uninstall', '--wait', '--timeout', '3s']);
      expect(stderr).toMatch(/Still there:\n[\s\S]*being deleted: .*DaemonSet kube-system\/cilium/);
      expect(code).toBe(1);
      for (const object of [
        ...[`${APPS}/daemonsets/cilium`, `${APPS}/deployments/cilium-operator`],
        ...[`${SYSTEM}/configmaps/cilium-config`, `${SYSTEM}/secrets/cilium-ca`],
        `${SYSTEM}/serviceaccounts/cilium`,
      ])
        await server.call('PATCH', object, { metadata: { finalizers: null } }, MERGE);
    });

    test('nodes are cleaned up by pods that end, and those that do not are named', async () => {
      const stop = new AbortController();
      const kubelet = (async () => {
        while (!stop.signal.aborted) {
          const { items } = await at(
            `${SYSTEM}/pods?labelSelector=app.kubernetes.io%2Fname%3Dcilium-node-cleanup`,
          );
          for (const { metadata, spec } of items)
            if (spec.nodeName === 'n1')
              await server.call(
                'PATCH',
                `${SYSTEM}/pods/${metadata.name}/status`,
                { status: { phase: 'Succeeded' } },
                MERGE,
              );
          await sleep(20);
        }
      })();
      await server.call('POST', '/api/v1/nodes', { metadata: { name: 'n2' } });
      const flags = [
        'uninstall',
        '--node-cleanup',
        '--image',
        'quay.io/cilium/cilium:v1.20.0',
        '--timeout',
        '20m',
      ];
      const { stdout, stderr, code } = await cli(flags);
      stop.abort();
      await kubelet;
      expect(stdout).toContain('🔥 Cleaning up the state of 2 nodes...\n  Cleaned up node n1\n');
      expect(stderr).toContain('  node n2 was not cleaned up: the pod is Pending\n');
      expect(code).toBe(1);
      await server.call('DELETE', '/api/v1/nodes/n2');
      await server.call('DELETE', '/api/v1/nodes/n1');
      await server.call('DELETE', `${SYSTEM}/secrets/cilium-ipsec-keys`);
    });

    test('no file of values or of a chart stays', () => {
      expect(readdirSync(temporary)).toEqual([]);
    });
  });
}

/** What Cilium leaves in a cluster. */
async function leave(): Promise<void> {
  await server.call('POST', '/api/v1/nodes', {
    metadata: {
      name: 'n1',
      annotations: {
        'network.cilium.io/ipv4-pod-cidr': '10.0.0.0/24',
        'io.cilium.x': '1',
        'other.io/a': 'b',
      },
    },
    spec: { taints: [{ key: 'node.cilium.io/agent-not-ready', effect: 'NoSchedule' }] },
  });
  // Without a controller a namespace stays for ever once it is being deleted: the second helm finds it so.
  await server.call('POST', '/api/v1/namespaces', {
    metadata: { name: 'cilium-test-1', labels: { 'app.kubernetes.io/name': 'cilium-cli' } },
  });
  await server.call('POST', `${SYSTEM}/secrets`, { metadata: { name: 'cilium-ipsec-keys' } });
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  await server.call('POST', CRDS, {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'ciliumthings.cilium.io' },
    spec: {
      group: 'cilium.io',
      scope: 'Namespaced',
      names: { kind: 'CiliumThing', plural: 'ciliumthings' },
      versions: [{ name: 'v2', served: true, storage: true, schema }],
    },
  });
  for (const [name, finalizers] of [
    ['a', ['cilium.io/x']],
    ['b', []],
  ] as const) {
    const thing = { apiVersion: 'cilium.io/v2', kind: 'CiliumThing', metadata: { name, finalizers } };
    const path = '/apis/cilium.io/v2/namespaces/default/ciliumthings';
    for (let tries = 0; (await server.call('POST', path, thing)).status !== 201; tries++) {
      if (tries > 300) throw new Error('the definition is not established');
      await sleep(200);
    }
  }
}
