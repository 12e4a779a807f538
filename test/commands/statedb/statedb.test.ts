import { describe, expect, test } from '@jest/globals';
import { agentOf } from '../../helpers/agent.ts';

describe('statedb', () => {
  const tables = {
    devices: [
      { Index: 1, Name: 'lo', Addrs: [{ Addr: '127.0.0.1' }] },
      { Index: 2, Name: 'eth\u001b0', MTU: 1500 },
    ],
    empty: [],
  };

  test('without a table copies the dump as it came', async () => {
    const text = JSON.stringify(tables, undefined, 1);
    await using agent = await agentOf({ 'GET /statedb/dump': { text } });
    expect((await agent.run(['statedb'])).stdout).toBe(text);
    expect((await agent.run(['statedb', 'dump'])).stdout).toBe(text);
  });

  test.each([
    [['--watch'], '--watch'],
    [['dump', '--columns', 'name'], '--columns'],
    [['--sort', 'name'], '--sort'],
    [['--no-headers'], '--no-headers'],
    [['-o', 'custom-columns=A:.b'], '-o custom-columns'],
    [['-o', 'table'], '-o table'],
  ])('refuses %j without a table', async (words, flag) => {
    await using agent = await agentOf({ 'GET /statedb/dump': { body: tables } });
    expect(await agent.run(['statedb', ...words])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: `Error: ${flag} goes with one table: all of them are printed as the JSON of the agent\nName a table, such as health.\n`,
    });
    expect((await agent.run(['statedb', '-o', 'json'])).code).toBe(0);
  });

  test('asks a 1.17 agent within its REST API', async () => {
    await using agent = await agentOf({ 'GET /v1/statedb/dump': { body: tables } });
    expect((await agent.run(['statedb'])).stdout).toBe(JSON.stringify(tables));
  });

  // differs: statedb-table
  test('shows one table, and names the tables there are', async () => {
    await using agent = await agentOf({ 'GET /statedb/dump': { body: tables } });
    const { stdout } = await agent.run(['statedb', 'devices']);
    expect(stdout).toBe(
      [
        'Index   Name     Addrs                    MTU',
        '1       lo       [{"Addr":"127.0.0.1"}]   ',
        '2       eth^[0                            1500',
        '',
      ].join('\n'),
    );
    const wrong = await agent.run(['statedb', 'device']);
    expect(wrong.stderr).toBe('Error: the agent has no table "device"\nIts tables: devices, empty.\n');
  });

  test('says that an agent has no tables', async () => {
    await using agent = await agentOf({});
    for (const argv of [['statedb'], ['statedb', 'devices']])
      expect((await agent.run(argv)).stderr).toContain('this agent serves no StateDB tables');
  });
});
