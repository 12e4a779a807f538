import { describe, expect, test } from '@jest/globals';
import type { AgentEvent, Endpoint } from '../../../src/model/hubble.gen.ts';
import { agentEventRecord, debugEventRecord } from '../../../src/render/hubble/events.ts';
import type { FlowStyle } from '../../../src/render/hubble/flow.ts';
import { timeFormat } from '../../../src/render/hubble/flow-time.ts';

const AT = { time: '', node: '' };
const STYLE: FlowStyle = {
  time: timeFormat('StampMilli'),
  color: false,
  nodeName: false,
  translateIps: true,
  policyNames: false,
};

describe('an agent event tells the part that its type is about', () => {
  const details = (event: AgentEvent) => agentEventRecord(AT, event, STYLE).pairs.at(-1)?.[1];

  test.each<[AgentEvent, string]>([
    [{}, 'UNKNOWN'],
    [{ unknown: {} }, 'type: , notification: '],
    [{ type: 'AGENT_STARTED', agent_start: {} }, 'start time: N/A'],
    [
      { type: 'POLICY_DELETED', policy_update: { labels: ['a', 'b'] } },
      'labels: [a,b], revision: 0, count: 0',
    ],
    [
      { type: 'ENDPOINT_REGENERATE_FAILURE', endpoint_regenerate: { error: 'x' } },
      'id: 0, labels: [], error: x',
    ],
    [{ type: 'ENDPOINT_CREATED', endpoint_update: { id: '5', pod_name: 'p' } }, 'id: 5, pod name: p'],
    [
      { type: 'IPCACHE_UPSERTED', ipcache_update: { old_identity: 0 } },
      'cidr: , identity: 0, old identity: 0, encrypt key: 0',
    ],
    [{ type: 'SERVICE_UPSERTED', service_upsert: { id: 7 } }, 'id: 7'],
    [{ type: 'SERVICE_DELETED', service_delete: {} }, 'id: 0'],
  ])('%j', (event, text) => expect(details(event)).toBe(text));

  test.each<AgentEvent>([
    { type: 'AGENT_STARTED', policy_update: {} },
    { policy_update: {} },
    { type: 'POLICY_UPDATED' },
    { type: 'SERVICE_DELETED', service_upsert: {} },
    { type: 99, unknown: {} },
  ])('%j is unknown', (event) => expect(details(event)).toBe('UNKNOWN'));
});

test.each<[Endpoint | undefined, string]>([
  [undefined, 'N/A'],
  [{}, 'ID: 0'],
  [{ ID: 5, pod_name: 'p' }, 'ID: 5'],
  [{ ID: 5, namespace: 'n' }, 'ID: 5'],
  [{ ID: 5, namespace: 'n', pod_name: 'p' }, 'n/p (ID: 5)'],
  [{ pod_name: 'p', labels: ['reserved:host'] }, 'reserved:host (ID: 0)'],
  [{ labels: ['reserved:host', 'reserved:x'] }, 'ID: 0'],
])('the source of a debug event %j is %s', (source, text) =>
  expect(debugEventRecord(AT, source ? { source } : {}, STYLE).cells[1]).toBe(text),
);
