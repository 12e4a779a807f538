import { readFileSync } from 'node:fs';
import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startTestCluster, type TestCluster } from '../helpers/cluster.ts';

let cluster: TestCluster;
let token: string;
beforeAll(async () => {
  cluster = await startTestCluster({ nodes: 2 });
  token = JSON.parse(readFileSync(cluster.kubeconfig, 'utf8')).users[0].user.token;
});
afterAll(async () => cluster[Symbol.asyncDispose]());

/** Asks for a WebSocket as no client does; resolves with what comes, at the end or after a moment. */
function upgrade(path: string, { bearer, after }: { bearer?: string; after?: Buffer } = {}): Promise<string> {
  const { hostname, port } = new URL(cluster.lab.info.kube?.url ?? '');
  return new Promise((resolve) => {
    let told = '';
    const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false }, () => {
      const credentials = bearer === undefined ? '' : `Authorization: Bearer ${bearer}\r\n`;
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: v5.channel.k8s.io\r\n${credentials}\r\n`,
      );
    });
    socket.on('data', (bytes) => {
      told += bytes.toString('latin1');
      if (!told.includes('\r\n\r\n')) return;
      if (after) socket.write(after);
      else socket.destroy();
    });
    socket.on('error', () => {}).on('close', () => resolve(told));
  });
}

test('no request ends the API of a lab', async () => {
  expect(await upgrade('//')).toMatch(/^HTTP\/1.1 401 /);
  expect(await upgrade('//', { bearer: token })).toMatch(/^HTTP\/1.1 400 /);
  const pods = '/api/v1/namespaces/kube-system/pods';
  expect(await upgrade(`/api/v1/namespaces/%zz/pods/x/exec`, { bearer: token })).toMatch(/^HTTP\/1.1 404 /);
  expect((await cluster.call('GET', '/api/v1/namespaces/%zz/pods')).status).toBe(200);
  const { json } = await cluster.call('GET', `${pods}?labelSelector=k8s-app%3Dcilium`);
  const [agent] = (json as { items: { metadata: { name: string } }[] }).items;
  const command = 'command=perl&command=-e&command=x&command=/var/run/cilium/cilium.sock';
  const told = await upgrade(`${pods}/${agent?.metadata.name}/exec?${command}`, {
    bearer: token,
    after: Buffer.alloc(7, 0xff),
  });
  expect(told).toMatch(/^HTTP\/1.1 101 /);
  expect((await cluster.call('GET', '/version')).status).toBe(200);
});
