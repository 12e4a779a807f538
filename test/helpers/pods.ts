import { test } from '@jest/globals';
import { KubeClient } from '../../src/kube/client.ts';
import { exec } from '../../src/kube/exec.ts';
import type { LabOptions } from '../../src/lab/lab.ts';
import { whyNoPods } from '../../src/lab/pods/sandbox.ts';
import { startTestCluster, type TestCluster } from './cluster.ts';
import { until } from './until.ts';

const why = whyNoPods();

/** A test of pods that run; skipped, with the reason in its name, where they cannot. */
export const podTest: (name: string, run: () => Promise<void>) => void =
  why === undefined ? (name, run) => test(name, run) : (name, run) => test.skip(`${name} (${why})`, run);

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** A cluster whose pods run. */
export interface PodCluster extends AsyncDisposable {
  cluster: TestCluster;
  /** Makes a Deployment of one pod; resolves to what became of it when it is ready. */
  deploy(name: string, more?: DeploySpec): Promise<{ name: string; ip: string; node: string }>;
  /** Runs a command in a pod of the namespace `default`. */
  exec(pod: string, ...words: string[]): Promise<Ended>;
  curl(pod: string, url: string): Promise<Ended>;
}

interface DeploySpec {
  labels?: Record<string, string>;
  node?: string;
  /** It serves HTTP on 8080. */
  serves?: boolean;
  hostNetwork?: boolean;
}

interface Pod {
  metadata: { name: string; labels?: Record<string, string> };
  spec: { nodeName: string };
  status?: { podIP?: string; conditions?: { type: string; status: string }[] };
}

const PODS = '/api/v1/namespaces/default/pods';

/** Starts one, with no pods but those of its DNS. */
export async function startPodCluster(options: Partial<LabOptions> = {}): Promise<PodCluster> {
  const cluster = await startTestCluster({ scenario: 'empty', nodes: 2, pods: true, ...options });
  const client = await KubeClient.open({
    kubeconfig: cluster.kubeconfig,
    env: {},
    signal: new AbortController().signal,
  });
  const run = async (pod: string, ...words: string[]): Promise<Ended> => {
    const target = { namespace: 'default', pod, container: 'c', command: words };
    const { exitCode, stdout, stderr } = await exec(client, target);
    return { code: exitCode, stdout: stdout.toString(), stderr };
  };
  return {
    cluster,
    deploy: async (name, { labels = {}, node, serves = false, hostNetwork = false } = {}) => {
      const container = { name: 'c', image: serves ? 'json-mock' : 'curl' };
      await cluster.call('POST', '/apis/apps/v1/namespaces/default/deployments', {
        metadata: { name, namespace: 'default' },
        spec: {
          selector: { matchLabels: { name } },
          template: {
            metadata: { labels: { name, ...labels } },
            spec: {
              containers: [container],
              hostNetwork,
              ...(node !== undefined && { nodeSelector: { 'kubernetes.io/hostname': node } }),
            },
          },
        },
      });
      const pod = await until(async () => {
        const { json } = await cluster.call('GET', `${PODS}?labelSelector=name%3D${name}`);
        const [first] = (json as { items: Pod[] }).items;
        const ready = first?.status?.conditions?.some(
          ({ type, status }) => type === 'Ready' && status === 'True',
        );
        return ready && first;
      });
      return { name: pod.metadata.name, ip: pod.status?.podIP ?? '', node: pod.spec.nodeName };
    },
    exec: run,
    curl: (pod, url) =>
      run(
        pod,
        'curl',
        '--silent',
        '--fail',
        '--show-error',
        '--connect-timeout',
        '5',
        '--max-time',
        '20',
        url,
      ),
    [Symbol.asyncDispose]: async () => {
      await client[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
    },
  };
}
