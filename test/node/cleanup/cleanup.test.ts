import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from '@jest/globals';
import { confirmNode } from '../../../src/cli/confirm.ts';
import type { IpLink, IpRoute, IpRule } from '../../../src/model/ip.ts';
import { applyActions } from '../../../src/node/cleanup/apply.ts';
import { planCleanup } from '../../../src/node/cleanup/plan.ts';
import { parseSave } from '../../../src/node/state/firewall.ts';
import { NODE_PATHS } from '../../../src/node/state/read.ts';
import { listFrom, systemRun } from '../../../src/node/state/run.ts';
import type { NodeState } from '../../../src/node/state/state.ts';
import { renderPlan } from '../../../src/render/node/cleanup.ts';
import { fakePrograms } from '../../helpers/programs.ts';
import { fixture } from '../../helpers/recordings.ts';
import { close, listen } from '../../helpers/replay.ts';
import { run, testContext } from '../../helpers/run.ts';
import { nodeWith } from '../node-state.ts';
import { obstacle } from './obstacle.ts';

interface RecordedNode {
  bpffs: string[];
  files: string[];
  iptables: string[];
  link: IpLink[];
  route4: IpRoute[];
  route6: IpRoute[];
  rule4: IpRule[];
  rule6: IpRule[];
}
type Recording = Record<'1.20' | '1.17', { before: RecordedNode; after: RecordedNode }>;
const RECORDED = fixture<Recording>('recordings/node-cleanup.json');

function stateOf(node: RecordedNode): NodeState {
  return nodeWith({
    links: node.link,
    routes: [
      ...node.route4.map((route) => ({ family: 4 as const, route })),
      ...node.route6.map((route) => ({ family: 6 as const, route })),
    ],
    rules: [
      ...node.rule4.map((rule) => ({ family: 4 as const, rule })),
      ...node.rule6.map((rule) => ({ family: 6 as const, rule })),
    ],
    firewall: parseSave('iptables-nft', node.iptables.join('\n')),
    files: node.bpffs
      .filter((path) => path.includes('/cilium'))
      .map((path) => ({ path, kind: 'pin', size: 0 })),
  });
}

describe.each(['1.20', '1.17'] as const)('the plan for a recorded %s node', (version) => {
  const { before, after } = RECORDED[version];
  const { items } = planCleanup(stateOf(before), NODE_PATHS);
  const ids = items.map(({ id }) => id);

  test('holds every link of Cilium and of pods, and no other', () => {
    const own = before.link.map(({ ifname }) => ifname).filter((name) => /^(cilium|lxc)/.test(name));
    expect(ids.filter((id) => id.startsWith('link ')).sort()).toEqual(
      own.map((name) => `link ${name}`).sort(),
    );
  });

  // differs: cleanup-scope
  test('holds the rules and the routes to the proxy, which the reference leaves behind', () => {
    expect(ids).toContain('rule 4 pref 9 fwmark 0x200/0xf00 lookup 2004');
    expect(ids).toContain('rule 4 pref 100 lookup local');
    expect(ids.some((id) => /^route 4 local default dev lo .*table 2004/.test(id))).toBe(true);
  });

  test('holds every line of iptables that names Cilium', () => {
    const lines = items.filter(({ kind }) => kind === 'iptables').flatMap(({ details = [] }) => details);
    const named = before.iptables.filter((line) => /^(:CILIUM|-A.*(cilium|CILIUM))/.test(line));
    expect(lines.sort()).toEqual(named.map((line) => line.replace(/^(:\S+) .*/, '$1')).sort());
  });

  test('still finds what the reference left after its cleanup', () => {
    const left = planCleanup(stateOf(after), NODE_PATHS).items;
    expect(left.filter(({ kind }) => kind === 'iptables').length).toBeGreaterThan(0);
    expect(left.some(({ id }) => id.startsWith('link lxc'))).toBe(true);
  });

  // differs: cleanup-plan
  test('is a list by kind, long kinds cut', () => {
    const text = renderPlan({ node: 'n1', items, notes: [], leftAlone: [] });
    expect(text).toContain(`To be removed from n1: ${items.length} items\n`);
    expect(text).toMatch(/\n\nnetwork links \(\d+\)\n {2}- /);
    expect(text).toMatch(/\n {2}… and \d+ more \(-o json lists them with --dry-run\)\n/);
  });

  test('every item says why it is attributed to Cilium', () => {
    expect(items.filter(({ why }) => why === '')).toEqual([]);
  });
});

test('what undo would refuse to bring back stays, and is told of', () => {
  const comment = '-m comment --comment "a\nb"';
  const { items, leftAlone } = planCleanup(
    nodeWith({
      firewall: parseSave(
        'iptables-nft',
        [
          ...['*filter', ':CILIUM_INPUT - [0:0]', `-A INPUT ${comment} -j CILIUM_INPUT`],
          ...['*raw', ':CILIUM_PRE_raw - [0:0]', `-A PREROUTING ${comment} -j ACCEPT`],
          '-A PREROUTING -j CILIUM_PRE_raw',
        ].join('\n'),
      ),
      ipsets: [
        { name: 'cilium_node_set_v4', saved: 'create cilium_node_set_v4 hash:ip\n' },
        {
          name: 'cilium_node_set_v6',
          saved: 'create cilium_node_set_v6 hash:ip comment\nadd cilium_node_set_v6 ::1 comment "a\nb"\n',
        },
      ],
    }),
    NODE_PATHS,
  );
  expect(items.map(({ id }) => id)).toEqual(['iptables iptables-nft raw', 'ipset cilium_node_set_v4']);
  expect(leftAlone).toEqual(
    ['iptables-nft table filter: 1 chain, 1 rule', 'ipset cilium_node_set_v6'].map(
      (what) => `${what}: undo could not bring it back as it is`,
    ),
  );
});

// differs: cleanup-question
test.each([
  ['a terminal', { columns: 80, typed: ['y'] }, false],
  ['a terminal', { columns: 80, typed: ['n1'] }, true],
  ['a pipe', { stdin: 'y\n' }, true],
  ['a pipe', { stdin: 'n1\n' }, true],
  ['a pipe', { stdin: 'no\n' }, false],
])('%s with the answer %j: %s', async (_, options, goesOn) => {
  expect(await confirmNode(testContext(options), 'n1')).toBe(goesOn);
});

test('what went, or is another one, while the question stood is left', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'asked-'));
  const rule = (priority: number, more = {}) => ({
    ...{ priority, src: 'all', fwmark: '0x200', fwmask: '0xf00', table: '2004', ...more },
  });
  const [shown, later] = [
    [rule(9), rule(10), rule(11)],
    [rule(9), rule(10, { iif: 'eth0' }), rule(12)],
  ].map((rules) => JSON.stringify(rules));
  using programs = fakePrograms({
    ip: `case "$*" in "-d -j -4 rule") if [ -e ${folder}/asked ]; then echo '${later}'; else echo '${shown}'; touch ${folder}/asked; fi;; *del*) ;; *) echo '[]';; esac`,
  });
  const words = ['cleanup', '--even-if-agent-runs', '--kind', 'rule', '--undo-file', join(folder, 'u.json')];
  const { stdout } = await run(words, { env: { PATH: programs.path }, stdin: 'y\n' });
  expect(stdout.match(/^removed .*/gm)).toEqual(['removed  IPv4 rule pref 9 fwmark 0x200/0xf00 lookup 2004']);
});

test('a table that has other rules by the answer is left, and nothing is recorded where nothing will go', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'asked-'));
  const saves = ['iptables', 'ip6tables'].flatMap((name) => [name, `${name}-nft`, `${name}-legacy`]);
  using programs = fakePrograms({
    ...Object.fromEntries(
      saves.flatMap((name) => [`${name}-save`, `${name}-restore`].map((one) => [one, ''])),
    ),
    'iptables-nft-save': `printf '%s\\n' '*filter' ':CILIUM_INPUT - [0:0]'
if [ -e ${folder}/asked ]; then echo '-A CILIUM_INPUT -j ACCEPT'; fi; touch ${folder}/asked`,
  });
  const undo = join(folder, 'u.json');
  const words = ['cleanup', '--even-if-agent-runs', '--kind', 'iptables', '--undo-file', undo];
  const ask = (...more: string[]) => {
    rmSync(join(folder, 'asked'), { force: true });
    return run([...words, ...more], { env: { PATH: programs.path }, stdin: 'y\n' });
  };
  const text = await ask();
  expect(text.stdout).toContain('  - iptables-nft table filter: 1 chain, 0 rules\n');
  expect(text.stdout.split('\n').slice(-4)).toEqual([
    '0 removed, 0 already gone, 0 failed',
    'Still there: 1',
    '  - iptables-nft table filter: 1 chain, 1 rule',
    '',
  ]);
  const json = await ask('-o', 'json');
  expect(JSON.parse(json.stdout)).toMatchObject({ outcomes: [], left: ['iptables iptables-nft filter'] });
  expect([text.code, json.code, json.stdout.includes('undoFile'), existsSync(undo)]).toEqual([
    1,
    1,
    false,
    false,
  ]);
  expect(programs.calls().filter((call) => call.includes('-restore'))).toEqual([]);
});

test.each([
  ["Error: Parent Qdisc doesn't exists.", 'gone'],
  ["Error: Specified class doesn't exist.", 'gone'],
  ['RTNETLINK answers: File exists', 'gone'],
  ['RTNETLINK answers: Operation not permitted', 'failed'],
])('a program that says %j: %s', async (said, result) => {
  const run = async () => ({ code: 2, stdout: '', stderr: said, missing: false });
  const item = { id: 'x', what: 'x' };
  expect(await applyActions(item, [{ do: 'run', command: ['tc'] }], run)).toMatchObject({ result });
});

test('a tree goes with its links, and nothing that they lead to', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tree-'));
  for (const path of ['tree/a/b', 'outside']) mkdirSync(join(folder, path), { recursive: true });
  for (const path of ['tree/a/b/c', 'outside/precious']) writeFileSync(join(folder, path), '');
  symlinkSync(join(folder, 'outside'), join(folder, 'tree/a/out'));
  symlinkSync(join(folder, 'outside'), join(folder, 'way'));
  const apply = (path: string) =>
    applyActions({ id: 'x', what: 'x' }, [{ do: 'remove-tree', path: join(folder, path) }], systemRun({}));
  expect(await apply('tree')).toMatchObject({ result: 'done' });
  expect(await apply('tree')).toMatchObject({ result: 'gone' });
  // A link that has come in its place is no folder of Cilium.
  expect(await apply('way')).toMatchObject({ result: 'failed' });
  expect(readdirSync(folder)).toEqual(['outside', 'way']);
  expect(readdirSync(join(folder, 'outside'))).toEqual(['precious']);
});

test('a name that another cleanup has given back is no failure', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'renamed-'));
  writeFileSync(join(folder, 'to'), '');
  const rename = { do: 'rename' as const, from: join(folder, 'from'), to: join(folder, 'to') };
  const apply = () => applyActions({ id: 'x', what: 'x' }, [rename], systemRun({}));
  expect(await apply()).toMatchObject({ result: 'gone' });
  writeFileSync(join(folder, 'from'), '');
  expect(await apply()).toMatchObject({
    result: 'failed',
    error: expect.stringContaining('is taken by now'),
  });
});

describe('a signal', () => {
  const rules = ['0x200', '0x200'].map((fwmark, i) => ({
    ...{ priority: 9 + i, src: 'all', fwmark, fwmask: '0xf00', table: '2004' },
  }));

  test('lets a cleanup begin no further item, and says how many are left', async () => {
    using programs = fakePrograms({
      ip: `case "$*" in "-d -j -4 rule") echo '${JSON.stringify(rules)}';; *del*) ;; *) echo '[]';; esac`,
    });
    const stop = new AbortController();
    const undoFile = join(mkdtempSync(join(tmpdir(), 'undo-')), 'u.json');
    const { stdout, stderr, code } = await run(
      ['cleanup', '--force', '--even-if-agent-runs', '--kind', 'rule', '--undo-file', undoFile],
      {
        env: { PATH: programs.path },
        signal: stop.signal,
        onStdout: (text) => /^removed/m.test(text) && stop.abort(),
      },
    );
    expect(stdout.match(/^removed/gm)).toHaveLength(1);
    expect([code, stderr]).toEqual([130, expect.stringContaining('Stopped: 1 of 2 items were not removed.')]);
  });

  test('lets an undo begin no further item', async () => {
    using programs = fakePrograms({ ip: 'echo "RTNETLINK answers: No" >&2; exit 2' });
    const path = join(mkdtempSync(join(tmpdir(), 'undo-')), 'u.json');
    const items = rules.map((rule, i) => ({
      ...{ id: `${i}`, kind: 'rule', what: `rule ${i}`, restore: [{ bring: 'rule', family: 4, rule }] },
    }));
    writeFileSync(path, JSON.stringify({ version: 2, node: 'n', at: '', items, lost: [] }), { mode: 0o600 });
    const stop = new AbortController();
    const { stdout, code } = await run(['cleanup', 'undo', '--force', path], {
      env: { PATH: programs.path },
      signal: stop.signal,
      onStdout: (text) => text.startsWith('FAILED') && stop.abort(),
    });
    expect([code, stdout.match(/^FAILED/gm)?.length]).toEqual([130, 1]);
  });
});

// differs: cleanup-exit
test('what fails is named, and the exit code is 1', async () => {
  using programs = fakePrograms({ ip: 'echo "RTNETLINK answers: No" >&2; exit 2' });
  const path = join(mkdtempSync(join(tmpdir(), 'undo-')), 'u.json');
  const rule = { priority: 9, src: 'all', fwmark: '0x200', fwmask: '0xf00', table: '2004' };
  const restore = [{ bring: 'rule', family: 4, rule }];
  const items = [{ id: 'rule 4 pref 9', kind: 'rule', what: 'rule 9', restore }];
  writeFileSync(path, JSON.stringify({ version: 2, node: 'n', at: '', items, lost: [] }), { mode: 0o600 });
  const { stdout, code } = await run(['cleanup', 'undo', '--force', path], { env: { PATH: programs.path } });
  expect([code, stdout]).toEqual([1, expect.stringMatching(/^FAILED {3}rule 9: .*No/m)]);
});

describe('refusals', () => {
  test('without root', async () => {
    expect(await run(['cleanup', '--dry-run'], { uid: 1000 })).toEqual({
      stdout: '',
      stderr: 'Error: Please run "cilium cleanup" command(s) with root privileges.\n',
      code: 1,
    });
  });

  test('while an agent answers on the socket', async () => {
    const server = createServer((_, response) => response.end('{}'));
    const socket = await listen(server);
    const result = await run(['post-uninstall-cleanup', '--force'], { env: { CILIUM_SOCK: socket } });
    await close(server, socket);
    expect(result.stdout).toBe('');
    expect(result.stderr).toContain(`something answers on unix://${socket}`);
    expect(result.code).toBe(1);
  });

  test('an unknown kind is answered with the list', async () => {
    const { stderr, code } = await run(['cleanup', '--dry-run', '--kind', 'veth']);
    expect(code).toBe(1);
    expect(stderr).toContain('--kind: "veth" is not a kind\nThe kinds are: tc-filter, xdp,');
  });

  test('a file that is no undo file', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'undo-')), 'u.json');
    writeFileSync(path, '{"version":3}');
    const { stderr, code } = await run(['cleanup', 'undo', path]);
    expect(code).toBe(1);
    expect(stderr).toContain('is not an undo file');
  });

  test('what would be restored carries no control byte of a hostile name', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'undo-')), 'u.json');
    const item = (what: string) => ({ id: what, kind: 'file', what, restore: [] });
    const items = [item('file /x'), item('file /y\u001b[2J\u009b\u202e\r\nwould restore /etc')];
    writeFileSync(path, JSON.stringify({ version: 2, node: 'n', at: '', items, lost: [] }), {
      mode: 0o600,
    });
    const { stdout, code } = await run(['cleanup', 'undo', '--dry-run', path]);
    expect({ stdout, code }).toEqual({
      stdout: `Removed from n at ; to be restored: 2 items
  - file /x
  - file /y^[[2J\\u009b\\u202e\\r\\nwould restore /etc

`,
      code: 0,
    });
  });
});

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = join(HERE, '../../..');
const scratch = mkdtempSync(join(tmpdir(), 'node-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const why = obstacle();
const onKernel = why ? test.skip : test;

/** Runs a shell script in fresh network and mount namespaces after the node was built there. */
function onNode(script: string): { stdout: string; stderr: string; code: number | null } {
  const save = join(scratch, 'iptables.save');
  writeFileSync(
    save,
    `${RECORDED['1.20'].before.iptables.filter((line) => !line.startsWith('#')).join('\n')}\n`,
  );
  const mountpoint = mkdtempSync(join(scratch, 'm-'));
  const text = `set -e
export PATH=$PATH:/usr/sbin:/sbin
sh ${HERE}/build-node.sh ${mountpoint} ${save} >&2
cilium() { ${process.execPath} --import tsx ${ROOT}/src/bin/cilium.ts "$@"; }
${script}`;
  // A cgroup of its own stands for the root: nothing else on this machine is seen, and nothing of a real Cilium.
  const enter = `hierarchy=$(awk '$3 == "cgroup2" {print $2; exit}' /proc/self/mounts)
cgroup=$hierarchy/cleanup-test-$$
mkdir $cgroup && trap 'rmdir $cgroup/* $cgroup 2>/dev/null' EXIT
(echo $BASHPID >$cgroup/cgroup.procs && exec unshare -n -m -C bash -c "$1")`;
  const { stdout, stderr, status } = spawnSync('bash', ['-c', enter, 'enter', text], {
    cwd: ROOT,
    encoding: 'utf8',
    timeout: 180_000,
  });
  spawnSync(
    'sh',
    ['-c', 'ip netns del pods-of-test; ip netns del cilium-health; ip netns del neighbour-of-test'],
    { stdio: 'ignore' },
  );
  const quiet = stderr.replace(/^# Warning: iptables-legacy tables present.*\n/gm, '');
  return { stdout, stderr: quiet, code: status };
}

/** Prints what of the node is left, in a form to compare. */
const LEFT = `
ip -br link | awk '{print "link", $1}'; ip rule; ip -6 rule; ip route show table all | grep -v '^local\\|^broadcast' ; ip -6 route show table 2004
iptables-nft-save | grep -v '^#\\|\\[' ; iptables-legacy-save | grep '^[-:]' | grep -v 'ACCEPT \\[' ; ip6tables-nft-save | grep CILIUM; ipset list -n
find /sys/fs/bpf -mindepth 1 | sort; find /run/cilium /var/lib/cilium /etc/cni /etc/sysctl.d -type f 2>/dev/null | sort
tc filter show dev eth0 ingress; tc filter show dev eth0 egress | grep -o 'name [a-z_]*'; tc qdisc show dev eth0 | grep -o clsact; tc qdisc show dev eth0-peer | grep -o clsact
bpftool link show | grep -c cil_; ip netns list | sort`;

describe(`on a real kernel${why ? ` (skipped: ${why})` : ''}`, () => {
  onKernel('only what is not Cilium remains, and a second run finds nothing', () => {
    const { stdout, stderr, code } = onNode(
      `
cilium cleanup --force --undo-file ${'$'}PWD/../u.json 2>/dev/null >/tmp/out.$$ || { cat /tmp/out.$$; exit 9; }
rm -f /tmp/out.$$
set +e
${LEFT}
echo "== again"
cilium cleanup --force`.replace('$PWD/..', '/run'),
    );
    // What cleanup printed says why it failed.
    expect({ stderr, code, ...(code !== 0 && { stdout }) }).toEqual({ stderr: '', code: 0 });
    const [left = '', again = ''] = stdout.split('== again\n');
    expect(left).not.toMatch(/cilium|CILIUM|lxc[0-9a-f]{8}|lxc_health|2004|cil_/);
    expect(again).toMatch(/^Nothing of Cilium was found/);
    for (const kept of [
      'link eth0@',
      'lxcbr0',
      'pref 500',
      'KUBE-TEST',
      'ours: ssh',
      'other_set',
      '/sys/fs/bpf/not_cil',
      '/sys/fs/bpf/tc/globals/other_map',
      '10-flannel.conflist\n',
      '99-loopback.conf',
      '10-ours.conf',
      '203.0.113.0/24',
      'pods-of-test',
      'default via 192.168.50.12',
    ])
      expect(left).toContain(kept === 'pref 500' ? '500:' : kept);
    expect(left).toMatch(/^0:\s+from all lookup local$/m);
    expect(left.match(/clsact/g)).toEqual(['clsact']);
  });

  onKernel("undo brings back rules, routes, chains, sets, files and the node's own links", () => {
    const { stdout, stderr, code } = onNode(`
facts() { { ip -br link show cilium_host | grep -o NOARP; ip rule; ip -6 rule; ip -4 route show table all | grep 'cilium\\|2004' | sort; ip -6 route show table all | grep 'cilium\\|2004' | sort; iptables-nft-save | grep '^-A\\|^:CIL' | sort; iptables-legacy-save | grep CILIUM | sort; ipset save | sort; find /etc/cni /etc/sysctl.d /run/cilium /var/lib/cilium -type f | sort; cat /etc/cni/net.d/05-cilium.conflist; } | grep -v 'lxc8a\\|local.*table local'; }
facts >/run/before
cilium cleanup --force --undo-file /run/u.json >/dev/null 2>&1
cilium cleanup undo --force /run/u.json >/run/undo.out 2>/dev/null || { grep FAILED /run/undo.out; }
facts >/run/after
diff /run/before /run/after && echo same`);
    expect({ stdout, stderr, code }).toEqual({
      stdout: expect.stringMatching(/same\n$/),
      stderr: '',
      code: 0,
    });
  });

  onKernel('killed at any point and run again, it finishes', () => {
    const { stdout, code } = onNode(`
for ms in 0.4 0.5 0.6 0.7 0.8; do timeout -s KILL $ms ${process.execPath} --import tsx ${ROOT}/src/bin/cilium.ts cleanup --force --undo-file /run/u-$ms.json >/dev/null 2>&1 || true; done
cilium cleanup --force --undo-file /run/u-last.json >/dev/null 2>&1
set +e
${LEFT}
cilium cleanup --dry-run | tail -1`);
    expect(code).toBe(0);
    expect(stdout).not.toMatch(/CILIUM|lxc[0-9a-f]{8}|2004|cil_/);
    expect(stdout).toContain('Nothing of Cilium was found');
  });

  onKernel('what belongs to neighbours stays: other namespaces, other cgroups, other filters', () => {
    const { stdout, stderr, code } = onNode(`
mkdir -p /run/other /run/cg/neighbour-of-test
mount -t bpf bpf /run/other
python3 ${HERE}/attach.py tc cil_from_netdev /run/other/tc
ip netns add neighbour-of-test
inside() { nsenter --net=/run/netns/neighbour-of-test "$@"; }
inside ip link add cilium_host type veth peer name cilium_net
inside python3 ${HERE}/attach.py tcx cilium_host cil_from_host /run/other/tcx
python3 ${HERE}/attach.py cgroup /run/cg/neighbour-of-test cil_sock4_connect /run/other/cgroup
for device in eth1 eth2 eth3; do
  ip link add $device type veth peer name $device-peer
  tc qdisc add dev $device $([ $device = eth3 ] && echo egress_block 22) clsact
  tc filter add dev $device ingress pref 1 chain 3 bpf da pinned /run/other/tc
done
tc filter add dev eth1 egress pref 51 protocol ip u32 match ip dport 25 0xffff flowid 1:1
facts() { inside tc qdisc show; bpftool link show pinned /run/other/tcx; bpftool link show pinned /run/other/cgroup; tc filter show dev eth1 egress; }
facts >/run/before
cilium cleanup --force --undo-file /run/u.json >/run/out 2>&1
facts >/run/after
diff /run/before /run/after && echo same
echo "eth1: $(tc filter show dev eth1 ingress | wc -l) $(tc qdisc show dev eth1 | grep -c clsact)"
for device in eth2 eth3; do echo "$device: $(tc qdisc show dev $device | grep -c clsact || true)"; done
rm -f /run/other/{tcx,cgroup,tc}; ip netns del neighbour-of-test; rmdir /run/cg/neighbour-of-test`);
    expect({ stdout, stderr, code }).toEqual({
      stdout: 'same\neth1: 0 1\neth2: 0\neth3: 1\n',
      stderr: '',
      code: 0,
    });
  });

  onKernel('what is mounted in a state folder of Cilium is not emptied, whatever is chosen', () => {
    const { stdout } = onNode(`
mkdir -p /run/foreign /run/cilium/hostdata /run/cilium/cgroupv2; echo precious >/run/foreign/precious
mount --bind /run/foreign /run/cilium/hostdata
cilium cleanup --force --kind folder --undo-file /run/a.json 2>&1 | grep 'run/cilium' || true
umount /run/cilium/hostdata; mount -t cgroup2 none /run/cilium/cgroupv2
cilium cleanup --force --kind folder --undo-file /run/b.json 2>&1 | grep '^FAILED' || true
cilium cleanup --force --kind mount,folder --undo-file /run/c.json 2>&1 | grep 'run/cilium' || true
cat /run/foreign/precious; ls -d /run/cilium 2>&1`);
    expect(stdout.split('\n')).toEqual([
      'Left alone: /var/run/cilium: tmpfs of somebody else is mounted on /run/cilium/hostdata',
      'FAILED   /var/run/cilium and all in it: cgroup2 is mounted on /run/cilium/cgroupv2',
      '  - mount /run/cilium/cgroupv2',
      '  - /var/run/cilium and all in it',
      'removed  mount /run/cilium/cgroupv2',
      'removed  /var/run/cilium and all in it',
      'precious',
      "ls: cannot access '/run/cilium': No such file or directory",
      '',
    ]);
  });

  onKernel('what lies on things of Cilium, or hides among them, stays', () => {
    const { stdout } = onNode(`
mkdir -p /run/cilium/cgroupv2 /run/bpf; mount -t cgroup2 none /run/cilium/cgroupv2; mount -t tmpfs none /run/cilium/cgroupv2
mount -t bpf none /run/bpf; mount -t bpf none /sys/fs/bpf/cilium/devices/cilium_host
bpftool map create /sys/fs/bpf/cilium/devices/cilium_host/theirs type hash key 4 value 4 entries 1 name theirs
ipset create 'cilium_node_set_v4 evil' hash:ip; ipset create theirs hash:ip comment
ipset add theirs 1.1.1.1 comment $'x\\ncreate cilium_node_set_v6 hash:ip'
iptables-nft -A FORWARD -m comment --comment $'x\\n-A INPUT -j CILIUM_INPUT \\n*raw\\n:CILIUM_PRE_raw - [0:0]' -j ACCEPT
printf x >/var/lib/cilium/$'\\xff'
tc qdisc add dev cilium_vxlan ingress; tc filter add dev cilium_vxlan ingress protocol ip u32 match ip dport 25 0xffff flowid 1:1
shape() { tc qdisc add dev $1 root handle 1: htb; tc class add dev $1 parent 1: classid 1:1 htb rate 1mbit; }
python3 ${HERE}/attach.py tc cil_from_netdev /run/bpf/own; python3 ${HERE}/attach.py tc theirs /run/bpf/theirs
for device in cilium_net lxc8a23dd6694 eth0; do shape $device; done
tc filter add dev cilium_net parent 1: pref 3 protocol ip u32 match ip dport 25 0xffff flowid 1:1
tc filter add dev lxc8a23dd6694 parent 1:1 pref 4 bpf da pinned /run/bpf/theirs
for parent in 1: 1:1; do tc filter add dev eth0 parent $parent pref 5 bpf da pinned /run/bpf/own; done
python3 ${HERE}/attach.py xdp-program cil_xdp_entry /run/bpf/x; ip link set dev eth0 xdpgeneric pinned /run/bpf/x; umount /run/bpf
set +e
cilium cleanup --force --undo-file /run/u.json 2>/run/err | grep '^FAILED\\|^Left alone\\|failed$'
grep -c ' /run/cilium/cgroupv2 ' /proc/self/mountinfo; ls /sys/fs/bpf/cilium/devices/cilium_host/theirs; ipset list -n | sort
for device in cilium_net lxc8a23dd6694 eth0; do for parent in 1: 1:1; do tc filter show dev $device parent $parent | grep -q pref && echo "$device $parent"; done; done
iptables-nft-save | grep -c 'CILIUM'; ip link show eth0 | grep -c xdp
cilium cleanup undo --force /run/u.json 2>&1 | grep '^FAILED'`);
    expect(stdout.split('\n')).toEqual([
      'Left alone: pins in /sys/fs/bpf/cilium/devices/cilium_host: something of somebody else is mounted there',
      'Left alone: ipset cilium_node_set_v4 evil: no release of Cilium makes one of this name',
      ...['cilium_net', 'cilium_host'].map(
        (name) => `Left alone: link ${name}: a tc filter of somebody else is on it (u32, preference 3)`,
      ),
      'Left alone: link cilium_vxlan: a tc filter of somebody else is on it (u32, preference 49152)',
      'Left alone: link lxc8a23dd6694: a tc filter of somebody else is on it (bpf, preference 4)',
      'Left alone: mount /run/cilium/cgroupv2: something of somebody else is mounted on it',
      'Left alone: /var/run/cilium: tmpfs of somebody else is mounted on /run/cilium/cgroupv2',
      'Left alone: /var/lib/cilium: undo could not bring back /var/lib/cilium/\ufffd, whose name is not UTF-8',
      expect.stringMatching(/^\d+ removed, \d+ already gone, 0 failed$/),
      ...['2', '/sys/fs/bpf/cilium/devices/cilium_host/theirs'],
      ...['cilium_node_set_v4 evil', 'other_set', 'theirs'],
      ...['cilium_net 1:', 'lxc8a23dd6694 1:1'],
      ...['2', '0', ''],
    ]);
  });

  onKernel('a baseline shows the residue', () => {
    const { stdout, code } = onNode(`
cilium cleanup baseline /run/base.json
cilium cleanup diff /run/base.json
ip link add cilium_wg0 type veth peer name cilium_wg1
cilium cleanup diff /run/base.json || echo "exit $?"`);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Kept \d+ facts about .* in \/run\/base.json\n.* is as it was on /);
    expect(stdout).toContain('+ link cilium_wg0 (veth)\n+ link cilium_wg1 (veth)\nexit 1\n');
  });
});

test.each([
  ['a list', `echo '[{"dev":"lo"}]'`, [{ dev: 'lo' }], []],
  ['a name with a control character', `printf '[\\n{"dev":"a\\033b"}]'`, [{ dev: 'a\u001bb' }], []],
  ['nothing', 'true', [], []],
  ['a list that is cut short', `echo '[{"dev":'`, [], [/^ip -j route: not JSON: /]],
  [
    'another type',
    `echo '[{"dev":1}]'`,
    [],
    [/: not as this program knows it: \[0\]\.dev should be a text$/],
  ],
  ['a failure', 'echo no such table >&2; exit 2', [], [/^ip -j route: no such table$/]],
])('a program that prints %s', async (_what, script, list, expected) => {
  using programs = fakePrograms({ ip: script });
  const notes: string[] = [];
  const form = { fields: { dev: 'text' } } as const;
  const ran = listFrom(systemRun({ PATH: programs.path }), ['ip', '-j', 'route'], form, notes);
  expect(await ran).toEqual(list);
  expect(notes).toEqual(expected.map((pattern) => expect.stringMatching(pattern)));
});
