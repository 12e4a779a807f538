import { describe, expect, test } from '@jest/globals';
import { connectAgent } from '../../../src/agent/client.ts';
import { type AgentPolicyState, readPolicyState } from '../../../src/agent/decode/policy-state.ts';
import { type Answer, agentOf } from '../../helpers/agent.ts';
import { fixture, type RestCase } from '../../helpers/recordings.ts';
import { replay } from '../../helpers/replay.ts';

/** The state of an agent with one endpoint and one identity, where `more` does not say otherwise. */
async function stateWith(more: Record<string, Answer> = {}): Promise<AgentPolicyState> {
  await using made = await agentOf({
    'GET /v1/identity': { body: [{ id: 7, labels: ['k8s:app=web'] }] },
    'GET /v1/endpoint': {
      body: [{ id: 1 }, { id: 2, status: { identity: { id: 7, labels: ['k8s:app=web'] } } }],
    },
    'GET /v1/policy': { body: { policy: '[]', revision: 1 } },
    'GET /v1/ip': { body: [{ cidr: '10.0.0.1/32', identity: 7 }] },
    ...more,
  });
  return await readPolicyState(connectAgent(`unix://${made.socket}`, new AbortController().signal));
}

const endpoint = (enabled: string, ingress?: number[]) => ({
  id: 1,
  status: {
    policy: { realized: { 'policy-enabled': enabled, 'allowed-ingress-identities': ingress ?? null } },
  },
});

describe('the state that verdicts rest on', () => {
  test('has the answers as they came', async () => {
    expect(await stateWith()).toEqual({
      identities: [{ id: 7, labels: ['k8s:app=web'] }],
      endpoints: [{ id: 2, identity: 7, labels: ['k8s:app=web'] }],
      ips: [{ cidr: '10.0.0.1/32', identity: 7 }],
      policy: '[]',
      enforcement: 'default',
      allowLocalhost: false,
      services: [],
    });
  });

  test.each([
    [['nodes'], ['nodes']],
    [
      ['nodes', 'pods'],
      ['nodes', 'pods'],
    ],
    [[], []],
    [null, []],
    [undefined, undefined],
  ])('whom CIDR rules select: %j', async (PolicyCIDRMatchMode, wanted) => {
    const daemonConfigurationMap = { Debug: false, PolicyCIDRMatchMode };
    const state = await stateWith({ 'GET /v1/config': { body: { status: { daemonConfigurationMap } } } });
    expect(state.cidrMatchMode).toEqual(wanted);
  });

  test('has the ports, pods and services that rules may mean', async () => {
    const state = await stateWith({
      'GET /v1/endpoint': {
        body: [
          {
            id: 3,
            status: {
              identity: { id: 7, labels: [] },
              'named-ports': [{ name: 'web', port: 80, protocol: 'TCP' }, { name: 'any', port: 5 }, null],
              'external-identifiers': { 'pod-name': 'shop/web-0' },
            },
          },
        ],
      },
      'GET /v1/ip': { body: [{ cidr: '10.0.0.1/32', identity: 7, metadata: { name: 'a', namespace: 'b' } }] },
      'GET /v1/service': {
        body: [
          {
            spec: {
              'frontend-address': { ip: '10.96.0.1', port: 443, protocol: 'TCP' },
              'backend-addresses': [{ ip: '10.0.0.1', port: 6443 }],
              flags: { type: 'NodePort', name: 'api', namespace: 'shop', extTrafficPolicy: 'Local' },
            },
          },
          { status: { realized: { 'frontend-address': { ip: '10.96.0.2', port: 1, scope: 'internal' } } } },
          { spec: { 'frontend-address': { port: 1 } } },
        ],
      },
    });
    expect(state.endpoints).toEqual([
      {
        id: 3,
        identity: 7,
        labels: [],
        namedPorts: [
          { name: 'web', port: 80, protocol: 'TCP' },
          { name: 'any', port: 5, protocol: 'TCP' },
        ],
        pod: 'shop/web-0',
      },
    ]);
    expect(state.ips).toEqual([{ cidr: '10.0.0.1/32', identity: 7, pod: 'b/a' }]);
    expect(state.services).toEqual([
      {
        ip: '10.96.0.1',
        port: 443,
        protocol: 'TCP',
        namespace: 'shop',
        name: 'api',
        type: 'NodePort',
        keepsClient: true,
        backends: [{ ip: '10.0.0.1', port: 6443 }],
      },
    ]);
  });

  test.each([
    [
      'GET /v1/identity',
      [{ labels: [] }],
      'GET /v1/identity: expected a whole number at [0].id, found nothing',
    ],
    [
      'GET /v1/identity',
      [{ id: 'x' }],
      'GET /v1/identity: expected a whole number at [0].id, found a string',
    ],
    ['GET /v1/ip', [{ cidr: 5, identity: 1 }], 'GET /v1/ip: expected a string at [0].cidr, found a number'],
    [
      'GET /v1/endpoint',
      [{ id: 1, status: { identity: { id: 4, labels: 'x' } } }],
      'GET /v1/endpoint: expected a list at [0].status.identity.labels, found a string',
    ],
  ])('does not rest on what is not understood: %s %j', async (call, body, message) => {
    await expect(stateWith({ [call]: { body } })).rejects.toThrow(message);
  });

  test.each<[string, object[], boolean]>([
    ['no endpoint is closed', [endpoint('none'), endpoint('egress', [])], false],
    ['every closed endpoint lets its node in', [endpoint('none'), endpoint('both', [4, 1])], true],
    ['one closed endpoint does not', [endpoint('ingress', [1]), endpoint('both', [4])], false],
  ])('does or does not accept the own node where %s', async (_, body, allowed) => {
    expect((await stateWith({ 'GET /v1/endpoint': { body } })).allowLocalhost).toBe(allowed);
  });

  test.each([
    ['always', 'always'],
    ['never', 'never'],
    ['default', 'default'],
    ['sometimes', 'default'],
  ])('takes the enforcement %s for %s', async (given, taken) => {
    const body = { status: { realized: { 'policy-enforcement': given } } };
    expect((await stateWith({ 'GET /v1/config': { body } })).enforcement).toBe(taken);
  });

  test('goes without addresses where the agent has none or no such call', async () => {
    expect((await stateWith({ 'GET /v1/ip': { status: 404 } })).ips).toEqual([]);
    expect((await stateWith({ 'GET /v1/ip': { status: 405 } })).ips).toEqual([]);
  });

  test('fails where the agent fails', async () => {
    await expect(stateWith({ 'GET /v1/ip': { status: 500 } })).rejects.toThrow('[GET /ip][500]');
    await expect(stateWith({ 'GET /v1/identity': { body: [5] } })).rejects.toThrow(
      'GET /v1/identity: expected an object at [0], found a number',
    );
  });
});

test.each([
  ['bpf-1.10-agent.json', '1.10'],
  ['bpf-1.20-release-agent.json', '1.20'],
])('the answers of the real agent of %s are understood whole', async (file, release) => {
  const exchanges = fixture<RestCase[]>(`recordings/${file}`).flatMap((recorded) => recorded.exchanges);
  await using server = await replay(exchanges);
  const state = await readPolicyState(connectAgent(`unix://${server.socket}`, new AbortController().signal));
  const listed = (path: string) =>
    JSON.parse(exchanges.find(({ request }) => request.path === path)?.response.body ?? '[]') as unknown[];
  expect(state.build).toEqual({ release, development: true });
  expect(state.identities).toHaveLength(listed('/v1/identity').length);
  expect(state.endpoints).toHaveLength(listed('/v1/endpoint').length);
  expect(state.ips).toHaveLength(listed('/v1/ip').length);
  expect(state.services.length).toBeGreaterThan(0);
  expect(state.endpoints.every(({ identity }) => state.identities.some(({ id }) => id === identity))).toBe(
    true,
  );
});
