// A cluster for bench/sysdump.ts in a process of its own: agents on NODES nodes, each with PODS pods, which answer, log
// MB and run commands, cilium-bugtool among them, whose archive has MB, packed. Prints the path of its kubeconfig.
import { serveDumpCluster, tarball } from '../test/helpers/dump-cluster.ts';

const [nodes = 20, pods = 30, megabytes = 0] = process.argv.slice(2).map(Number);
const ENDPOINTS = Array.from({ length: pods + 1 }, (_, id) => endpoint(id + 1));
const LINES = 'cilium_lxc 10.0.0.1:4240 -> 10.0.1.7:80 rx=12345 tx=54321 flags=0x0013 source=192.168.0.1\n';
const MAPS = [
  'cilium_lxc',
  'cilium_ipcache',
  'cilium_lb4_services_v2',
  'cilium_lb4_backends_v3',
  'cilium_metrics',
];
const ANSWERS: Record<string, unknown> = {
  '/v1/healthz': { cilium: { state: 'Ok', msg: '1.18.2 (v1.18.2-9ea1a9a7)' } },
  '/v1/endpoint': ENDPOINTS,
  '/v1/map': { maps: MAPS.map((name) => ({ path: `/sys/fs/bpf/tc/globals/${name}` })) },
  '/v1/identity': ENDPOINTS.map(({ id }) => ({ id: 1000 + id, labels: [`k8s:app=web-${id}`] })),
  '/v1/ip': ENDPOINTS.map(({ id }) => ({ cidr: `10.0.0.${id}/32`, identity: 1000 + id })),
  '/v1/debuginfo': { endpoints: ENDPOINTS, more: LINES.repeat(5000) },
  '/v1/metrics/': ENDPOINTS.map(({ id }) => ({ name: `cilium_metric_${id}`, value: id })),
};
const LOG_LINE = (i: number) =>
  `2026-11-29T05:00:00.${String(i).padStart(6, '0')}Z time="2026-11-29T05:00:00Z" level=info msg="Rewrote endpoint BPF program" endpointID=${i} subsys=endpoint\n`;
const LOG_LENGTH = LOG_LINE(1000).length;
const LOG = Array.from({ length: Math.max(4000, (megabytes * 1e6) / LOG_LENGTH) }, (_, i) =>
  LOG_LINE(i),
).join('');

/** Archives of cilium-bugtool of some sizes up to twice that of the logs: large tables, and what does not pack well. */
const BUGTOOLS = megabytes === 0 ? [] : [0.5, 1, 2].map((times) => bugtool(times * megabytes));

/** An archive of so many megabytes, packed. */
function bugtool(packedMb: number): Buffer {
  // Numbers as text pack to less than half.
  let seed = 1;
  const next = () => {
    seed = (seed * 48271) % 2147483647;
    return seed;
  };
  const table = (mb: number) =>
    Array.from(
      { length: (mb * 1e6) / 80 },
      () =>
        `10.${next() % 256}.${next() % 256}.${next() % 256}:${next()} -> ${next()} bytes=${next()} id=${next()}`,
    ).join('\n');
  const files: Record<string, string> = {};
  for (let i = 0; i < 40; i++) files[`b/cmd/small-${i}.md`] = `# ${i}\n${LINES.repeat(20)}`;
  for (let i = 0; i < 4; i++) files[`b/cmd/bpftool-map-dump-${i}.md`] = table(packedMb * 0.5);
  return tarball(files);
}
const FLOWS = Array.from(
  { length: 2000 },
  (_, i) =>
    `${JSON.stringify({ flow: { time: '2026-11-29T05:00:00Z', uuid: `u-${i}`, verdict: 'FORWARDED', IP: { source: '10.0.0.1', destination: '10.0.1.7' }, source: { labels: ['k8s:app=web'] } } })}\n`,
).join('');

function endpoint(id: number) {
  const labels = Array.from({ length: 8 }, (_, i) => `k8s:label-${i}=value-of-${id}-${i}`);
  return {
    id,
    spec: { 'label-configuration': {} },
    status: {
      state: 'ready',
      labels: { derived: labels },
      policy: { realized: { 'allowed-ingress-identities': Array.from({ length: 60 }, (_, i) => 1000 + i) } },
    },
  };
}

/** Text of every answer, made once. */
const texts = new Map<string, string>();
function answer(path: string): string {
  let text = texts.get(path);
  if (text !== undefined) return text;
  const id = /^\/v1\/endpoint\/(\d+)/.exec(path)?.[1];
  const value = ANSWERS[path] ?? (id === undefined ? { path, text: LINES.repeat(40) } : endpoint(Number(id)));
  text = JSON.stringify(value);
  texts.set(path, text);
  return text;
}

const server = await serveDumpCluster({
  nodes,
  pods,
  api: answer,
  log: () => LOG,
  run: (argv, pod) => {
    if (argv[0] === 'hubble') return { stdout: FLOWS };
    if (argv.join(' ').endsWith('bpf sha list -o json')) return { stdout: '{}\n' };
    if (argv[0] === 'cilium-dbg') return { stdout: LINES.repeat(argv.includes('ct') ? 4000 : 60) };
    if (argv.some((word) => word.startsWith('pprof-'))) return { stdout: 'Profile saved to: /tmp/profile\n' };
    if (argv[0] === 'cilium-bugtool' && BUGTOOLS.length === 0) return undefined;
    if (argv[0] === 'cilium-bugtool') return { stdout: 'x\nGZIP at /tmp/cilium-bugtool.tar.gz\n' };
    if (argv[0] === 'tail') {
      const whole = BUGTOOLS[Number(pod.slice(-4)) % BUGTOOLS.length] ?? Buffer.alloc(0);
      return { stdout: whole.subarray(Number(argv[2]) - 1) };
    }
    return { stdout: LINES.repeat(20) };
  },
});
server.requests.push = () => 0;
console.log(server.kubeconfig);
