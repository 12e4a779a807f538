import { expect, test } from '@jest/globals';
import { type AgentClient, connectAgent } from '../../../src/agent/client.ts';
import type { Answer } from '../../../src/agent/decode/answer.ts';
import { listEndpoints } from '../../../src/agent/decode/endpoints.ts';
import { listIdentities, listIps, listUsedIdentities } from '../../../src/agent/decode/identities.ts';
import { listRecorderMasks, listRecorders } from '../../../src/agent/decode/recorder.ts';
import { listServices } from '../../../src/agent/decode/services.ts';
import { agentOf } from '../../helpers/agent.ts';

/** What a function makes of one answer. */
async function asked<V>(
  path: string,
  body: unknown,
  ask: (agent: AgentClient) => Promise<Answer<V>>,
): Promise<{ document: unknown; value: V }> {
  await using made = await agentOf({ [`GET /v1${path}`]: { body } });
  const answer = await ask(connectAgent(`unix://${made.socket}`, new AbortController().signal));
  return { document: answer.document, value: answer.decode() };
}

const [LATE, EARLY] = [
  { id: 12, extra: { kept: [null, {}] } },
  { id: 5, 'not-described': '1e5' },
];

test.each([
  ['endpoints', '/endpoint', [LATE, EARLY], [EARLY, LATE], listEndpoints],
  ['identities', '/identity', [LATE, EARLY], [EARLY, LATE], listIdentities],
  [
    'used identities',
    '/identity/endpoints',
    [{ identity: LATE }, { identity: EARLY, refCount: 2 }],
    [{ identity: EARLY, refCount: 2 }, { identity: LATE }],
    listUsedIdentities,
  ],
] as const)('%s are in order of their number, and keep what is unknown', async (_, path, body, want, ask) => {
  const { document, value } = await asked<{ id: number }[]>(path, body, ask);
  expect(document).toEqual(want);
  expect(value.map(({ id }) => id)).toEqual([5, 12]);
});

test('addresses are in order of width, then of their bytes; what is none comes first', async () => {
  const cidrs = ['10.0.0.2/32', '10.0.0.0/8', 'nonsense', '10.0.0.1/32', '0.0.0.0/0', '10.0.0.10/32'];
  const sorted = ['nonsense', '0.0.0.0/0', '10.0.0.0/8', '10.0.0.1/32', '10.0.0.2/32', '10.0.0.10/32'];
  const { document, value } = await asked(
    '/ip',
    cidrs.map((cidr, i) => ({ cidr, identity: i, x: 1 })),
    listIps,
  );
  expect((document as { cidr: string; x: number }[]).map(({ cidr, x }) => `${cidr} ${x}`)).toEqual(
    sorted.map((cidr) => `${cidr} 1`),
  );
  expect(value.map(({ cidr }) => cidr)).toEqual(sorted);
});

test('services are in order as rows and as they came as a document; unrealized ones are counted', async () => {
  const service = (id: number) => ({ status: { realized: { id } } });
  const body = [service(3), { spec: { id: 9 } }, service(1)];
  const { document, value } = await asked('/service', body, listServices);
  expect(document).toEqual(body);
  expect(value.services.map(({ id }) => id)).toEqual([1, 3]);
  expect(value.unrealized).toBe(1);
});

test('recorders are in order of their number, masks by family and falling priority', async () => {
  const recorder = (id: number) => ({ status: { realized: { id, filters: [] } } });
  const recorders = await asked('/recorder', [recorder(4), { spec: {} }, recorder(2)], listRecorders);
  expect(recorders.value.map(({ id }) => id)).toEqual([2, 4]);
  const mask = (priority: number, prefix: string) => ({
    status: { realized: { priority, users: 1, 'src-prefix-mask': prefix } },
  });
  const [v4, v6] = ['ffffffff', 'f'.repeat(32)];
  const body = [mask(3, v4), mask(1, v6), mask(7, v4), mask(5, v6)];
  const masks = await asked('/recorder/masks', body, listRecorderMasks);
  expect(masks.value.map(({ ipv6, priority }) => `${ipv6 ? 6 : 4}:${priority}`)).toEqual([
    '6:5',
    '6:1',
    '4:7',
    '4:3',
  ]);
});
