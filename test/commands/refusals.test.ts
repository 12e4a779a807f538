import { expect, test } from '@jest/globals';
import { agentOf } from '../helpers/agent.ts';

test.each([
  [['endpoint', 'get', '7'], 'GET /v1/endpoint/7', 404, '"cilium endpoint list" shows'],
  [['endpoint', 'log', 'x'], 'GET /v1/endpoint/x/log', 400, 'Expected the number of an endpoint'],
  [['identity', 'get', '7'], 'GET /v1/identity/7', 404, '"cilium identity list" shows'],
  [['map', 'get', 'x'], 'GET /v1/map/x', 404, '"cilium map list" shows'],
  [['map', 'events', 'x'], 'GET /v1/map/x/events?follow=false', 404, 'Is it in "cilium map list"'],
])('%j: what the agent does not find is said with the list to look in', async (argv, call, status, hint) => {
  await using agent = await agentOf({ [call]: { status } });
  const { stderr, code } = await agent.run(argv);
  expect(code).toBe(1);
  expect(stderr).toMatch(new RegExp(`^Error: .*\\[${status}\\].*\n.*${hint}`));
});

// differs: missing-call
test.each([
  [['cgroups', 'list'], '/v1/cgroup-dump-metadata'],
  [['lrp', 'list'], '/v1/lrp'],
  [['prefilter', 'list'], '/v1/prefilter'],
])('%j: a call that the agent does not have is named and explained', async (argv, path) => {
  const missing = { status: 404, body: { code: 404, message: `path ${path} was not found` } };
  await using agent = await agentOf({ [`GET ${path}`]: missing });
  const { stdout, stderr, code } = await agent.run(argv);
  expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
  expect(stderr).toMatch(/\nThis agent does not have the call: it came with a later release, or has ended/);
});

test.each([
  [['policy', 'import', '-']],
  [['policy', 'delete', '--all', '--yes']],
  [['config', 'Debug=true']],
  [['endpoint', 'config', '7', 'Debug=true']],
])('%j with an unknown format asks and changes nothing', async (argv) => {
  await using agent = await agentOf({});
  const { stdout, stderr, code } = await agent.run([...argv, '-o', 'bogus']);
  expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
  expect(stderr).toContain('unknown output format "bogus"\nUse -o json, -o yaml, -o jsonpath');
  expect(agent.seen).toEqual([]);
});
