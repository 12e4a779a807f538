import { gzipSync } from 'node:zlib';

/** A word that no secret of another kind has; looked for afterwards. */
const mark = (n: number) => `Zq${n}x${'kWvT7Rm2'}${n}`;
const hex = (n: number, length: number) => `${n}a9f3c7e1b5d80264`.repeat(8).slice(0, length);
const base64 = (text: string) => Buffer.from(text).toString('base64');

/** A secret as it stands in some text: the text, and what must not be left of it. */
export interface Planted {
  what: string;
  text: string;
  secret: string;
}

const wireguard = `${hex(1, 42)}A=`;
const jwt = `eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJpc3MiOiJrdWJlcm5ldGVzIn0.${mark(1)}c2lnbmF0dXJl`;
const pem = (type: string, n: number) =>
  `-----BEGIN ${type}-----\n${Array.from({ length: 6 }, (_, i) => `${mark(n)}${'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEA'.slice(0, 50)}${i}`).join('\n')}\n-----END ${type}-----`;
const helm = base64(
  base64String(gzipSync(JSON.stringify({ config: { password: mark(40) }, name: 'cilium' }))),
);

function base64String(bytes: Buffer): string {
  return bytes.toString('base64');
}

const of = (what: string, secret: string, text: string): Planted => ({ what, secret, text });

/** Secrets in text of every kind. */
export const PLANTED: readonly Planted[] = [
  of('YAML value', mark(2), `database:\n  password: ${mark(2)}\n`),
  of('YAML value with spaces', `horse ${mark(3)}`, `  passphrase: correct horse ${mark(3)} staple\n`),
  of('YAML value in quotes', mark(4), `apiKey: "${mark(4)}"\n`),
  of('YAML block', mark(5), `client_secret: |\n  ${mark(5)}\n  and more\nother: x\n`),
  of('JSON value', mark(6), `{"clientSecret":"${mark(6)}","port":1}`),
  of('JSON value with escapes', mark(7), `{"password": "a\\"b${mark(7)}"}`),
  of('JSON in a string', mark(8), `msg="{\\"auth_token\\":\\"${mark(8)}\\",\\"a\\":1}"`),
  of(
    'JSON in a string in a string',
    mark(9),
    String.raw`{"a":"{\"b\":\"{\\\"secret_key\\\":\\\"${mark(9)}\\\"}\"}"}`,
  ),
  of('env in JSON', mark(10), `{"env":[{"name":"DB_PASSWORD","value":"${mark(10)}"}]}`),
  of('env in YAML', mark(11), `env:\n- name: API_TOKEN\n  value: ${mark(11)}\n`),
  of('env of a process', mark(12), `PATH=/usr/bin\0AWS_SECRET_ACCESS_KEY=${mark(12)}\0HOME=/root`),
  of('log in logfmt', mark(13), `level=info msg="login" user=bob password=${mark(13)} took=3ms\n`),
  of('log in JSON', mark(14), `{"level":"info","msg":"etcd","password":"${mark(14)}"}\n`),
  of('sentence', mark(15), `could not log in as bob with password "${mark(15)}": refused\n`),
  of('flag with =', mark(16), `args: [--etcd-password=${mark(16)}, --debug]\n`),
  of('flag and word', mark(17), `/bin/agent --api-token ${mark(17)} --debug\n`),
  of('flag and item of JSON', mark(18), `["agent","--client-secret","${mark(18)}","--debug"]`),
  of('flag and item of YAML', mark(19), `args:\n- --registry-password\n- ${mark(19)}\n- --x\n`),
  of('curl', mark(20), `curl -sS -u admin:${mark(20)} https://example.com\n`),
  of('sshpass', mark(21), `sshpass -p ${mark(21)} ssh node\n`),
  of('mysql', mark(22), `mysql -h db -p${mark(22)} shop\n`),
  of('URL with a password', mark(23), `https://bob:${mark(23)}@example.com/x\n`),
  of('URL of a database', mark(24), `DATABASE=postgres://app:${mark(24)}@db:5432/app?sslmode=off\n`),
  of(
    'URL with a token for a name',
    `${mark(25)}aaaaaaaaaaaa`,
    `git clone https://${mark(25)}aaaaaaaaaaaa@github.com/a/b\n`,
  ),
  of('query of a URL', mark(26), `GET /v1/x?access_token=${mark(26)}&n=1 HTTP/1.1\n`),
  of('signed URL', mark(27), `https://a.blob.core.windows.net/b?sv=2020&sig=${mark(27)}%3D&se=1\n`),
  of('bearer token', mark(28), `Authorization: Bearer ${mark(28)}\n`),
  of('bearer token in JSON', mark(29), `{"Authorization":["Bearer ${mark(29)}"]}`),
  of(
    'basic authentication',
    base64(`bob:${mark(30)}`),
    `< Authorization: Basic ${base64(`bob:${mark(30)}`)}\n`,
  ),
  of('header of a flow', mark(31), `{"http":{"headers":[{"key":"X-Api-Key","value":"${mark(31)}"}]}}`),
  of('cookie', mark(32), `Cookie: session=${mark(32)}; a=b\n`),
  of('JSON Web Token', mark(1), `token is ${jwt}, see above\n`),
  of('private key', mark(33), `x: |\n  ${pem('RSA PRIVATE KEY', 33).replaceAll('\n', '\n  ')}\n`),
  of('private key in JSON', mark(34), JSON.stringify({ private_key: `${pem('PRIVATE KEY', 34)}\n` })),
  of('private key that is cut off', mark(35), pem('EC PRIVATE KEY', 35).split('-----END')[0] ?? ''),
  of('OpenSSH key', mark(36), pem('OPENSSH PRIVATE KEY', 36)),
  of(
    'kubeconfig',
    mark(37),
    `users:\n- name: a\n  user:\n    client-key-data: ${base64(mark(37))}aaaa\n    token: ${mark(37)}\n`,
  ),
  of('key of a certificate', base64(mark(38)), `  tls.key: ${base64(mark(38))}\n`),
  of(
    'key file in base64',
    base64(pem('PRIVATE KEY', 39)),
    `inlineBytes: ${base64(pem('PRIVATE KEY', 39))}\n`,
  ),
  of('Helm release', helm, `data:\n  release: ${helm}\n`),
  of('Helm release, wrapped', helm.slice(0, 40), `${helm.replace(/.{76}/g, '$&\n')}\n`),
  of(
    'Secret as YAML',
    base64(mark(41)),
    `apiVersion: v1\ndata:\n  whatever: ${base64(mark(41))}\nkind: Secret\nmetadata:\n  name: a\n`,
  ),
  of(
    'Secret as JSON in a string',
    base64(mark(42)),
    `x: '{\\"kind\\":\\"Secret\\",\\"data\\":{\\"whatever\\":\\"${base64(mark(42))}\\"}}'\n`,
  ),
  of('registry', base64(`bob:${mark(43)}`), `{"auths":{"r.io":{"auth":"${base64(`bob:${mark(43)}`)}"}}}`),
  of(
    'registry, packed',
    base64(`{"auths":{"r.io":{"password":"${mark(44)}"}}}`),
    `.dockerconfigjson: ${base64(`{"auths":{"r.io":{"password":"${mark(44)}"}}}`)}\n`,
  ),
  of('AWS access key', 'AKIAIOSFODNN7ABCDEFG', 'using key AKIAIOSFODNN7ABCDEFG in eu-1\n'),
  of('GitHub token', `ghp_${'aB3dE5gH7j'.repeat(4)}`, `pull with ghp_${'aB3dE5gH7j'.repeat(4)} failed\n`),
  of('Slack token', 'xoxb-123456789012-abcdefABCDEF', 'notify xoxb-123456789012-abcdefABCDEF\n'),
  of(
    'Slack webhook',
    'T00000000/B00000000/XXXXabcdefXX',
    'https://hooks.slack.com/services/T00000000/B00000000/XXXXabcdefXX\n',
  ),
  of(
    'Google key',
    `AIza${'Sy3dE5gH7jK'.repeat(4).slice(0, 35)}`,
    `key AIza${'Sy3dE5gH7jK'.repeat(4).slice(0, 35)}\n`,
  ),
  of('Vault token', `hvs.${'CAESIJ3dE5gH7'.repeat(3)}`, `vault: hvs.${'CAESIJ3dE5gH7'.repeat(3)}\n`),
  of(
    'Azure connection string',
    mark(45),
    `DefaultEndpointsProtocol=https;AccountName=a;AccountKey=${mark(45)}==;EndpointSuffix=x\n`,
  ),
  of('SQL connection string', mark(46), `Server=db;User Id=sa;Password=${mark(46)};Encrypt=yes\n`),
  of('IPsec key', hex(3, 40), `3+ rfc4106(gcm(aes)) ${hex(3, 40)} 128\n`),
  of('IPsec keys of two algorithms', hex(5, 64), `5 hmac(sha256) ${hex(5, 64)} cbc(aes) ${hex(6, 64)}\n`),
  of('xfrm state', hex(7, 40), `\taead rfc4106(gcm(aes)) 0x${hex(7, 40)} 128\n`),
  of('WireGuard configuration', wireguard, `[Interface]\nPrivateKey = ${wireguard}\nListenPort = 51871\n`),
  of('WireGuard, shown', wireguard, `  private key: ${wireguard}\n`),
  of('WireGuard, dumped', wireguard, `cilium_wg0\t${wireguard}\t${'B'.repeat(43)}=\t51871\t0xe00\n`),
  of('bootstrap token', 'ab12cd.0123456789abcdef', 'kubeadm join x --token ab12cd.0123456789abcdef\n'),
  of(
    'hash of a password',
    '$2y$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy',
    'bob:$2y$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy\n',
  ),
  of('netrc', mark(47), `machine h login bob password ${mark(47)}\n`),
  of('etcd configuration', mark(48), `etcd:\n  endpoints: [a]\n  username: root\n  password: ${mark(48)}\n`),
  of('BGP password', mark(49), `peers:\n- address: 10.0.0.1\n  authPassword: ${mark(49)}\n`),
  of('preshared key', mark(50), `ike: {psk: ${mark(50)}, id: 3}\n`),
  { what: 'a short name for a password, of env', text: `DB_PASS=${mark(91)}`, secret: mark(91) },
  { what: 'the same in YAML', text: `  smtp_pass: ${mark(92)}`, secret: mark(92) },
  { what: 'a connection of ODBC', text: `Server=h;Uid=a;Pwd=${mark(93)};`, secret: mark(93) },
  { what: 'curl without a space', text: `curl -uadmin:${mark(94)} http://x`, secret: mark(94) },
  { what: 'a passcode', text: `{"passcode":"${mark(95)}"}`, secret: mark(95) },
];

/** Text without a secret, of which nothing may be replaced. */
export const ORDINARY: readonly string[] = [
  'bypass: enabled-here\ncompass=north-north\nOLDPWD=/root/somewhere\n',
  'labels:\n  app: token-service\n  io.cilium.k8s.policy.serviceaccount: secret-reader\n  k8s-app: cilium\n',
  'image: quay.io/cilium/cilium:v1.18.2@sha256:858f807ea4e20e85e3ea3240a762e1f4b29f1cb5bbd0463b8aa77e7b097c0667\n',
  'uid: 0b5f1e0c-4ec1-4e0e-9ba5-6f7a0c1d2e3f\nresourceVersion: "123456789"\n',
  'volumes:\n- name: certs\n  secret:\n    defaultMode: 420\n    secretName: hubble-server-certs\n',
  'automountServiceAccountToken: true\nimagePullSecrets:\n- name: registry\nexistingSecret: my-secret\n',
  'valueFrom:\n  secretKeyRef:\n    key: password\n    name: database\n',
  'k8s:io.kubernetes.pod.namespace=kube-system\nidentity 48219 k8s:app=tokens\n',
  'cilium_operator_ipam_available 12\nauthentication_token_cache_active_fetch_count{status="in_flight"} 0\n',
  'tolerations:\n- key: node.kubernetes.io/not-ready\n  effect: NoExecute\n  tolerationSeconds: 300\n',
  'level=info msg="Policy imported" endpointID=123 identity=4 policyRevision=17 subsys=policy\n',
  'certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUQ=\n',
  '-----BEGIN CERTIFICATE-----\nMIIDBTCCAe2gAwIBAgIIc3Vw\n-----END CERTIFICATE-----\n',
  'enable-policy-secrets-sync: "true"\npolicy-secrets-namespace: cilium-secrets\ningress-secrets-namespace: cilium-secrets\n',
  'ipsec-key-file: /etc/ipsec/keys\nenable-ipsec-key-watcher: "true"\nipsec-key-rotation-duration: 5m0s\n',
  'peer 10.0.0.1 public key: 4KdFmCY0Sg2jXlXbhlWZ9vXqPjzTgxDyXlsvDHDWqgA=\n',
  '10.0.1.7:8080 -> default/web:80 (ID:48219) to-endpoint FORWARDED (TCP Flags: SYN)\n',
  'GET /v1/endpoint/1234/healthz HTTP/1.1\nHost: localhost\nCookies are off\n',
  'mesh-auth-mutual-enabled: "false"\nauthenticated: true\nSecret "cilium-etcd-secrets" not found in namespace "kube-system"\n',
  'XFRM: src 10.0.0.1 dst 10.0.0.2 spi 0x00000003 reqid 1 mode tunnel mark 0x3e00/0xff00\n',
  '"http":{"cookie":0,"x":"a=b"}} "Cookie": 123456789, "kafka":{"api_version":2,"api_key":"produce"}\n- apiKey: fetch\n',
  'PWD=/root OLDPWD=/ HOSTNAME=kind-worker\n',
  '{"continue":"eyJ2IjoibWV0YS5rOHMuaW8vdjEifQ","remainingItemCount":7}\n',
];
