import { expect } from '@jest/globals';
import type { Fault } from '../../../src/lab/pods/faults.ts';
import { podTest, startPodCluster } from '../../helpers/pods.ts';
import { until } from '../../helpers/until.ts';

const [OK, NO_NAME, NO_WAY, TIMED_OUT] = [0, 6, 7, 28];
/** What nodes do not know yet they know soon. */
const [TRIES, PAUSE_MS] = [20, 500];

interface Met {
  address: number;
  service: number;
  name: number;
}

/** What a client meets, by address, through a service, and by name; what nodes do not know yet is waited for. */
async function met(fault: Fault, meant: Partial<Met>): Promise<Met> {
  await using pods = await startPodCluster({ faults: [fault] });
  await pods.cluster.call('POST', '/api/v1/namespaces/default/services', {
    metadata: { name: 'echo', namespace: 'default' },
    spec: { clusterIP: '10.97.0.50', selector: { name: 'echo' }, ports: [{ port: 8080 }] },
  });
  const client = await pods.deploy('client', { node: 'node1' });
  const echo = await pods.deploy('echo', { node: 'node2', serves: true });
  const path = '/api/v1/namespaces/default/endpoints/echo';
  await until(async () => JSON.stringify((await pods.cluster.call('GET', path)).json).includes(echo.ip));
  const code = async (host: string) => (await pods.curl(client.name, `http://${host}:8080/`)).code;
  const look = async () => ({
    address: await code(echo.ip),
    service: await code('10.97.0.50'),
    name: await code('kubernetes.default'),
  });
  const isMeant = (found: Met) => (['address', 'service'] as const).every((key) => found[key] === meant[key]);
  for (let tries = 1; ; tries++) {
    const found = await look();
    if (isMeant(found) || tries === TRIES) return found;
    await new Promise((wait) => setTimeout(wait, PAUSE_MS));
  }
}

podTest('a DNS that does not answer', async () => {
  const { address, service, name } = await met('dns', { address: OK, service: OK });
  expect({ address, service }).toEqual({ address: OK, service: OK });
  expect([NO_NAME, TIMED_OUT]).toContain(name);
});

podTest('a node that enforces what nobody asked for', async () => {
  const meant = { address: TIMED_OUT, service: TIMED_OUT };
  expect(await met('policy', meant)).toMatchObject(meant);
});

podTest('services that a node does not know', async () => {
  const meant = { address: OK, service: NO_WAY };
  expect(await met('service', meant)).toMatchObject(meant);
});

podTest('nodes that do not reach each other', async () => {
  const meant = { address: TIMED_OUT, service: TIMED_OUT };
  expect(await met('node-to-node', meant)).toMatchObject(meant);
});
