import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { run } from '../helpers/run.ts';

const folder = mkdtempSync(join(tmpdir(), 'context-'));
afterAll(() => rmSync(folder, { recursive: true }));

const KUBECONFIG = {
  clusters: [
    {
      name: 'c',
      cluster: {
        server: 'https://10.0.0.1:6443',
        'tls-server-name': 'api',
        'certificate-authority': 'ca.crt',
      },
    },
  ],
  contexts: [
    { name: 'k', context: { cluster: 'c', user: 'u' } },
    { name: 'lost', context: { cluster: 'gone', user: 'u' } },
  ],
  users: [{ name: 'u', user: { token: 'secret-token' } }],
};
function context(current: string, ...argv: string[]) {
  const file = join(folder, 'config');
  writeFileSync(file, JSON.stringify({ ...KUBECONFIG, 'current-context': current }));
  return run(['context', ...argv], { env: { KUBECONFIG: file } });
}

test('context: which cluster the kubeconfig leads to, without asking it and without its secrets', async () => {
  expect(await context('k')).toEqual({
    stdout: `Context: k
Cluster: c
Auth: u
Host: https://10.0.0.1:6443
TLS server name: api
CA path: ${folder}/ca.crt
`,
    stderr: '',
    code: 0,
  });
  expect((await context('lost', '--context', 'k')).stdout).toContain('Context: k\n');
});

// differs: context-exit
test('context: what is missing', async () => {
  expect(await context('lost')).toEqual({
    stdout: 'Context: lost\nCluster: gone\nAuth: u\n❌ Cluster gone not found in configuration\n',
    stderr: '',
    code: 1,
  });
  const none = await context('nowhere');
  expect(none).toEqual({
    stdout: 'Context: nowhere\n❌ Context nowhere not found in configuration\n',
    stderr: '',
    code: 1,
  });
  const asked = await context('k', '--context', 'x');
  expect([asked.stdout, asked.code]).toEqual(['', 1]);
  expect(asked.stderr).toContain('the kubeconfig has no context "x"\nIts contexts: k, lost.\n');
  const no = await run(['context'], { env: { HOME: folder } });
  expect(no.stderr).toContain(`no kubeconfig: ${folder}/.kube/config`);
});
