import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Store } from '../../src/lab/state/store.ts';
import { call } from '../helpers/lab.ts';
import { privateFolder, startLabProcess } from '../helpers/lab-process.ts';

const ruleNamed = (name: string) => [
  {
    endpointSelector: { matchLabels: { app: 'api' } },
    ingress: [{ fromEndpoints: [{ matchLabels: { app: 'frontend' } }] }],
    labels: [{ key: 'name', value: name }],
  },
];

const importRule = (socket: string, name: string) =>
  call(socket, 'PUT', '/v1/policy', JSON.stringify(JSON.stringify(ruleNamed(name))));

test('a process killed in the middle of 300 imports has lost none that it acknowledged', async () => {
  using folder = privateFolder();
  const dir = join(folder.path, 'lab');
  const lab = await startLabProcess(['--dir', dir], {});
  const acknowledged: { name: string; revision: number }[] = [];
  let killed = false;
  const names = Array.from({ length: 300 }, (_, i) => `rule-${i}`);
  const importSome = async () => {
    for (let name = names.shift(); name !== undefined; name = names.shift()) {
      const answer = await importRule(lab.info.sockets.agent, name).catch(() => undefined);
      if (answer?.status !== 200) continue;
      acknowledged.push({ name, revision: answer.json.revision });
      if (acknowledged.length !== 50) continue;
      killed = true;
      await lab.end('SIGKILL');
    }
  };
  // Four at a time, so that some are on their way when the process dies.
  await Promise.all([importSome(), importSome(), importSome(), importSome()]);
  expect(killed).toBe(true);
  expect(acknowledged.length).toBeLessThan(300);

  const again = await startLabProcess(['--dir', dir], {});
  try {
    const { json } = await call(again.info.sockets.agent, 'GET', '/v1/policy');
    const names = JSON.parse(json.policy).flatMap((rule: { labels: { value: string }[] }) =>
      rule.labels.map((label) => label.value),
    );
    expect(names).toEqual(expect.arrayContaining(acknowledged.map(({ name }) => name)));
    expect(json.revision).toBeGreaterThanOrEqual(Math.max(...acknowledged.map(({ revision }) => revision)));
    const realized = await call(again.info.sockets.agent, 'GET', '/v1/endpoint/2622');
    expect(realized.json.status.policy.realized['policy-revision']).toBe(json.revision);
  } finally {
    await again.end('SIGTERM');
  }
});

test('a stopped lab leaves its sockets behind nowhere and its state where --dir says', async () => {
  using folder = privateFolder();
  const dir = join(folder.path, 'mine');
  const lab = await startLabProcess(['--dir', dir], {});
  await call(lab.info.sockets.agent, 'PATCH', '/v1/config', { options: { Debug: 'Enabled' } });
  await call(lab.info.sockets.agent, 'PATCH', '/v1/endpoint/2622/labels', { user: ['k8s:tier=front'] });
  const { json: endpoint } = await call(lab.info.sockets.agent, 'GET', '/v1/endpoint/2622');
  await lab.end('SIGTERM');
  expect(readdirSync(dir).filter((name) => name.endsWith('.sock') || name === 'lab.json')).toEqual([]);

  const again = await startLabProcess(['--dir', dir], {});
  const { sockets } = again.info;
  expect((await call(sockets.agent, 'GET', '/v1/config')).json.spec.options.Debug).toBe('Enabled');
  expect((await call(sockets.agent, 'GET', '/v1/endpoint/2622')).json.status.identity).toEqual(
    endpoint.status.identity,
  );
  await again.end('SIGTERM');

  const fresh = await startLabProcess(['--dir', dir, '--fresh'], {});
  expect((await call(fresh.info.sockets.agent, 'GET', '/v1/config')).json.spec.options.Debug).toBe(
    'Disabled',
  );
  await fresh.end('SIGTERM');
});

test('a lab without --dir that was killed is resumed under its name, and swept when nothing had changed', async () => {
  using folder = privateFolder();
  const env = { XDG_RUNTIME_DIR: folder.path };
  const first = await startLabProcess([], env);
  const idle = await startLabProcess([], env);
  expect([first.info.name, idle.info.name]).toEqual(['default', 'lab-2']);
  await importRule(first.info.sockets.agent, 'kept');
  await first.end('SIGKILL');
  await idle.end('SIGKILL');
  expect(existsSync(idle.info.sockets.agent)).toBe(true);

  const again = await startLabProcess([], env);
  expect(again.info.name).toBe('default');
  expect((await call(again.info.sockets.agent, 'GET', '/v1/policy')).json.policy).toContain('kept');
  expect(existsSync(idle.info.dir)).toBe(false);
  await again.end('SIGTERM');
  expect(existsSync(again.info.dir)).toBe(false);
});

test('only the owner can enter the folder, and sockets are for the owner and the group', async () => {
  using folder = privateFolder();
  const lab = await startLabProcess(['--dir', join(folder.path, 'lab')], {});
  try {
    expect(statSync(lab.info.dir).mode & 0o777).toBe(0o700);
    // Nobody serves the one of Envoy: it is named so that no verb reaches that of the machine.
    const { envoy, ...served } = lab.info.sockets;
    expect(existsSync(envoy)).toBe(false);
    for (const socket of Object.values(served)) expect(statSync(socket).mode & 0o777).toBe(0o660);
  } finally {
    await lab.end('SIGTERM');
  }
});

test('a state of another scenario, or one that is broken, is not overwritten', async () => {
  using folder = privateFolder();
  const dir = join(folder.path, 'lab');
  const lab = await startLabProcess(['--dir', dir], {});
  await importRule(lab.info.sockets.agent, 'x');
  await lab.end('SIGTERM');
  const file = join(dir, 'state.json');
  const before = readFileSync(file, 'utf8');
  await expect(startLabProcess(['--dir', dir, '--scenario', 'shop'], {})).rejects.toThrow(
    /holds the state of a lab with scenario beginners-guide, not shop\n.*--fresh/s,
  );
  expect(readFileSync(file, 'utf8')).toBe(before);
  writeFileSync(file, '{');
  await expect(startLabProcess(['--dir', dir], {})).rejects.toThrow(/cannot be read/);
  expect(readFileSync(file, 'utf8')).toBe('{');
});

test('a change that cannot be written is refused and leaves everything as it was', async () => {
  using folder = privateFolder();
  const file = join(folder.path, 'gone', 'state.json');
  const store = new Store({ n: 1 }, file);
  await expect(store.update(({ n }) => ({ n: n + 1 }))).rejects.toThrow(/ENOENT/);
  expect(store.current).toEqual({ n: 1 });
  const fine = new Store({ n: 1 }, join(folder.path, 'state.json'));
  const seen = await Promise.all([1, 2, 3].map(() => fine.update(({ n }) => ({ n: n + 1 }))));
  expect(seen).toEqual([{ n: 2 }, { n: 3 }, { n: 4 }]);
  expect(JSON.parse(readFileSync(join(folder.path, 'state.json'), 'utf8'))).toEqual({ n: 4 });
});
