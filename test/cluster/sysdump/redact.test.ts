import { expect, test } from '@jest/globals';
import { Redactor } from '../../../src/cluster/sysdump/redact/redactor.ts';
import { redactText } from '../../../src/cluster/sysdump/redact/text.ts';
import { ORDINARY, PLANTED } from './planted.ts';
import { ATTACKS, LIKE_ATTACKS } from './planted-attacks.ts';
import { LIKE_THEM, SHAPES } from './planted-shapes.ts';

const ALL = [...PLANTED, ...SHAPES, ...ATTACKS];
const ORIGIN = { ciliumNamespaces: new Set(['kube-system']) };

/** Runs a text through a stream in pieces of a size. */
function streamed(text: string, size: number): { out: string; redactor: Redactor } {
  const redactor = new Redactor(ORIGIN);
  const stream = redactor.stream('file');
  const bytes = Buffer.from(text);
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) parts.push(stream.push(bytes.subarray(at, at + size)));
  parts.push(stream.end());
  return { out: Buffer.concat(parts).toString(), redactor };
}

test('there are secrets of at least 40 shapes', () => {
  expect(PLANTED.length).toBeGreaterThanOrEqual(40);
  for (const { text, secret, what } of ALL)
    expect([what, text.replace(/\n/g, '').includes(secret)]).toEqual([what, true]);
});

test.each(ALL)('$what', ({ text, secret }) => {
  const rules: string[] = [];
  const out = redactText(`before\n${text}\nafter: 1\n`, (rule) => rules.push(rule));
  expect(out.replace(/\n/g, '')).not.toContain(secret);
  expect(out).toMatch(/^before\n.*REDACTED.*\nafter: 1\n$/s);
  expect(rules.length).toBeGreaterThan(0);
});

test.each([...ORDINARY, ...LIKE_THEM, ...LIKE_ATTACKS].map((text) => ({ text })))(
  'ordinary text stays: $text',
  ({ text }) => {
    const rules: string[] = [];
    expect(redactText(text, (rule) => rules.push(rule))).toBe(text);
    expect(rules).toEqual([]);
  },
);

test('what was replaced is not replaced again', () => {
  for (const { text } of ALL) {
    const once = redactText(text, () => {});
    const rules: string[] = [];
    expect(redactText(once, (rule) => rules.push(rule))).toBe(once);
    expect(rules).toEqual([]);
  }
});

test.each([700, 4096, 65_536, 300_000])('pieces of %d bytes: none survives at a border', (size) => {
  const filler = 'level=info msg="Endpoint regenerated" endpointID=12 k8sPodName=default/web-7d9\n';
  const rounds = 20;
  let text = '';
  for (let round = 0; round < rounds; round++)
    for (const planted of ALL)
      text += filler.repeat((round * 7) % 11) + planted.text + (planted.text.endsWith('\n') ? '' : '\n');
  const { out, redactor } = streamed(text, size);
  const flat = out.replace(/\n/g, '');
  expect(ALL.filter(({ secret }) => flat.includes(secret)).map(({ what }) => what)).toEqual([]);
  expect(out.split(filler).length).toBe(text.split(filler).length);
  expect(redactor.redactions.reduce((sum, { count }) => sum + count, 0)).toBeGreaterThanOrEqual(
    rounds * ALL.length * 0.8,
  );
});

test('a string that holds a secret keeps its other characters', () => {
  const value = { log: 'é “x”\n  password: correct horse\n\tdone \u0001', other: 'ü\n' };
  const text = JSON.stringify(value).replace('é', '\\u00e9');
  const out = redactText(Buffer.from(text).toString('latin1'), () => {});
  expect(JSON.parse(Buffer.from(out, 'latin1').toString())).toEqual({
    ...value,
    log: value.log.replace('correct horse', 'REDACTED'),
  });
});

test('bytes that are no text come out as they are', () => {
  const bytes = Buffer.from(Array.from({ length: 500_000 }, (_, i) => (i * 31 + (i >> 8)) & 0xff));
  const stream = new Redactor(ORIGIN).stream('x');
  expect(Buffer.concat([stream.push(bytes), stream.end()]).equals(bytes)).toBe(true);
});

test('objects: env of others, arguments, annotations, Secrets, JSON in strings; labels stay', () => {
  const redactor = new Redactor(ORIGIN);
  const pod = {
    kind: 'Pod',
    metadata: {
      name: 'web',
      namespace: 'default',
      labels: { token: 'blue', app: 'web' },
      annotations: {
        'kubectl.kubernetes.io/last-applied-configuration': '{"x":1}',
        note: '{"password":"p1"}',
      },
    },
    spec: {
      containers: [
        {
          image: 'web:1',
          env: [
            { name: 'GREETING', value: 'hello' },
            { name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'password' } } },
          ],
          command: ['run', '--token', 'abc', '--level', 'info', '--password=x1y2'],
        },
      ],
      volumes: [{ name: 'certs', secret: { secretName: 'hubble-server-certs' } }],
    },
  };
  const before = structuredClone(pod);
  expect(redactor.object('k8s-pods.yaml', pod)).toEqual({
    ...before,
    metadata: {
      ...before.metadata,
      annotations: {
        'kubectl.kubernetes.io/last-applied-configuration': 'REDACTED',
        note: '{"password":"REDACTED"}',
      },
    },
    spec: {
      ...before.spec,
      containers: [
        {
          image: 'web:1',
          env: [{ name: 'GREETING', value: 'REDACTED' }, before.spec.containers[0]?.env[1]],
          command: ['run', '--token', 'REDACTED', '--level', 'info', '--password=REDACTED'],
        },
      ],
    },
  });
  expect(pod).toEqual(before);
  expect(redactor.redactions).toEqual([
    { file: 'k8s-pods.yaml', rule: 'command-line', count: 1 },
    { file: 'k8s-pods.yaml', rule: 'env', count: 1 },
    { file: 'k8s-pods.yaml', rule: 'last-applied', count: 1 },
    { file: 'k8s-pods.yaml', rule: 'secret-by-name', count: 2 },
  ]);
  const secret = { kind: 'Secret', data: { any: 'eA==' }, metadata: { name: 'a' } };
  expect(redactor.object('s', secret)).toEqual({ ...secret, data: { any: 'REDACTED' } });
  const values = {
    tls: { ca: { cert: 'LS0t', key: 'S0VZ' } },
    etcd: { passwords: ['a1b2', 'c3d4'] },
    debug: true,
  };
  expect(redactor.object('v', values)).toEqual({
    tls: { ca: { cert: 'LS0t', key: 'REDACTED' } },
    etcd: { passwords: ['REDACTED', 'REDACTED'] },
    debug: true,
  });
  const own = {
    metadata: { namespace: 'kube-system' },
    env: [{ name: 'CILIUM_K8S_NAMESPACE', value: 'kube-system' }],
  };
  expect(redactor.object('o', own)).toBe(own);
});

test('a value beside its name is replaced in every object, not in env alone', () => {
  const redactor = new Redactor(ORIGIN);
  const headers = (token: string, key: string, custom: string) => ({
    kind: 'HTTPRoute',
    spec: {
      filters: [{ name: 'X-Api-Token', value: token }],
      probe: {
        httpHeaders: [
          { name: 'X-Health-Key', value: key },
          { name: 'Authorization', value: custom },
        ],
      },
      rules: [{ name: 'X-Colour', value: 'blue-and-green' }],
    },
    password: { value: token },
  });
  expect(redactor.object('h', headers('Zq1x7Rm2Zq1x', 'Zq2x7Rm2Zq2x', 'Custom Zq3x7Rm2'))).toEqual(
    headers('REDACTED', 'REDACTED', 'REDACTED'),
  );
});

test('objects: several under one name, by what each is for and beside what is said of them', () => {
  const redactor = new Redactor(ORIGIN);
  const values = (secret: string) => ({
    passwords: { admin: secret, minLength: 8 },
    tokens: [{ name: 'ci', value: secret, ttl: '1h' }],
    apiKeys: secret,
    token: { value: secret, audience: 'vault' },
    jwk: { kty: 'EC', x: 'public', d: secret },
    credentials: { secretName: 'cloud-credentials-v2', admin: secret },
    snmp: { community: secret },
    max_tokens: 4096,
    communities: ['65000:100'],
  });
  expect(redactor.object('v', values('Zq1x7Rm2Zq1x'))).toEqual(values('REDACTED'));
});

test('objects: what a name tells only together with its value', () => {
  const redactor = new Redactor(ORIGIN);
  const key = '7c8e2b6d0f4a19375'.repeat(2);
  const settings = {
    metadata: { namespace: 'kube-system', uid: '0b5f1e0c-4ec1-4e0e-9ba5-6f7a0c1d2e3f' },
    auth: 'Ym9iOllrNzFoTHBE',
    hmacKey: key,
    cacheKey: key,
    tls: { key: 'tls.key', privateKey: '/etc/tls/tls.key' },
    env: [{ name: 'DB_PW', value: 'a1b2c3' }],
    config: 'tokens:\n- a1b2c3\n- d4e5f6\nport: 1\n',
    authentication: { mode: 'required' },
  };
  expect(redactor.object('o', settings)).toEqual({
    ...settings,
    auth: 'REDACTED',
    hmacKey: 'REDACTED',
    env: [{ name: 'DB_PW', value: 'REDACTED' }],
    config: 'tokens:\n- REDACTED\nport: 1\n',
  });
});

test.each([
  { what: 'JSON in a string', text: `"${String.raw`{\"a\":\"b\",`.repeat(12_000)}"\\n` },
  { what: 'backslashes', text: '\\'.repeat(128_000) },
  {
    what: 'what could end with a key',
    text: `${`${'QUJDREVGR0hJSktM'.repeat(4)}\n`.repeat(1900)}-----END PRIVATE KEY-----\n`,
  },
  {
    what: 'lines that could be below a name',
    text: Array.from({ length: 6000 }, (_, i) => `${' '.repeat(i % 40)}tokens:\n`).join(''),
  },
  { what: 'text that is coded', text: 'a%20token%3A%20'.repeat(8000) },
  { what: 'a program again and again', text: 'oracle:thin:a/'.repeat(9000) },
  { what: 'a name again and again', text: '"tokens":["password%3D<secret '.repeat(4000) },
])('a window of $what takes no time that grows with its square', ({ text }) => {
  const before = process.cpuUsage();
  redactText(text, () => {});
  const { user, system } = process.cpuUsage(before);
  expect(user + system).toBeLessThan(10_000_000);
});

test('off, nothing is touched', () => {
  const redactor = new Redactor(ORIGIN, true);
  const stream = redactor.stream('x');
  const text = 'password: hunter2\n';
  expect(Buffer.concat([stream.push(Buffer.from(text)), stream.end()]).toString()).toBe(text);
  expect(redactor.object('x', { password: 'hunter2' })).toEqual({ password: 'hunter2' });
  expect(redactor.redactions).toEqual([]);
});
