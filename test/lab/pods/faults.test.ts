import { expect } from '@jest/globals';
import type { Fault } from '../../../src/lab/pods/faults.ts';
import { podTest, startPodCluster } from '../../helpers/pods.ts';
import { until } from '../../helpers/until.ts';

const [OK, NO_NAME, NO_WAY, TIMED_OUT] = [0, 6, 7, 28];

/** What a client meets, by address, through a service, and by name. */
async function met(fault: Fault) {
  await using pods = await startPodCluster({ faults: [fault] });
  await pods.cluster.call('POST', '/api/v1/namespaces/default/services', {
    metadata: { name: 'echo', namespace: 'default' },
    spec: { clusterIP: '10.97.0.50', selector: { name: 'echo' }, ports: [{ port: 8080 }] },
  });
  const client = await pods.deploy('client', { node: 'node1' });
  const echo = await pods.deploy('echo', { node: 'node2', serves: true });
  const path = '/api/v1/namespaces/default/endpoints/echo';
  await until(async () => JSON.stringify((await pods.cluster.call('GET', path)).json).includes(echo.ip));
  await new Promise((wait) => setTimeout(wait, 300));
  const code = async (host: string) => (await pods.curl(client.name, `http://${host}:8080/`)).code;
  return {
    address: await code(echo.ip),
    service: await code('10.97.0.50'),
    name: await code('kubernetes.default'),
  };
}

podTest('a DNS that does not answer', async () => {
  const { address, service, name } = await met('dns');
  expect({ address, service }).toEqual({ address: OK, service: OK });
  expect([NO_NAME, TIMED_OUT]).toContain(name);
});

podTest('a node that enforces what nobody asked for', async () => {
  expect(await met('policy')).toMatchObject({ address: TIMED_OUT, service: TIMED_OUT });
});

podTest('services that a node does not know', async () => {
  expect(await met('service')).toMatchObject({ address: OK, service: NO_WAY });
});

podTest('nodes that do not reach each other', async () => {
  expect(await met('node-to-node')).toMatchObject({ address: TIMED_OUT, service: TIMED_OUT });
});
