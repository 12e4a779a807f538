import { describe, expect, test } from '@jest/globals';
import { connectAgent } from '../../../src/agent/client.ts';
import { type AgentPolicyState, readPolicyState } from '../../../src/agent/decode/policy-state.ts';
import { type Answer, agentOf } from '../../helpers/agent.ts';

/** The state of an agent with one endpoint and one identity, where `more` does not say otherwise. */
async function stateWith(more: Record<string, Answer> = {}): Promise<AgentPolicyState> {
  await using made = await agentOf({
    'GET /v1/identity': { body: [{ id: 7, labels: ['k8s:app=web'] }] },
    'GET /v1/endpoint': { body: [{ id: 1 }] },
    'GET /v1/policy': { body: { policy: '[]', revision: 1 } },
    'GET /v1/ip': { body: [{ cidr: '10.0.0.1/32', identity: 7 }] },
    ...more,
  });
  return await readPolicyState(connectAgent(`unix://${made.socket}`, AbortSignal.timeout(10_000)));
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
      endpoints: [{ id: 1 }],
      ips: [{ cidr: '10.0.0.1/32', identity: 7 }],
      policy: '[]',
      enforcement: 'default',
      allowLocalhost: false,
      services: [],
    });
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
