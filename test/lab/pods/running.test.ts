import { expect } from '@jest/globals';
import { podTest, startPodCluster } from '../../helpers/pods.ts';
import { until } from '../../helpers/until.ts';

podTest('pods reach each other by address, by name, through services and ports of nodes', async () => {
  await using pods = await startPodCluster();
  const client = await pods.deploy('client', { node: 'node1' });
  const echo = await pods.deploy('echo', { node: 'node2', serves: true });
  const host = await pods.deploy('host', { node: 'node2', hostNetwork: true });
  await pods.cluster.call('POST', '/api/v1/namespaces/default/services', {
    metadata: { name: 'echo', namespace: 'default' },
    spec: {
      type: 'NodePort',
      selector: { name: 'echo' },
      ports: [{ port: 80, targetPort: 8080, nodePort: 31_000 }],
    },
  });
  expect(JSON.parse((await pods.curl(client.name, `http://${echo.ip}:8080/public`)).stdout)).toEqual({
    pod: echo.name,
    method: 'GET',
    path: '/public',
  });
  await until(async () => (await pods.curl(client.name, 'http://echo/')).code === 0);
  expect(host.ip).not.toBe(echo.ip);
  for (const url of [
    'http://echo.default.svc.cluster.local/',
    `http://${host.ip}:31000/`,
    'http://192.168.50.11:31000/',
  ])
    expect({ url, ...(await pods.curl(client.name, url)) }).toMatchObject({ url, code: 0 });
  // From the host, and to it.
  expect((await pods.curl(host.name, `http://${echo.ip}:8080/`)).code).toBe(0);
  expect((await pods.curl(host.name, 'http://192.168.50.11:31000/')).code).toBe(0);
  expect((await pods.exec(client.name, 'ping', '-c', '1', '-W', '2', host.ip)).code).toBe(0);
  // Nobody is there.
  expect((await pods.curl(client.name, `http://${echo.ip}:9090/`)).code).toBe(7);
  expect((await pods.exec(client.name, 'ping', '-c', '1', '-W', '1', '10.11.255.250')).code).toBe(1);
});

podTest('names of the cluster resolve, others do not exist', async () => {
  await using pods = await startPodCluster({ nodes: 1 });
  const client = await pods.deploy('client');
  const lookup = (...words: string[]) => pods.exec(client.name, 'nslookup', '-timeout=2', ...words);
  const found = await lookup('-type=A', 'kubernetes.default');
  expect(found.stdout).toMatch(
    /Server:\s+10\.96\.0\.10[\s\S]*Name:\s+kubernetes\.default\.svc\.cluster\.local\nAddress: 10\.96\.0\.1\n/,
  );
  expect(found.code).toBe(0);
  const none = await lookup('nobody.default.svc.cluster.local');
  expect(none.stdout).toContain('NXDOMAIN');
  expect(none.code).toBe(1);
  expect((await pods.exec(client.name, 'dig', '+time=2', 'kubernetes', '@10.96.0.10')).stdout).toContain(
    'status: NXDOMAIN',
  );
});

podTest('what has no backend is refused, and a pod that is gone is gone', async () => {
  await using pods = await startPodCluster({ nodes: 1 });
  const client = await pods.deploy('client');
  const echo = await pods.deploy('echo', { serves: true });
  await pods.cluster.call('POST', '/api/v1/namespaces/default/services', {
    metadata: { name: 'echo', namespace: 'default' },
    spec: { selector: { name: 'echo' }, ports: [{ port: 8080 }] },
  });
  await until(async () => (await pods.curl(client.name, 'http://echo:8080/')).code === 0);
  await pods.cluster.call('DELETE', '/apis/apps/v1/namespaces/default/deployments/echo');
  await until(async () => (await pods.curl(client.name, 'http://echo:8080/')).code === 7);
  expect((await pods.curl(client.name, `http://${echo.ip}:8080/`)).code).not.toBe(0);
});

podTest('commands get their words, their input and their exit code', async () => {
  await using pods = await startPodCluster({ nodes: 1 });
  const client = await pods.deploy('client');
  const { stdout } = await pods.exec(
    client.name,
    'sh',
    '-c',
    'hostname; ls -l /proc/self/ns/net | wc -l; echo "$1"',
    'x',
    "a 'b' $c",
  );
  expect(stdout).toBe(`${client.name}\n1\na 'b' $c\n`);
  expect((await pods.exec(client.name, 'sh', '-c', 'exit 7')).code).toBe(7);
  expect((await pods.exec(client.name, 'no-such-program')).code).toBe(127);
});
