import { describe, expect, test } from '@jest/globals';
import { type FakePrograms, fakePrograms } from '../helpers/programs.ts';
import type { RunOptions } from '../helpers/run.ts';
import { type Answers, answer, ask as askAgent } from './status/serve.ts';

/** What `ip xfrm state list` of iproute2 6 prints. */
const STATES = `src 10.0.0.1 dst 10.0.0.2
	proto esp spi 0x00000003 reqid 1 mode tunnel
	replay-window 0 
	mark 0x5d0d3e00/0xffffff00 output-mark 0xe00/0xf00
	aead rfc4106(gcm(aes)) 0x4142434445464748494a4b4c4d4e4f5051525354 128
	anti-replay esn context:
	 seq-hi 0x0, seq 0x0, oseq-hi 0x1, oseq 0x2a
	 replay_window 0, bitmap-length 0
	sel src 0.0.0.0/0 dst 0.0.0.0/0 
src 10.0.0.2 dst 10.0.0.1
	proto esp spi 0x00000004 reqid 1 mode tunnel
	replay-window 0 
	mark 0xd00/0xf00 output-mark 0xd00/0xf00
	auth-trunc hmac(sha256) 0x6162 128
	enc cbc(aes) 0x6364
	anti-replay context: seq 0x0, oseq 0x7, bitmap 0x00000000
	sel src 0.0.0.0/0 dst 0.0.0.0/0 
`;
const POLICIES = `src 10.1.0.0/24 dst 10.2.0.0/24 
	dir out priority 0 
	mark 0x5d0d3e00/0xffffff00 
	tmpl src 10.0.0.1 dst 10.0.0.2
		proto esp spi 0x00000003 reqid 1 mode tunnel
src 0.0.0.0/0 dst 10.1.0.0/24 
	dir in priority 0 
	mark 0xd00/0xf00 
	tmpl src 0.0.0.0 dst 10.0.0.1
		proto esp reqid 1 mode tunnel
src 1.0.0.0/8 dst 2.0.0.0/8 
	dir fwd priority 0 
`;

const node = (extra: Record<string, string> = {}): FakePrograms =>
  fakePrograms({
    ip: `case "$*" in
  "xfrm state list"*) cat <<'EOF'
${STATES}EOF
;;
  "xfrm policy list") cat <<'EOF'
${POLICIES}EOF
;;
  "-j link show") echo '[{"ifname":"lo","ifindex":1},{"ifname":"eth0","ifindex":2}]';;
esac`,
    tc: `case "$*" in
  *qdisc*) echo '[{"kind":"clsact","dev":"eth0"},{"kind":"noqueue","dev":"lo"}]';;
  *filter*) echo '[{"kind":"bpf","options":{"bpf_name":"cil_from_netdev-eth0"}}]';;
esac`,
    ...extra,
  });

async function ask(argv: string[], programs: FakePrograms, answers: Answers = {}, options: RunOptions = {}) {
  return askAgent(['encrypt', ...argv], answers, {
    ...options,
    env: { PATH: `${programs.path}:/usr/bin:/bin` },
  });
}

const mode = (value: string, more: object = {}, release = '1.20'): Answers => ({
  status: { cilium: { state: 'Ok', msg: `${release}.3 (x)` }, encryption: { mode: value, ...more } },
});

describe('encrypt status', () => {
  test('needs root', async () => {
    using programs = node();
    expect(await ask(['status'], programs, {}, { uid: 1000 })).toEqual({
      stdout: '',
      stderr: 'Error: Please run "cilium encrypt status" command(s) with root privileges.\n',
      code: 1,
    });
  });

  test('counts keys, sequence numbers and interfaces of IPsec', async () => {
    using programs = node();
    const { stdout, code } = await ask(['status'], programs, mode('IPsec'));
    expect(code).toBe(0);
    expect(stdout.split('\n').slice(0, 4)).toEqual([
      `Encryption: IPsec${' '.repeat(21)}`,
      'Decryption interface(s): eth0',
      `Keys in use: 2${' '.repeat(25)}`,
      'Max Seq. Number: 0x10000002a/0xffffffffffffffff',
    ]);
    expect(stdout).toMatch(/\nErrors: \d+ +\n/);
  });

  test('is the model of the API with -o', async () => {
    using programs = node();
    const { stdout } = await ask(['status', '-o', 'json'], programs, mode('IPsec'));
    expect(JSON.parse(stdout)).toMatchObject({
      mode: 'IPsec',
      ipsec: {
        'decrypt-interfaces': ['eth0'],
        'keys-in-use': 2,
        'max-seq-number': '0x10000002a/0xffffffffffffffff',
      },
    });
    const path = await ask(['status', '-o', 'jsonpath={}'], programs, mode('Disabled'));
    expect(path.stdout).toMatch(/^\{.*"mode":"Disabled"\}\n$/);
  });

  test.each([
    ['1.17', '0x10000002a/0xffffffff'],
    ['1.18', '0x10000002a/0xffffffffffffffff'],
  ])('has the numbers of %s, which is asked for IPsec only where that encrypts', async (release, wanted) => {
    using programs = node();
    const { stdout } = await ask(['status'], programs, mode('IPsec', {}, release));
    expect(stdout).toContain(`\nMax Seq. Number: ${wanted}\n`);
    const other = await ask(['status'], programs, mode('Disabled', {}, release));
    expect(other.stdout).toBe(`Encryption: Disabled${' '.repeat(18)}\n`);
  });

  test.each([
    ['1.18', true],
    ['1.19', false],
  ])('without keys IPsec is told in %s: %j', async (release, told) => {
    using programs = fakePrograms({ ip: 'exit 0' });
    const { stdout } = await ask(['status'], programs, mode('IPsec', {}, release));
    expect(stdout.includes('Keys in use: 0 ')).toBe(told);
  });

  test.each([
    ['1.18', []],
    ['1.19', ['listen-port']],
  ])('the model of WireGuard in %s has %j', async (release, port) => {
    using programs = fakePrograms({ ip: 'exit 0' });
    const wireguard = { interfaces: [{ name: 'w', 'public-key': 'K', 'peer-count': 2, 'listen-port': 5 }] };
    const { stdout } = await ask(
      ['status', '-o', 'json'],
      programs,
      mode('Wireguard', { wireguard }, release),
    );
    const [known] = (JSON.parse(stdout) as { wireguard: { interfaces: object[] } }).wireguard.interfaces;
    expect(Object.keys(known ?? {})).toEqual([...port, 'name', 'peer-count', 'peers', 'public-key']);
  });

  test.each([
    ['', 'expected an object, found nothing'],
    ['{}', 'expected an object with fields, found an empty one'],
    ['{"cilium":{},"encryption":{"ipsec":[]}}', 'expected an object at .encryption.ipsec, found a list'],
  ])('goes on with what the kernel holds when the agent answers %j', async (status, message) => {
    using programs = node();
    const { stdout, code } = await ask(['status'], programs, { status });
    expect(code).toBe(0);
    expect(stdout).toContain(`Msg: GET /v1/healthz: ${message}\n`);
    expect(stdout).toContain('\nKeys in use: 2 ');
  });

  // differs: encrypt-wireguard
  test('lists the interfaces of WireGuard', async () => {
    using programs = fakePrograms({ ip: 'exit 0' });
    const wireguard = {
      interfaces: [{ name: 'cilium_wg0', 'public-key': 'K=', 'peer-count': 2, 'listen-port': 51871 }],
    };
    const { stdout } = await ask(['status'], programs, mode('Wireguard', { wireguard }));
    expect(stdout).toBe(
      `Encryption: Wireguard${' '.repeat(17)}\nInterface: cilium_wg0\n\tPublic key: K=\n\tNumber of peers: 2\n`,
    );
  });

  // differs: encrypt-no-ipsec
  test('does not speak of IPsec where the agent does not use it', async () => {
    using programs = fakePrograms({ ip: 'echo "RTNETLINK answers: Operation not permitted" >&2; exit 2' });
    const { stdout } = await ask(['status'], programs, mode('Wireguard'));
    expect(stdout).toMatch(/^Encryption: Wireguard/);
    expect(stdout).not.toContain('Msg:');
  });

  test('says what could not be read in a message of its own', async () => {
    using programs = fakePrograms({ ip: 'echo "RTNETLINK answers: Operation not permitted" >&2; exit 2' });
    const { stdout } = await ask(['status'], programs, mode('IPsec'));
    expect(stdout).toBe(
      `Msg: cannot get xfrm state: RTNETLINK answers: Operation not permitted\nEncryption: IPsec${' '.repeat(21)}\n`,
    );
  });

  test('goes on without the agent', async () => {
    using programs = fakePrograms({ ip: 'exit 0' });
    const { stdout, code } = await ask(['status'], programs);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Msg: \[GET \/healthz\]\[404\].*\nEncryption: {27}\n$/);
  });
});

describe('encrypt dump-xfrm', () => {
  test('prints the states as one line of JSON', async () => {
    using programs = node();
    const { stdout } = await ask(['dump-xfrm'], programs);
    expect(stdout).toBe(
      '[{"src":"10.0.0.1","dst":"10.0.0.2","spi":3,"reqid":1,"aead_alg":"rfc4106(gcm(aes))","aead_key":"4142434445464748494a4b4c4d4e4f5051525354"},' +
        '{"src":"10.0.0.2","dst":"10.0.0.1","spi":4,"reqid":1,"auth_alg":"hmac(sha256)","auth_key":"6162","crypt_alg":"cbc(aes)","crypt_key":"6364"}]\n',
    );
  });

  test('prints null without states', async () => {
    using programs = fakePrograms({
      ip: 'echo "Cannot open netlink socket: Protocol not supported" >&2; exit 1',
    });
    expect(await ask(['dump-xfrm'], programs)).toEqual({ stdout: 'null\n', stderr: '', code: 0 });
  });
});

describe('encrypt flush', () => {
  const changes = (programs: FakePrograms) => programs.calls().filter((call) => /flush|delete/.test(call));

  test('asks first, and takes only y for a yes', async () => {
    for (const [stdin, done] of [
      ['y\n', true],
      ['yes\n', false],
      ['\n', false],
    ] as const) {
      using programs = node();
      const { stdout, code } = await ask(['flush'], programs, {}, { stdin });
      expect(code).toBe(0);
      expect(stdout).toContain('Do you want to continue? [y/N] ');
      expect(stdout.endsWith('All XFRM states and policies have been deleted.\n')).toBe(done);
      expect(changes(programs)).toEqual(
        done ? ['ip xfrm policy flush', 'ip xfrm state flush proto esp'] : [],
      );
    }
  });

  test('removes what a filter names', async () => {
    using programs = node();
    const { stdout } = await ask(['flush', '--force', '--spi', '3'], programs);
    expect(stdout).toBe('Deleted 1 XFRM states.\nDeleted 1 XFRM policies.\n');
    expect(changes(programs)).toEqual([
      'ip xfrm state delete src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x3 mark 0x5d0d3e00 mask 0xffffff00',
      'ip xfrm policy delete src 10.1.0.0/24 dst 10.2.0.0/24 dir out mark 0x5d0d3e00 mask 0xffffff00',
    ]);
  });

  test('finds a node by the upper half of the mark', async () => {
    using programs = node();
    const { stdout } = await ask(['flush', '-f', '--node-id', '0x5d0d'], programs);
    expect(stdout).toBe('Deleted 1 XFRM states.\nDeleted 1 XFRM policies.\n');
  });

  test('keeps nodes that the agent knows with --stale', async () => {
    using programs = node();
    const known = (id: number) => ({ others: [answer('/v1/node/ids', [{ id, ips: ['10.0.0.2'] }])] });
    expect((await ask(['flush', '-f', '--stale'], programs, known(0x5d0d))).stdout).toBe(
      'Deleted 0 XFRM states.\nDeleted 0 XFRM policies.\n',
    );
    expect((await ask(['flush', '-f', '--stale'], programs, known(1))).stdout).toBe(
      'Deleted 1 XFRM states.\nDeleted 1 XFRM policies.\n',
    );
    const none = await ask(['flush', '-f', '--stale'], programs, { others: [answer('/v1/node/ids', [])] });
    expect(none).toMatchObject({ stdout: '', code: 1 });
  });

  test('shows the commands with --dry-run and runs none', async () => {
    using programs = node();
    const { stdout } = await ask(['flush', '--dry-run'], programs);
    expect(stdout).toBe('ip xfrm policy flush\nip xfrm state flush proto esp\n');
    expect(changes(programs)).toEqual([]);
  });

  // differs: encrypt-flush
  test('counts only what was removed, and fails when something was not', async () => {
    using programs = node();
    const { stdout, stderr, code } = await ask(['flush', '-f', '--spi', '4'], programs);
    expect({ stdout, code }).toEqual({
      stdout: 'Deleted 1 XFRM states.\nDeleted 0 XFRM policies.\n',
      code: 0,
    });
    expect(stderr).toBe('');
    using broken = node({
      ip: `case "$*" in *list*) cat <<'EOF'\n${STATES}EOF\n;; *) echo gone >&2; exit 2;; esac`,
    });
    const failed = await ask(['flush', '-f', '--spi', '4'], broken);
    expect(failed.stdout).toBe('Deleted 0 XFRM states.\nDeleted 0 XFRM policies.\n');
    expect(failed.stderr).toMatch(/spi 0x4 .*: gone\n/);
    expect(failed.code).toBe(1);
  });

  test.each([
    [['--spi', '16'], /larger than 15/],
    [['--node-id', '70000'], /invalid node ID/],
    [['--node-id', '0x0'], /invalid node ID/],
    [['--stale', '--spi', '3'], /--stale cannot be used together/],
  ])('refuses %j', async (flags, message) => {
    using programs = node();
    const { stderr, code } = await ask(['flush', '-f', ...flags], programs);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(changes(programs)).toEqual([]);
  });
});
