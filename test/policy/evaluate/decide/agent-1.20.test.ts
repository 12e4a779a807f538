import { describe, expect, test } from '@jest/globals';
import { connectAgent } from '../../../../src/agent/client.ts';
import { readPolicyState } from '../../../../src/agent/decode/policy-state.ts';
import { stateOfAgent } from '../../../../src/policy/evaluate/decide/cluster-state.ts';
import type { FlowRecord } from '../../../../src/policy/evaluate/decide/connections.ts';
import { PolicyEngine } from '../../../../src/policy/evaluate/decide/engine.ts';
import { Peers } from '../../../../src/policy/evaluate/decide/peers.ts';
import { isEntryList, rulesOfEntries } from '../../../../src/policy/read/agent-entries.ts';
import { FlowTable } from '../../../../src/policy/reports/flow-table.ts';
import { replay as replayFlows } from '../../../../src/policy/reports/replay.ts';
import { fixture, fixtureText, type RestCase } from '../../../helpers/recordings.ts';
import { replay } from '../../../helpers/replay.ts';
import { entriesText } from '../../helpers.ts';
import { recordedEntries } from '../../recorded.ts';

const EXCHANGES = fixture<RestCase[]>('recordings/agent-1.20.json').flatMap(({ exchanges }) => exchanges);

function answer<T>(path: string): T {
  const found = EXCHANGES.find(({ request }) => request.path === `/v1${path}`);
  return JSON.parse(found?.response.body ?? 'null') as T;
}

await using server = await replay(EXCHANGES);
const STATE = stateOfAgent(
  await readPolicyState(connectAgent(`unix://${server.socket}`, new AbortController().signal)),
);

function engine(without: readonly number[] = []): PolicyEngine {
  const entries: unknown = JSON.parse(answer<{ policy: string }>('/policy').policy);
  if (!isEntryList(entries)) throw new Error('the recording has no policy entries');
  const source = { file: 'agent', locate: () => ({ file: 'agent', line: 1, column: 1 }) };
  return new PolicyEngine(
    STATE.identities.filter(({ id }) => !without.includes(id)),
    STATE.endpoints,
    { release: '1.19' },
  ).addAll(rulesOfEntries(entries, source));
}

interface PinnedMap {
  path: string;
  entries: [string, string][];
}

describe('an early 1.20 agent, which is 1.19 and two weeks', () => {
  test('has the policy maps that its rules say', () => {
    const maps = fixture<{ maps: PinnedMap[] }>('recordings/bpf-1.20.json').maps.filter(({ path }) =>
      path.includes('cilium_policy_v2_'),
    );
    expect(maps).toHaveLength(10);
    // The identity of an address that was released between the two recordings.
    const current = engine([16_777_217]);
    for (const map of maps) {
      const endpoint = STATE.endpoints.find(({ id }) => id === Number(map.path.slice(-5)));
      if (!endpoint) throw new Error(`no endpoint for ${map.path}`);
      expect([map.path, ...entriesText(current.entriesOf(endpoint))]).toEqual([
        map.path,
        ...entriesText(recordedEntries(map.entries)),
      ]);
    }
  });

  test('did with its flows what its rules say, apart from an injected one and addresses of no pod', () => {
    const current = engine();
    const table = new FlowTable(new Peers(current, STATE));
    for (const line of fixtureText('recordings/flows-1.20.jsonl').split('\n').filter(Boolean))
      table.add((JSON.parse(line) as { flow: FlowRecord }).flow);
    const { changes, flows, undecided } = replayFlows(table, current);
    expect(
      changes.map(({ change, source, destination, port }) => [change, source, destination, port]),
    ).toEqual([
      ['newly-allowed', 'fe80::649b:b3ff:fe27:3e76', 'ff02::2', '133/ICMPv6'],
      ['newly-allowed', 'fe80::80ea:11ff:fe0e:8c0e', 'ff02::2', '133/ICMPv6'],
      ['newly-denied', 'default app=frontend', 'default app=api', '9092/TCP'],
    ]);
    expect(flows).toBe(456);
    expect(undecided.map(({ flows: count }) => count)).toEqual([22, 7]);
  });
});
