import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A stand-in for a Kubernetes API server, and the kubeconfig that leads to it. */
export interface KubeServer extends AsyncDisposable {
  url: string;
  kubeconfig: string;
}

/** Serves the handler's answers on a port of its own. */
export async function serveKube(handler: RequestListener): Promise<KubeServer> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  const folder = mkdtempSync(join(tmpdir(), 'kube-'));
  const kubeconfig = join(folder, 'config');
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      clusters: [{ name: 'c', cluster: { server: url } }],
      contexts: [{ name: 'k', context: { cluster: 'c', user: 'u' } }],
      users: [{ name: 'u', user: {} }],
      'current-context': 'k',
    }),
  );
  return {
    url,
    kubeconfig,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
