import { expect, test } from '@jest/globals';
import { agentOf } from '../../helpers/agent.ts';

const endpoint = (id: number, pod: string) => ({
  id,
  status: { 'external-identifiers': { 'k8s-namespace': 'shop', 'k8s-pod-name': pod }, identity: { id } },
});
const LIST = [endpoint(7, 'web-0'), endpoint(12, 'db-0'), endpoint(13, 'db-0'), endpoint(20, 'web-0b')];
const ANSWERS = { 'GET /v1/endpoint': { body: LIST }, 'GET /v1/endpoint/7': { body: LIST[0] } };

test.each([
  { words: ['endpoint', 'get', 'shop/web-0'], asks: 'GET /v1/endpoint/7' },
  { words: ['endpoint', 'health', 'shop/web-0'], asks: 'GET /v1/endpoint/7/healthz' },
  { words: ['endpoint', 'log', 'shop/web-0'], asks: 'GET /v1/endpoint/7/log' },
  { words: ['endpoint', 'labels', 'shop/web-0'], asks: 'GET /v1/endpoint/7/labels' },
  { words: ['endpoint', 'config', 'shop/web-0'], asks: 'GET /v1/endpoint/7/config' },
  { words: ['endpoint', 'disconnect', 'shop/web-0'], asks: 'DELETE /v1/endpoint/7' },
  { words: ['fqdn', 'cache', 'list', '-e', 'shop/web-0'], asks: 'GET /v1/fqdn/cache/7' },
  { words: ['policy', 'trace', '--src-endpoint', 'shop/web-0', '--dst', 'a=b'], asks: 'GET /v1/endpoint/7' },
])('$words names the endpoint of a pod', async ({ words, asks }) => {
  await using agent = await agentOf(ANSWERS);
  await agent.run(words);
  expect(agent.seen.map(({ call }) => call)).toContain(asks);
});

test.each([
  {
    word: 'shop/db-0',
    says: 'the pod shop/db-0 has 2 endpoints: 12, 13\nName one by its number.\n',
  },
  {
    word: 'shop/web',
    says: 'no endpoint of this node belongs to a pod shop/web\nPods that begin so: shop/web-0, shop/web-0b.\n',
  },
  {
    word: 'other/web-0',
    says: 'no endpoint of this node belongs to a pod other/web-0\n"cilium endpoint list --columns id,namespace,pod" shows those of this node; --pod NAMESPACE/NAME asks the node of a pod.\n',
  },
])('$word is no endpoint, and why', async ({ word, says }) => {
  await using agent = await agentOf(ANSWERS);
  for (const words of [
    ['endpoint', 'get', word],
    ['endpoint', 'disconnect', word],
    ['monitor', '--related-to', word],
    ['bpf', 'policy', 'get', word],
    ['bpf', 'ct', 'list', 'endpoint', word],
  ]) {
    const { stdout, stderr, code } = await agent.run(words);
    expect({ words, stdout, stderr, code }).toEqual({ words, stdout: '', stderr: `Error: ${says}`, code: 1 });
  }
  expect(agent.seen.filter(({ call }) => !call.startsWith('GET'))).toEqual([]);
});

test('an agent that does not answer is said beside the pod', async () => {
  await using agent = await agentOf({ 'GET /v1/endpoint': { status: 500, text: 'down' } });
  const { stderr, code } = await agent.run(['endpoint', 'get', 'shop/web-0']);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^Error: Cannot look for pod shop\/web-0: \[GET \/endpoint\]\[500\]/);
});
