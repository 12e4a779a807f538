import { describe, expect, test } from '@jest/globals';
import { canonicalRules } from '../../../src/policy/language/canonical.ts';
import { parsePolicies } from '../../../src/policy/read/policies.ts';
import { goJson } from '../../../src/render/text/json.ts';
import { fixture, fixtureText, type RestCase } from '../../helpers/recordings.ts';

async function canonical(files: { file: string; text: string }[]): Promise<unknown> {
  const { rules, findings } = await parsePolicies(files);
  expect(findings.filter(({ code }) => code !== 'no-effect')).toEqual([]);
  return canonicalRules(rules.map(({ rule }) => rule));
}

interface PolicySet {
  name: string;
  rules: unknown;
  storedRules: unknown;
}

test.each(fixture<PolicySet[]>('recordings/policy-maps-1.17.json').map((set) => [set.name, set] as const))(
  'the agent stored what we would have sent: %s',
  async (_, { rules, storedRules }) => {
    const text = goJson(await canonical([{ file: 'p.json', text: JSON.stringify(rules) }]), 2);
    expect(text).toBe(goJson(storedRules, 2));
  },
);

describe('the body of PUT /policy is the reference’s, byte for byte', () => {
  const recorded = fixture<RestCase[]>('recordings/agent-1.17-policy.json');
  test.each([
    ['rules.json', ['pol/rules.json'], 'policy import /opt/node/pol/rules.json'],
    ['a folder', ['pol/dir/a.json', 'pol/dir/b.json'], 'policy import --print /opt/node/pol/dir'],
  ])('%s', async (_, names, argv) => {
    const files = names.map((name) => ({ file: name, text: fixtureText(`recordings/${name}`) }));
    const put = recorded.find((one) => one.argv.join(' ') === argv)?.exchanges[0]?.request;
    expect(`${JSON.stringify(goJson(await canonical(files), 2))}\n`).toBe(put?.body);
  });
});

test.each([
  ['app', 'any:app'],
  ['k8s:app', 'k8s:app'],
  ['any:app', 'any:app'],
  ['$host', 'reserved:host'],
  ['reserved.host', 'reserved:host'],
  ['k8s:io.kubernetes.pod.namespace', 'k8s:io.kubernetes.pod.namespace'],
])('a key %s becomes %s', async (key, want) => {
  const text = JSON.stringify([{ endpointSelector: { matchLabels: { [key]: '' } }, ingress: [{}] }]);
  expect(await canonical([{ file: 'p.json', text }])).toMatchObject([
    { endpointSelector: { matchLabels: { [want]: '' } } },
  ]);
});

test('labels may be texts, and protocols and port names in any case', async () => {
  const text = `{"endpointSelector": {}, "labels": ["k8s:a=b", {"key": "c"}],
    "ingress": [{"toPorts": [{"ports": [{"port": "HTTP", "protocol": "tcp"}, {"port": "53"}]}]}]}`;
  expect(goJson(await canonical([{ file: 'p.json', text }]))).toBe(
    '[{"endpointSelector":{},"ingress":[{"toPorts":[{"ports":[{"port":"http","protocol":"TCP"},' +
      '{"port":"53","protocol":"ANY"}]}]}],"labels":[{"key":"a","value":"b","source":"k8s"},' +
      '{"key":"c","source":""}],"enableDefaultDeny":{"ingress":true,"egress":false}}]',
  );
});

test('what the agent leaves out is left out: empty texts, lists, label maps and zeros', async () => {
  const text = `{"endpointSelector": {"matchLabels": {}, "matchExpressions": []}, "description": "",
    "ingress": [{"fromEndpoints": [{"matchLabels": {}}], "toPorts": [
      {"ports": [{"port": "80", "endPort": 0, "protocol": "TCP"}], "rules": {"http": [{"path": "", "method": "GET"}]}}]},
      {"icmps": [{"fields": [{"type": 0}]}]}]}`;
  expect(goJson(await canonical([{ file: 'p.json', text }]))).toBe(
    '[{"endpointSelector":{},"ingress":[{"fromEndpoints":[{}],"toPorts":[{"ports":[{"port":"80","protocol":"TCP"}],' +
      '"rules":{"http":[{"method":"GET"}]}}]},{"icmps":[{"fields":[{"type":0}]}]}],' +
      '"enableDefaultDeny":{"ingress":true,"egress":false}}]',
  );
});
