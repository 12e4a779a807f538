import { join } from 'node:path';
import { errorMessage, UserError } from '../../src/errors.ts';
import { planCleanup } from '../../src/node/cleanup/plan.ts';
import { describeRestore } from '../../src/node/cleanup/restore.ts';
import { inventory } from '../../src/node/state/inventory.ts';
import { readNode } from '../../src/node/state/read.ts';
import type { Run } from '../../src/node/state/run.ts';
import { renderPlan, renderRestore } from '../../src/render/node/cleanup.ts';
import { renderOutput } from '../../src/render/text/output.ts';
import { forTerminal } from '../../src/render/text/sanitize.ts';
import { fixture } from '../helpers/recordings.ts';
import { mutateJson, mutateText } from './mutate.ts';
import { type OpenTarget, packed, unpacked } from './target.ts';

type RecordedNode = Record<'iptables', string[]> &
  Record<'link' | 'route4' | 'route6' | 'rule4' | 'rule6', Record<string, unknown>[]>;

const FILTER = {
  kind: 'bpf',
  protocol: 'all',
  pref: 1,
  chain: 0,
  options: { handle: '0x1', bpf_name: 'cil_from_netdev', prog: { id: 7, name: 'cil_from_netdev' } },
};
const POLICY = `src 10.0.0.0/24 dst 10.1.0.0/24
\tdir out priority 0 ptype main
\tmark 0x3e00/0xff00
\ttmpl src 1.1.1.1 dst 2.2.2.2
\t\tproto esp spi 0x00000003 reqid 1 mode tunnel
`;
const STATE = `src 1.1.1.1 dst 2.2.2.2
\tproto esp spi 0x00000003 reqid 1 mode tunnel
\treplay-window 0 flag af-unspec
\tmark 0x3e00/0xff00
\taead rfc4106(gcm(aes)) 0x000102 128
\tanti-replay context: seq 0x0, oseq 0x5, bitmap 0x00000000
`;
const SETS = 'create cilium_node_set_v4 hash:ip family inet\nadd cilium_node_set_v4 10.0.0.1\n';

/** What the programs of a node print, by command line. */
function printed(node: RecordedNode): Record<string, string> {
  const json = (value: unknown) => JSON.stringify(value);
  const routes = (list: readonly Record<string, unknown>[]) =>
    list.map(({ dst, dev }) => `${dst} dev ${dev} mtu lock 1500\n`).join('');
  return {
    'ip -d -j link': json(node.link),
    'ip -d -j addr': json(
      node.link.map(({ ifindex, ifname }) => ({
        ifindex,
        ifname,
        addr_info: [{ family: 'inet', local: '10.0.0.7', prefixlen: 32, scope: 'link' }],
      })),
    ),
    'ip -d -j -4 route show table all': json(node.route4),
    'ip -o -d -4 route show table all': routes(node.route4),
    'ip -d -j -6 route show table all': json(node.route6),
    'ip -o -d -6 route show table all': routes(node.route6),
    'ip -d -j -4 rule': json(node.rule4),
    'ip -d -j -6 rule': json(node.rule6),
    'ip -j netns list': json([{ name: 'cilium-health', id: 0 }, { name: 'x' }]),
    'ip -d -j neigh show nud permanent': json([
      { dst: '10.0.0.9', dev: 'cilium_host', lladdr: '02:00:00:00:00:01', state: ['PERMANENT'] },
    ]),
    'iptables-nft-save': node.iptables.join('\n'),
    'ip6tables-legacy-save': node.iptables.slice(0, 30).join('\n'),
    'ipset save': SETS,
    'ip xfrm policy list': POLICY,
    'ip xfrm state list reqid 1': STATE,
    'tc -j qdisc show': json([
      { kind: 'clsact', dev: 'eth0' },
      { kind: 'noqueue', dev: 'lo' },
    ]),
    'tc -j filter show dev eth0 ingress': json([{ kind: 'bpf', pref: 1, chain: 0 }, FILTER]),
    'tc -j filter show dev eth0 egress': json([FILTER, { kind: 'u32', pref: 2, options: { fh: '800:' } }]),
    'bpftool -j cgroup show': json([{ id: 9, attach_type: 'cgroup_inet4_connect', name: 'cil_sock4_conne' }]),
    'bpftool -j net show': json([{ xdp: [{ devname: 'eth0', id: 9, mode: 'driver' }] }]),
  };
}

/** What ip, tc, iptables, ipset and bpftool print of a node, as `cleanup --dry-run` reads it. */
export const openNode: OpenTarget = async (folder) => {
  const recorded = Object.values(
    fixture<Record<string, { before: RecordedNode }>>('recordings/node-cleanup.json'),
  );
  const nodes = recorded.map(({ before }) => printed(before));
  const paths = {
    bpfRoot: join(folder, 'bpffs'),
    runState: join(folder, 'run-cilium'),
    libState: join(folder, 'lib-cilium'),
    cniConfig: join(folder, 'cni'),
    sysctlDropIns: join(folder, 'sysctl'),
  };
  return {
    make(random) {
      const texts = random.pick(nodes);
      const changed = new Set(
        Array.from({ length: 1 + random.below(3) }, () => random.pick(Object.keys(texts))),
      );
      const data: Record<string, string> = {};
      for (const [command, text] of Object.entries(texts)) {
        if (random.chance(0.02)) continue;
        const mutate = text.startsWith('[') ? mutateJson : mutateText;
        data[command] = packed(Buffer.from(changed.has(command) ? mutate(text, random) : text));
      }
      return { argv: ['cleanup', '--dry-run'], data };
    },
    async run({ data }) {
      const answer: Run = async (command) => {
        const words = command.join(' ');
        const found = data[words.startsWith('bpftool -j cgroup show') ? 'bpftool -j cgroup show' : words];
        if (found === undefined) return { code: 127, stdout: '', stderr: 'not installed', missing: true };
        return { code: 0, stdout: unpacked(found).toString(), stderr: '', missing: false };
      };
      try {
        const state = await readNode(answer, paths);
        const plan = planCleanup(state, paths);
        const items = plan.items.map(({ what, restore = [] }) => ({
          what,
          steps: restore.flatMap(describeRestore),
        }));
        const shown = [
          renderPlan(plan),
          renderRestore({ node: plan.node, at: '' }, items),
          await renderOutput(plan, 'json'),
          `${inventory(state).length} facts\n`,
        ];
        return { stdout: forTerminal(shown.join('')), stderr: '', code: 0 };
      } catch (error) {
        const fault =
          error instanceof UserError ? '' : `a fault in the toolkit itself: ${(error as Error).stack}`;
        return { stdout: '', stderr: forTerminal(`${fault}${errorMessage(error)}`), code: 1 };
      }
    },
  };
};
