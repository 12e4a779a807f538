import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type RunOptions, run } from '../../helpers/run.ts';
import { ciliumConfig, type StubCluster, serveStub } from '../../helpers/stub-cluster.ts';

const SECRET = '/api/v1/namespaces/kube-system/secrets/cilium-ipsec-keys';
const OLD = 'a'.repeat(40);
const NOW = Date.parse('2026-11-01T12:00:00Z');

let cluster: StubCluster;
const ask = (argv: string[], options: RunOptions = {}) =>
  run(['encryption', ...argv, '-n', 'kube-system'], {
    nowMs: NOW,
    env: { KUBECONFIG: cluster.kubeconfig },
    ...options,
  });
const stored = () => {
  const { data } = cluster.objects.get(SECRET) as { data: { keys: string } };
  return Buffer.from(data.keys, 'base64').toString();
};
const store = (text: string, metadata: object = {}) =>
  cluster.objects.set(SECRET, {
    metadata: { name: 'cilium-ipsec-keys', resourceVersion: '7', ...metadata },
    data: { keys: Buffer.from(text).toString('base64') },
  });
const nodes = (...spis: number[]) => {
  for (const [i, key] of spis.entries())
    cluster.objects.set(`/apis/cilium.io/v2/ciliumnodes/n${i + 1}`, {
      metadata: { name: `n${i + 1}` },
      spec: { encryption: { key } },
    });
};

beforeAll(async () => {
  cluster = await serveStub();
});
afterAll(async () => cluster[Symbol.asyncDispose]());
beforeEach(() => {
  cluster.objects.clear();
  cluster.seen.length = 0;
  cluster.forbidden = undefined;
  cluster.before = () => {};
  cluster.objects.set(...ciliumConfig({}));
});

describe('create-key', () => {
  test.each([
    ['rfc4106-gcm-aes', /^1\+ rfc4106\(gcm\(aes\)\) [0-9a-f]{40} 128$/],
    ['cbc-aes-sha256', /^1\+ hmac\(sha256\) [0-9a-f]{32} cbc\(aes\) [0-9a-f]{32}$/],
    ['cbc-aes-sha512', /^1\+ hmac\(sha512\) [0-9a-f]{64} cbc\(aes\) [0-9a-f]{32}$/],
  ])('%s', async (algorithm, form) => {
    expect(await ask(['create-key', '--auth-algo', algorithm])).toEqual({
      stdout: 'IPsec key successfully created, new key SPI: 1\n',
      stderr: '',
      code: 0,
    });
    expect(stored()).toMatch(form);
  });

  test('a key that is there stays', async () => {
    store(`3+ rfc4106(gcm(aes)) ${OLD} 128`);
    const { stderr, code } = await ask(['create-key']);
    expect(stderr).toContain(
      'Unable to create IPsec key: IPsec secret already exists, rotate key if needed using `cilium encryption rotate-key` command',
    );
    expect([code, stored()]).toEqual([1, `3+ rfc4106(gcm(aes)) ${OLD} 128`]);
  });

  test('so does one that somebody makes meanwhile', async () => {
    cluster.before = (line) => {
      if (line.startsWith('POST')) store('theirs');
    };
    expect((await ask(['create-key'])).stderr).toContain('IPsec secret already exists');
    expect(stored()).toBe('theirs');
  });

  test('asks at a terminal, and --dry-run asks the API server only', async () => {
    const no = await ask(['create-key'], { columns: 80, typed: ['n'] });
    expect([no.code, cluster.objects.has(SECRET)]).toEqual([1, false]);
    expect(no.stderr).toContain('create the Secret kube-system/cilium-ipsec-keys with an IPsec key');
    expect((await ask(['create-key', '--dry-run'])).stdout).toBe(
      'Would create the Secret kube-system/cilium-ipsec-keys with an IPsec key for rfc4106(gcm(aes)).\n',
    );
    expect(cluster.objects.has(SECRET)).toBe(false);
    expect(cluster.seen.at(-1)).toMatch(/^POST .*dryRun=All/);
    cluster.forbidden = /^POST/;
    expect(await ask(['create-key', '--dry-run'])).toMatchObject({
      stdout: '',
      code: 1,
      stderr: expect.stringContaining('failed to create IPsec secret with new key: User "u" cannot POST'),
    });
  });

  test.each([['md5'], ['']])('--auth-algo %j is refused before anything is asked', async (algorithm) => {
    const { stderr, code } = await ask(['create-key', '--auth-algo', algorithm]);
    expect(stderr).toContain(`Input params are invalid: auth-algo has invalid value: ${algorithm}`);
    expect([code, cluster.seen]).toEqual([1, []]);
  });
});

describe('rotate-key', () => {
  test.each([
    { spi: 3, next: 4 },
    { spi: 15, next: 1 },
  ])('from SPI $spi to $next', async ({ spi, next }) => {
    store(`${spi}+ rfc4106(gcm(aes)) ${OLD} 128`);
    const { stdout, stderr, code } = await ask(['rotate-key']);
    expect([stdout, code]).toEqual([`IPsec key successfully rotated, new key SPI: ${next}\n`, 0]);
    expect(stored()).toMatch(new RegExp(`^${next}\\+ rfc4106\\(gcm\\(aes\\)\\) [0-9a-f]{40} 128$`));
    expect(stored()).not.toContain(OLD);
    expect(stdout + stderr).not.toContain(stored().split(' ')[2] ?? '?');
  });

  // differs: encryption-key-forms
  test.each([
    ['a line that ends', `3 rfc4106(gcm(aes)) ${OLD} 128\n`, /^4\+ rfc4106\(gcm\(aes\)\) [0-9a-f]{40} 128$/],
    [
      'digits that are marked',
      `3+ hmac(sha256) 0x${'b'.repeat(64)} cbc(aes) 0x${'c'.repeat(64)}`,
      /^4\+ hmac\(sha256\) 0x[0-9a-f]{64} cbc\(aes\) 0x[0-9a-f]{64}$/,
    ],
  ])('keeps algorithm and length: %s', async (_, text, form) => {
    store(text);
    expect((await ask(['rotate-key'])).code).toBe(0);
    expect(stored()).toMatch(form);
  });

  test('to another algorithm', async () => {
    store(`3+ rfc4106(gcm(aes)) ${OLD} 128`);
    await ask(['rotate-key', '--auth-algo', 'cbc-aes-sha512']);
    expect(stored()).toMatch(/^4\+ hmac\(sha512\) [0-9a-f]{64} cbc\(aes\) [0-9a-f]{32}$/);
  });

  test.each(['', 'x', `3+ rfc4106(gcm(aes)) ${OLD}`, `1+ a ${OLD} 128\n2+ a ${OLD} 128`])(
    'what is no key stays, and is not shown: %j',
    async (text) => {
      store(text);
      const { stderr, stdout, code } = await ask(['rotate-key']);
      expect(stderr).toContain('Unable to rotate IPsec key: IPsec key has unsupported format');
      expect([stdout, code, stored()]).toEqual(['', 1, text]);
      expect(stderr).not.toContain(OLD);
    },
  );

  // differs: encryption-rotate-race
  test('a key that somebody else has put there meanwhile is not lost', async () => {
    store(`3+ rfc4106(gcm(aes)) ${OLD} 128`);
    cluster.before = (line) => {
      if (line.startsWith('PATCH')) store('4+ theirs abcd 128', { resourceVersion: '8' });
    };
    const { stderr, code } = await ask(['rotate-key']);
    expect(stderr).toContain('the key was changed meanwhile by somebody else, and is left as that');
    expect([code, stored()]).toEqual([1, '4+ theirs abcd 128']);
  });

  // differs: encryption-rotate-haste
  test('not while nodes have yet to take up the present key', async () => {
    store(`3+ rfc4106(gcm(aes)) ${OLD} 128`);
    nodes(3, 2, 0);
    const { stderr, code } = await ask(['rotate-key']);
    expect(stderr).toContain(
      '2 of 3 nodes have yet to take up the present key (SPI 3): n2 (SPI 2), n3 (none)',
    );
    expect(code).toBe(1);
    expect((await ask(['rotate-key', '--force'])).code).toBe(0);
  });

  test('nodes that do not encrypt with IPsec hold nothing up', async () => {
    store(`3+ rfc4106(gcm(aes)) ${OLD} 128`);
    // With WireGuard a node names this number.
    nodes(0, 255);
    const { stderr, code } = await ask(['rotate-key', '--wait']);
    expect([stderr, code]).toEqual(['No node encrypts with IPsec: none waits for the key.\n', 0]);
  });

  test('not while nodes keep the key before it', async () => {
    const managed = (time: string) => ({
      managedFields: [{ manager: 'm', time, fieldsV1: { 'f:data': { 'f:keys': {} } } }],
    });
    store(`3+ rfc4106(gcm(aes)) ${OLD} 128`, managed('2026-11-01T11:58:00Z'));
    nodes(3, 3);
    expect((await ask(['rotate-key'])).stderr).toContain(
      'the present key was written 2m0s ago, and nodes keep the one before it for 5m0s',
    );
    cluster.objects.set(...ciliumConfig({ 'ipsec-key-rotation-duration': '1m' }));
    expect((await ask(['rotate-key'])).code).toBe(0);
  });

  test('not a Secret that others keep', async () => {
    store(`3+ rfc4106(gcm(aes)) ${OLD} 128`, {
      ownerReferences: [{ kind: 'ExternalSecret', name: 'ipsec', uid: '1' }],
    });
    expect((await ask(['rotate-key'])).stderr).toContain('the Secret is kept by ExternalSecret (ipsec)');
    expect(stored()).toContain(OLD);
  });

  test('tells how far the nodes are, and with --wait until all are there', async () => {
    store(`3+ rfc4106(gcm(aes)) ${OLD} 128`);
    nodes(3, 3);
    expect((await ask(['rotate-key'])).stderr).toBe(
      '0 of 2 nodes encrypt with the new key (SPI 4)\nThe others follow when their agents have read it. Until the previous key is gone, see: cilium encryption status\n',
    );
    store(`3+ rfc4106(gcm(aes)) ${OLD} 128`);
    nodes(3, 3);
    let looks = 0;
    cluster.before = (line) => {
      if (line.includes('ciliumnodes') && ++looks > 2) nodes(4, looks > 3 ? 4 : 3);
    };
    expect((await ask(['rotate-key', '--wait'])).stderr).toBe(
      [0, 1, 2].map((n) => `${n} of 2 nodes encrypt with the new key (SPI 4)\n`).join(''),
    );
    cluster.before = () => {};
    store(`4+ rfc4106(gcm(aes)) ${OLD} 128`);
    const late = await ask(['rotate-key', '--wait', '--wait-duration', '10s']);
    expect(late.stderr).toContain('not all nodes encrypt with the new key yet: n1 (SPI 4), n2 (SPI 4)');
    expect([late.code, stored().slice(0, 2)]).toEqual([1, '5+']);
  });

  // differs: encryption-rotate-haste
  test('not while it cannot be told which key the nodes have', async () => {
    store(`3+ rfc4106(gcm(aes)) ${OLD} 128`);
    cluster.forbidden = /ciliumnodes/;
    for (const argv of [['rotate-key'], ['rotate-key', '--dry-run']]) {
      const { stdout, stderr, code } = await ask(argv);
      expect(stderr).toContain(
        'Unable to rotate IPsec key: which key the nodes encrypt with (ciliumnodes of cilium.io/v2) could not be read: User "u" cannot GET /apis/cilium.io/v2/ciliumnodes\nNothing was changed.',
      );
      expect([stdout, code, stored()]).toEqual(['', 1, `3+ rfc4106(gcm(aes)) ${OLD} 128`]);
    }
    const { stdout, stderr, code } = await ask(['rotate-key', '--force']);
    expect(stderr).toBe(
      'Which key the nodes encrypt with is not known: User "u" cannot GET /apis/cilium.io/v2/ciliumnodes\n',
    );
    expect([stdout, code]).toEqual(['IPsec key successfully rotated, new key SPI: 4\n', 0]);
  });
});

describe('key-status', () => {
  // differs: encryption-key-status
  test('the key is shown when it is asked for, and not before', async () => {
    const text = `3+ hmac(sha256) ${OLD} cbc(aes) ${'d'.repeat(32)}`;
    store(text);
    const { stdout } = await ask(['key-status']);
    expect(stdout).toBe(
      'IPsec key: 3+ hmac(sha256) <40 digits, --show-secret shows them> cbc(aes) <32 digits, --show-secret shows them>\n',
    );
    expect((await ask(['ks', '--show-secret'])).stdout).toBe(`IPsec key: ${text}\n`);
    expect((await ask(['key-status', '--show-secret', '-o', 'json'])).stdout).toBe(
      `{\n "ipsec-key": "${text}"\n}\n`,
    );
    expect(
      (
        await run(['encrypt', 'ks', '-n', 'kube-system', '--show-secret'], {
          env: { KUBECONFIG: cluster.kubeconfig },
        })
      ).stdout,
    ).toBe(`IPsec key: ${text}\n`);
    store('something\nelse');
    expect((await ask(['key-status'])).stdout).toBe(
      'IPsec key: <14 characters in a form that is not known, --show-secret shows them>\n',
    );
  });

  test('without a key', async () => {
    const { stderr, code } = await ask(['key-status']);
    expect(stderr).toBe(
      'Error: Unable to display IPsec key: failed to fetch IPsec secret: secrets "cilium-ipsec-keys" not found\nThere is none in the namespace kube-system. To make one: cilium encryption create-key\n',
    );
    expect(code).toBe(1);
    expect((await ask(['rotate-key'])).stderr).toContain('To make one: cilium encryption create-key');
  });
});
