import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode, encode } from '../../src/hubble/protobuf/codec.ts';
import type { GetFlowsResponse } from '../../src/model/hubble.gen.ts';
import { type GrpcAnswer, type GrpcServer, serveGrpc } from './grpc.ts';
import { type RelayCluster, serveRelayCluster } from './relay-cluster.ts';
import { type RunOptions, run } from './run.ts';

/** The method that relays are asked by. */
export const GET_FLOWS = '/observer.Observer/GetFlows';
const START_MS = 1_790_000_000_000;
const timeOf = (ms: number) => new Date(START_MS + ms).toISOString();

/** A flow at a time, of a pod that is called after its cluster and that time. */
export function flow(cluster: string, ms: number): GetFlowsResponse {
  const node_name = `${cluster}/worker`;
  const time = timeOf(ms);
  return {
    flow: {
      time,
      node_name,
      uuid: `${cluster}-${ms}`,
      verdict: 'FORWARDED',
      IP: { source: '10.0.0.1', destination: '10.0.0.2', ipVersion: 'IPv4' },
      source: { namespace: 'shop', pod_name: `${cluster}-${ms}`, identity: 1234 },
      destination: { namespace: 'shop', pod_name: 'db', identity: 2345 },
      l4: { TCP: { source_port: 4000, destination_port: 5432, flags: { SYN: true } } },
      event_type: { type: 4 },
    },
    node_name,
    time,
  };
}

/** Answers as a server sends them. */
export const bytesOf = (answers: readonly GetFlowsResponse[]) =>
  answers.map((one) => encode('observer.GetFlowsResponse', one));

/** A relay that has these flows, and says so before. */
export function relayOf(
  cluster: string,
  times: readonly number[],
  rest: Omit<GrpcAnswer, 'messages'> = {},
): Promise<GrpcServer> {
  const news = {
    node_status: { state_change: 'NODE_CONNECTED' as const, node_names: [`${cluster}/worker`] },
  };
  return serveGrpc({
    [GET_FLOWS]: (requests) => {
      const { number = '0', first } = decode('observer.GetFlowsRequest', requests[0] ?? Buffer.alloc(0));
      const most = Number(number) === 0 ? times.length : Number(number);
      const told = first ? times.slice(0, most) : times.slice(-most);
      return { messages: bytesOf([news, ...told.map((ms) => flow(cluster, ms))]), ...rest };
    },
  });
}

export interface World extends AsyncDisposable {
  kubeconfig: string;
  clusters: Record<string, RelayCluster>;
}

/** Clusters that one kubeconfig leads to: by the name of its context the relay of each, or nothing that answers. */
export async function worldOf(relays: Record<string, string | number | undefined>): Promise<World> {
  const clusters: Record<string, RelayCluster> = {};
  for (const [context, relay] of Object.entries(relays))
    if (relay !== undefined)
      clusters[context] = await serveRelayCluster({
        relay: typeof relay === 'string' ? relay.replace('unix://', '') : relay,
      });
  const folder = mkdtempSync(join(tmpdir(), 'contexts-'));
  const kubeconfig = join(folder, 'config');
  const names = Object.keys(relays);
  const server = (name: string) => clusters[name]?.url ?? `http://127.0.0.1:${1 + names.indexOf(name)}`;
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      clusters: names.map((name) => ({ name, cluster: { server: server(name) } })),
      contexts: names.map((name) => ({ name, context: { cluster: name, user: name } })),
      users: names.map((name, i) => ({ name, user: { token: `token ${i}` } })),
      'current-context': names[0],
    }),
  );
  return {
    kubeconfig,
    clusters,
    [Symbol.asyncDispose]: async () => {
      rmSync(folder, { recursive: true });
      for (const cluster of Object.values(clusters)) await cluster[Symbol.asyncDispose]();
    },
  };
}

/** The flags that name contexts. */
export const contextsOf = (...names: string[]) => names.flatMap((name) => ['--context', name]);
/** Runs `hubble observe` in a world. */
export const observe = (world: World, words: readonly string[], options: RunOptions = {}) =>
  run(['hubble', 'observe', ...words], { env: { KUBECONFIG: world.kubeconfig }, ...options });
/** The pods that lines are of. */
export const podsIn = (text: string) => [...text.matchAll(/shop\/([a-z]+-\d+)/g)].map(([, pod]) => pod);
