import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { decodeRelease, ownersOf } from '../../src/kube/release.ts';

const pack = (bytes: Buffer) => Buffer.from(bytes.toString('base64')).toString('base64');
const RELEASE = {
  name: 'cilium',
  version: 7,
  info: { status: 'deployed' },
  chart: { metadata: { name: 'cilium', version: '1.17.3' }, values: { big: true } },
  config: { tunnelProtocol: 'geneve' },
  manifest: '---\nkind: ConfigMap\n',
};

test.each([
  ['packed', gzipSync(JSON.stringify(RELEASE))],
  ['as it was before Helm packed it', Buffer.from(JSON.stringify(RELEASE))],
])('a release %s is read', (_, bytes) => {
  expect(decodeRelease(pack(bytes), 'Secret x')).toEqual({
    appVersion: '',
    deployedAt: '',
    hooks: [],
    chart: RELEASE.chart,
    name: 'cilium',
    revision: 7,
    status: 'deployed',
    chartName: 'cilium',
    chartVersion: '1.17.3',
    values: { tunnelProtocol: 'geneve' },
    manifest: '---\nkind: ConfigMap\n',
  });
});

test.each([
  ['no base64 of anything', 'not a release'],
  ['half of a packed one', pack(gzipSync(JSON.stringify(RELEASE)).subarray(0, 40))],
  ['a list', pack(gzipSync('[]'))],
  ['one that unpacks to more than is looked at', pack(gzipSync(Buffer.alloc(80 * 1024 * 1024)))],
])('%s is an error that names the Secret', (_, packed) => {
  expect(() => decodeRelease(packed, 'Secret kube-system/x')).toThrow(
    /^Secret kube-system\/x is not a release that Helm wrote: /,
  );
});

describe('who keeps an object', () => {
  test.each([
    [{}, []],
    [{ annotations: { 'meta.helm.sh/release-name': 'net' } }, ['Helm net']],
    [{ labels: { 'app.kubernetes.io/managed-by': 'Helm' } }, ['Helm cilium']],
    [{ labels: { 'argocd.argoproj.io/instance': 'app' } }, ['Argo CD app']],
    [{ annotations: { 'argocd.argoproj.io/tracking-id': 'app:apps/DaemonSet:a/b' } }, ['Argo CD app']],
    [{ labels: { 'kustomize.toolkit.fluxcd.io/name': 'infra' } }, ['Flux infra']],
  ])('of %j', (metadata, owners) => {
    expect(ownersOf({ metadata }).map(({ kind, name }) => `${kind} ${name}`)).toEqual(owners);
  });
});
