import { OWNER, OWNER_LABEL, PART, PART_LABEL } from '../../model/test-labels.ts';
import { type AppliedObject, EXPIRES, KEPT } from './objects.ts';

export type NetperfTest =
  | 'TCP_RR'
  | 'TCP_CRR'
  | 'UDP_RR'
  | 'TCP_STREAM'
  | 'TCP_STREAM_MULTI'
  | 'UDP_STREAM'
  | 'UDP_STREAM_MULTI';

/** Which pods and measurements are wanted. */
export interface PerfWish {
  rr: boolean;
  crr: boolean;
  udp: boolean;
  throughput: boolean;
  throughputMulti: boolean;
  podNet: boolean;
  hostNet: boolean;
  podToHost: boolean;
  hostToPod: boolean;
  sameNode: boolean;
  otherNode: boolean;
}

/** The measurements of a run, in their order. */
export function perfTests({ rr, crr, udp, throughput, throughputMulti }: PerfWish): NetperfTest[] {
  return [
    ...(rr ? (['TCP_RR'] as const) : []),
    ...(crr ? (['TCP_CRR'] as const) : []),
    ...(udp && rr ? (['UDP_RR'] as const) : []),
    ...(throughput ? (['TCP_STREAM'] as const) : []),
    ...(throughputMulti ? (['TCP_STREAM_MULTI'] as const) : []),
    ...(udp && throughput ? (['UDP_STREAM'] as const) : []),
    ...(udp && throughputMulti ? (['UDP_STREAM_MULTI'] as const) : []),
  ];
}

/** A pod of the measurements. */
export interface PerfPod {
  name: string;
  role: 'client' | 'server';
  isHost: boolean;
  /** The node of the servers, or another one. */
  isElsewhere: boolean;
}

/** Who measures against whom. */
export interface PerfPair {
  scenario: string;
  client: PerfPod;
  server: PerfPod;
}

const pod = (role: 'client' | 'server', isHost: boolean, isElsewhere: boolean): PerfPod => ({
  name: `perf-${role}${isElsewhere ? '-other-node' : ''}${isHost ? '-host-net' : ''}`,
  role,
  isHost,
  isElsewhere,
});

/** The pairs that are wanted, on as many nodes as there are. */
export function perfPairs(wish: PerfWish, nodes: number): PerfPair[] {
  const networks: [boolean, boolean, boolean][] = [
    [false, false, wish.podNet],
    [true, true, wish.hostNet],
    [false, true, wish.podToHost],
    [true, false, wish.hostToPod],
  ];
  const places = [...(wish.sameNode ? [false] : []), ...(wish.otherNode && nodes > 1 ? [true] : [])];
  return networks
    .filter(([, , wanted]) => wanted)
    .flatMap(([from, to]) =>
      places.map((elsewhere) => ({
        scenario: `${from ? 'host' : 'pod'}-to-${to ? 'host' : 'pod'}`,
        client: pod('client', from, elsewhere),
        server: pod('server', to, false),
      })),
    );
}

/** What is deployed for pairs. */
export interface PerfDeploy {
  namespace: string;
  expires: string;
  isKept: boolean;
  image: string;
  /** Values of kubernetes.io/hostname. */
  serverNode: string;
  clientNode: string;
  tolerations: readonly string[];
}

const CONTROL_PORT = 12_865;

/** The objects of the pods, without the namespace. */
export function perfObjects(pairs: readonly PerfPair[], plan: PerfDeploy): AppliedObject[] {
  const pods = new Map(pairs.flatMap(({ client, server }) => [client, server]).map((one) => [one.name, one]));
  return [...pods.values()].flatMap((one) => {
    const metadata = {
      name: one.name,
      namespace: plan.namespace,
      labels: { [OWNER_LABEL]: OWNER, [PART_LABEL]: PART, name: one.name, kind: 'perf', role: one.role },
      annotations: { [EXPIRES]: plan.expires, ...(plan.isKept && { [KEPT]: 'true' }) },
    };
    const isServer = one.role === 'server';
    return [
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata,
        spec: {
          replicas: 1,
          selector: { matchLabels: { name: one.name } },
          template: {
            metadata: { labels: metadata.labels, annotations: metadata.annotations },
            spec: {
              serviceAccountName: one.name,
              automountServiceAccountToken: false,
              terminationGracePeriodSeconds: 1,
              nodeSelector: { 'kubernetes.io/hostname': one.isElsewhere ? plan.clientNode : plan.serverNode },
              ...(one.isHost && { hostNetwork: true }),
              ...(plan.tolerations.length > 0 && {
                tolerations: plan.tolerations.map((key) => ({ key, operator: 'Exists' })),
              }),
              containers: [
                {
                  name: one.name,
                  image: plan.image,
                  imagePullPolicy: 'IfNotPresent',
                  command: isServer ? ['netserver', '-D'] : ['sleep', '86400'],
                  ...(isServer && {
                    ports: [{ name: 'netserver-ctrl', containerPort: CONTROL_PORT, protocol: 'TCP' }],
                  }),
                },
              ],
            },
          },
        },
      },
    ];
  });
}

/** What netperf is asked for. */
const SELECTORS =
  'MIN_LATENCY,MEAN_LATENCY,MAX_LATENCY,P50_LATENCY,P90_LATENCY,P99_LATENCY,TRANSACTION_RATE,THROUGHPUT,THROUGHPUT_UNITS';

/** The command of a measurement, and of how many streams it tells. */
export function netperf(
  test: NetperfTest,
  ip: string,
  { seconds, messageBytes, streams }: { seconds: number; messageBytes: number; streams: number },
): { argv: string[]; lines: number } {
  const isMany = test.endsWith('_MULTI');
  const kind = test.replace(/_MULTI$/, '');
  const one = [
    ...['netperf', '-H', ip, '-l', String(seconds), '-t', kind, '--', '-R', '1', '-o', SELECTORS],
    ...(kind.endsWith('_STREAM') ? ['-m', String(messageBytes)] : []),
  ];
  if (!isMany) return { argv: one, lines: 1 };
  // The words are in the shell's arguments, so that none is read as a part of the script.
  const script = 'n=$1; shift; for i in $(seq "$n"); do "$@" & done; wait';
  return { argv: ['sh', '-c', script, 'sh', String(streams), ...one], lines: streams };
}

/** What a measurement found. Latencies are in nanoseconds. */
export interface PerfMeasured {
  latency?: { min: number; mean: number; max: number; p50: number; p90: number; p99: number };
  /** Operations a second. */
  rate?: number;
  /** Bits a second. */
  throughput?: number;
}

const NUMBER = /^-?\d+(?:\.\d+)?$/;

/** Reads what netperf printed; a text says why that is not possible. */
export function parseNetperf(test: NetperfTest, stdout: string, lines: number): PerfMeasured | string {
  const rows = stdout
    .split('\n')
    .map((line) => line.trim().split(','))
    .filter(
      (fields) =>
        fields.length === 9 && fields.slice(0, 8).every((field) => field === '' || NUMBER.test(field)),
    );
  if (rows.length !== lines) return `netperf printed ${rows.length} results instead of ${lines}`;
  if (test.endsWith('_RR') || test.endsWith('_CRR')) {
    const [[min, mean, max, p50, p90, p99, rate] = []] = rows;
    const values = [min, mean, max, p50, p90, p99].map((text) =>
      Math.round(Number(text || Number.NaN) * 1000),
    );
    if ([...values, Number(rate || Number.NaN)].some(Number.isNaN)) return 'netperf printed no latencies';
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = values;
    return { latency: { min: a, mean: b, max: c, p50: d, p90: e, p99: f }, rate: Number(rate) };
  }
  const odd = rows.find((fields) => fields[8] !== '10^6bits/s');
  if (odd) return `netperf counts in ${odd[8]}, not in 10^6bits/s`;
  return { throughput: rows.reduce((sum, fields) => sum + Number(fields[7]) * 1e6, 0) };
}

/** A measurement that was made. */
export interface PerfResult extends PerfMeasured {
  scenario: string;
  isSameNode: boolean;
  test: NetperfTest;
  seconds: number;
}

/** A result as perfdash reads it. */
export function perfReport({ scenario, isSameNode, test, latency, rate, throughput }: PerfResult): object {
  const labels = { scenario, node: isSameNode ? 'same-node' : 'other-node', test_name: test };
  return {
    version: 'v1',
    dataItems: [
      ...(latency
        ? [
            {
              data: { perc50: latency.p50 / 1000, perc90: latency.p90 / 1000, perc99: latency.p99 / 1000 },
              unit: 'us',
              labels: { metric: 'Latency', ...labels },
            },
          ]
        : []),
      ...(rate === undefined
        ? []
        : [{ data: { throughput: rate }, unit: 'ops/s', labels: { metric: 'TransactionRate', ...labels } }]),
      ...(throughput === undefined
        ? []
        : [
            {
              data: { throughput: throughput / 1e6 },
              unit: 'Mb/s',
              labels: { metric: 'Throughput', ...labels },
            },
          ]),
    ],
  };
}
