import { expect, test } from '@jest/globals';
import { type AgentClient, connectAgent } from '../../../src/agent/client.ts';
import {
  deleteEndpoint,
  isEndpointReady,
  listEndpoints,
  patchEndpointLabels,
} from '../../../src/agent/decode/endpoints.ts';
import { type Answer, agentOf } from '../../helpers/agent.ts';

/** What a function makes of an agent's answer, and the bodies that it sent. */
async function asked<V>(call: string, answer: Answer, ask: (agent: AgentClient) => Promise<V>) {
  await using made = await agentOf({ [call]: answer });
  const value = await ask(connectAgent(`unix://${made.socket}`, new AbortController().signal));
  return { value, sent: made.seen.map(({ body }) => body) };
}

test.each([
  ['ready', true],
  ['regenerating', false],
  [undefined, false],
])('an endpoint whose state is %s is ready: %s', async (state, ready) => {
  const answer = { body: { id: 7, status: { state } } };
  const { value } = await asked('GET /v1/endpoint/7', answer, (agent) => isEndpointReady(agent, '7'));
  expect(value).toBe(ready);
});

test.each([
  [
    'of its own fields',
    { 'pod-name': 'old/name', 'k8s-pod-name': 'web', 'k8s-namespace': 'shop' },
    'shop',
    'web',
  ],
  ['of the joined name', { 'pod-name': 'shop/web' }, 'shop', 'web'],
  ['of none', { 'pod-name': '/' }, '', ''],
])('the pod of an endpoint is that %s', async (_, names, namespace, pod) => {
  const body = [{ id: 1, status: { 'external-identifiers': names } }];
  const { value } = await asked('GET /v1/endpoint', { body }, listEndpoints);
  expect(value.decode()).toMatchObject([{ namespace, pod }]);
});

test('an endpoint has all of its addresses, and the first of each family apart', async () => {
  const addressing = [
    { ipv4: '10.0.0.1', ipv6: 'fd00::1' },
    { ipv4: '10.0.0.2', ipv6: '' },
  ];
  const body = [{ id: 1, status: { networking: { addressing, 'interface-index': 9 } } }, { id: 2 }];
  const { value } = await asked('GET /v1/endpoint', { body }, listEndpoints);
  expect(value.decode()).toMatchObject([
    {
      addresses: { ipv4: '10.0.0.1', ipv6: 'fd00::1' },
      allAddresses: ['10.0.0.1', 'fd00::1', '10.0.0.2'],
      ifindex: 9,
    },
    { addresses: undefined, allAddresses: [], ifindex: undefined, policyRevision: undefined },
  ]);
});

test.each([
  ['nothing', {}, 0],
  ['a number of errors', { status: 206, body: 3 }, 3],
])('an agent that answers a deletion with %s', async (_, answer, errors) => {
  const { value } = await asked('DELETE /v1/endpoint/7', answer, (agent) => deleteEndpoint(agent, '7'));
  expect(value).toBe(errors);
});

test.each([
  [['user:a=b'], { user: ['user:a=b'] }],
  [[], {}],
])('the labels %j are sent as %j', async (labels, body) => {
  const ask = (agent: AgentClient) => patchEndpointLabels(agent, '7', labels);
  expect((await asked('PATCH /v1/endpoint/7/labels', {}, ask)).sent).toEqual([body]);
});
