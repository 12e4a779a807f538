import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startTestCluster, type TestCluster } from '../../helpers/cluster.ts';
import { run } from '../../helpers/run.ts';
import {
  ciliumConfig,
  type Ran,
  runningPod,
  type StubCluster,
  serveStub,
} from '../../helpers/stub-cluster.ts';

const AGENT = { 'k8s-app': 'cilium' };
const ipsec = (keys: number, seq: string, errors: Record<string, number> = {}) => ({
  ipsec: {
    'decrypt-interfaces': ['eth0'],
    'error-count': Object.values(errors).reduce((sum, one) => sum + one, 0),
    'keys-in-use': keys,
    'max-seq-number': seq,
    'xfrm-errors': errors,
  },
  mode: 'IPsec',
});

let cluster: StubCluster;
/** What each agent says, by its pod. */
let says: Record<string, object | Ran> = {};
let version = '1.18.2';

const status = (...flags: string[]) =>
  run(['encryption', 'status', '-n', 'kube-system', ...flags], { env: { KUBECONFIG: cluster.kubeconfig } });

beforeAll(async () => {
  cluster = await serveStub();
  cluster.exec = (pod, command) => {
    if (command[0] !== 'cilium-dbg') return 'is not there';
    if (command[1] === 'version') return { stdout: version };
    const said = says[pod];
    if (said === undefined) return { stderr: 'Error: no socket\n', code: 1 };
    return typeof said === 'string' || 'stdout' in said ? (said as Ran) : { stdout: JSON.stringify(said) };
  };
});
afterAll(async () => cluster[Symbol.asyncDispose]());
beforeEach(() => {
  version = '1.18.2';
  cluster.objects.clear();
  cluster.seen.length = 0;
  cluster.forbidden = undefined;
  for (const n of [1, 2, 3]) cluster.objects.set(...runningPod(`cilium-${n}`, `n${n}`, AGENT));
  cluster.objects.set(
    ...ciliumConfig({ 'enable-ipsec': 'true', 'enable-ipv4': 'true', 'routing-mode': 'tunnel' }),
  );
  says = Object.fromEntries([1, 2, 3].map((n) => [`cilium-${n}`, ipsec(8, '0x2a/0xffffffff')]));
});

describe('encryption status', () => {
  test('prints what cilium-cli prints', async () => {
    expect(await status()).toEqual({
      stdout: `Encryption: IPsec (3/3 nodes)
IPsec keys in use: 8 on 3/3
IPsec highest Seq. Number: 0x2a/0xffffffff across all nodes
IPsec expected key count: 8
IPsec key rotation in progress: false
IPsec errors: 0 across all nodes

`,
      stderr: '',
      code: 0,
    });
  });

  test('sums up nodes that differ', async () => {
    says['cilium-1'] = ipsec(12, '0x100/0xffffffff', { XfrmInNoStates: 2, XfrmInError: 1 });
    says['cilium-2'] = ipsec(8, 'N/A', { XfrmInNoStates: 3 });
    says['cilium-3'] = { mode: 'Disabled' };
    expect((await status()).stdout).toBe(`Encryption: Disabled (1/3 nodes)
Encryption: IPsec (2/3 nodes)
IPsec keys in use: 8 on 1/3, 12 on 1/3
IPsec highest Seq. Number: 0x100/0xffffffff across all nodes
IPsec expected key count: 8
IPsec key rotation in progress: true
IPsec errors: 6 across all nodes
\tXfrmInError: 1 on 1/3 nodes
\tXfrmInNoStates: 5 on 2/3 nodes

`);
    expect((await status('-o', 'json')).stdout).toBe(`{
 "total-node-count": 3,
 "enc-disabled-node-count": 1,
 "enc-ipsec-node-count": 2,
 "ipsec-keys-in-use-node-count": {
  "12": 1,
  "8": 1
 },
 "ipsec-max-seq-num": "0x100/0xffffffff",
 "ipsec-err-count": 6,
 "ipsec-key-rotation-in-progress": true,
 "ipsec-expected-key-count": 8,
 "xfrm-errors": {
  "XfrmInError": 1,
  "XfrmInNoStates": 5
 },
 "xfrm-error-node-count": {
  "XfrmInError": 1,
  "XfrmInNoStates": 2
 }
}
`);
  });

  // differs: encryption-partial
  test('a node that cannot be asked is told, counted, and the exit code is 3', async () => {
    delete says['cilium-2'];
    const { stdout, stderr, code } = await status();
    expect(stdout).toContain('Encryption: IPsec (2/3 nodes)\nIPsec keys in use: 8 on 2/3\n');
    expect([stderr, code]).toEqual(['n2: no socket\n', 3]);
    says = {};
    expect(await status()).toMatchObject({
      stdout: '',
      stderr: expect.stringContaining(
        'Error: Unable to print encryption status: failed to fetch encryption status from cilium-1: no socket',
      ),
      code: 1,
    });
  });

  test('one that hangs ends with --wait-duration', async () => {
    says['cilium-3'] = 'hangs';
    const { stderr, code } = await status('--wait-duration', '1s');
    expect([stderr, code]).toEqual(['n3: no answer within 1 s\n', 3]);
  });

  // differs: encryption-modes
  test('a mode that is not known is a line of its own', async () => {
    says = {
      'cilium-1': { mode: 'Ztunnel' },
      'cilium-2': { mode: 'Wireguard' },
      'cilium-3': { msg: 'not yet' },
    };
    expect((await status()).stdout).toBe(
      'Encryption: Wireguard (1/3 nodes)\nEncryption: unknown (1/3 nodes)\nEncryption: Ztunnel (1/3 nodes)\n\n',
    );
    expect(JSON.parse((await status('-o', 'json')).stdout)).toEqual({
      'total-node-count': 3,
      'enc-wireguard-node-count': 1,
      'enc-other-node-count': { unknown: 1, Ztunnel: 1 },
    });
    expect(cluster.seen.some((line) => line.includes('configmaps'))).toBe(false);
  });

  // differs: encryption-per-node
  test('--per-node-details shows nodes in order, and names them in JSON', async () => {
    says['cilium-1'] = ipsec(8, '0x1/0xff', { XfrmInError: 1 });
    says['cilium-2'] = { mode: 'Wireguard', wireguard: { interfaces: [], 'from-newer': true } };
    says['cilium-3'] = ipsec(12, '');
    expect((await status('--per-node-details')).stdout).toBe(`Node: n1
Encryption: IPsec
IPsec keys in use: 8
IPsec highest Seq. Number: 0x1/0xff
IPsec expected key count: 8
IPsec key rotation in progress: false
IPsec errors: 1
\tXfrmInError: 1

Node: n2
Encryption: Wireguard

Node: n3
Encryption: IPsec
IPsec keys in use: 12
IPsec expected key count: 8
IPsec key rotation in progress: true
IPsec errors: 0

`);
    const { stdout } = await status('--per-node-details', '-o', 'json');
    const [first, second] = stdout.split('\n}\n').map((text) => JSON.parse(`${text || '{'}}`));
    expect(first).toEqual({
      node: 'n1',
      ...ipsec(8, '0x1/0xff', { XfrmInError: 1 }),
      'ipsec-expected-key-count': 8,
    });
    expect(second).toEqual({ node: 'n2', ...(says['cilium-2'] as object) });
  });

  // differs: encryption-one-node
  test('of one node the keys that are expected are those for all others', async () => {
    const { stdout } = await status('--node', 'n2');
    expect(stdout).toContain('Encryption: IPsec (1/1 nodes)');
    expect(stdout).toContain('IPsec expected key count: 8\nIPsec key rotation in progress: false\n');
  });

  // differs: encryption-old
  test('agents before 1.18 are refused where they encrypt with IPsec, whose keys they count otherwise', async () => {
    version = '1.17.4';
    const { stderr, code } = await status();
    expect(stderr).toContain('Cilium version is too old: 1.17.4 (command is supported since 1.18)');
    expect(code).toBe(1);
    says = Object.fromEntries(
      [1, 2, 3].map((n) => [`cilium-${n}`, { stdout: 'Encryption: Wireguard   \n' }]),
    );
    expect((await status()).stdout).toBe('Encryption: Wireguard (3/3 nodes)\n\n');
  });

  test('a text is read as JSON is', async () => {
    const text = `Encryption: IPsec                     
Decryption interface(s): eth0, eth1
Keys in use: 8                         
Max Seq. Number: 0x2b/0xffffffff
Errors: 1                         
\tXfrmInError: 1                         
`;
    says['cilium-1'] = { stdout: text };
    const { stdout } = await status();
    expect(stdout).toContain('0x2b/0xffffffff across all nodes');
    expect(stdout).toContain('\tXfrmInError: 1 on 1/3 nodes\n');
    says['cilium-1'] = { stdout: 'Keys in use: many' };
    expect((await status()).stderr).toBe('n1: Keys in use of `encrypt status` is no number: "many"\n');
    says['cilium-1'] = { stdout: '{"ipsec": {"keys-in-use": "8"}}' };
    expect((await status()).stderr).toMatch(/^n1: .*keys-in-use/);
  });

  test('what may not be read is named', async () => {
    cluster.forbidden = /configmaps/;
    const { stdout, stderr, code } = await status();
    expect(stderr).toContain(
      'Unable to print encryption status: unable get ConfigMap "cilium-config": User "u" cannot',
    );
    expect([stdout, code]).toEqual(['', 1]);
  });

  test('encrypt status means the cluster with --cluster, --node, or where only a kubeconfig is', async () => {
    const env = { KUBECONFIG: cluster.kubeconfig, CILIUM_NAMESPACE: 'kube-system' };
    const wanted = (await status()).stdout;
    for (const flags of [['--cluster'], ['--cluster', '-o', 'summary']])
      expect((await run(['encrypt', 'status', ...flags], { env })).stdout).toBe(wanted);
    expect((await run(['encrypt', 'status', '--node', 'n1'], { env })).stdout).toContain('IPsec (1/1 nodes)');
    expect((await run(['encrypt', 'status', '--cluster', '-o', 'yaml'], { env })).stderr).toContain(
      'of a cluster there are summary and json',
    );
    const here = await run(['encrypt', 'status', '--agent'], { env, uid: 1000 });
    expect(here.stderr).toContain('Please run "cilium encrypt status" command(s) with root privileges.');
  });
});

describe('with the agents of a lab', () => {
  let lab: TestCluster;
  beforeAll(async () => {
    lab = await startTestCluster();
  });
  afterAll(async () => lab[Symbol.asyncDispose]());

  test('encryption status', async () => {
    expect(await lab.run(['encryption', 'status'])).toEqual({
      stdout: 'Encryption: Disabled (3/3 nodes)\n\n',
      stderr: '',
      code: 0,
    });
  });
});
