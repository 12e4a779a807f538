import { describe, expect, test } from '@jest/globals';
import type { Node, ServerStatusResponse } from '../../../src/model/hubble.gen.ts';
import { nodesTable, renderPeerChange } from '../../../src/render/hubble/lists.ts';
import { renderServerStatus } from '../../../src/render/hubble/status.ts';

describe('the state of a server', () => {
  const compact = (status: ServerStatusResponse) =>
    renderServerStatus(status, 'compact')?.split('\n').slice(1, -1);

  test.each<[ServerStatusResponse, string]>([
    [{}, 'N/A'],
    [{ flows_rate: 0.125 }, '0.12'],
    [{ flows_rate: 1e21 }, '1000000000000000000000.00'],
    [{ flows_rate: 'Infinity' }, '+Inf'],
    [{ flows_rate: 'NaN', seen_flows: '5', uptime_ns: '2000000000' }, '2.50'],
    [{ flows_rate: -1 }, 'N/A'],
    [{ seen_flows: '5', uptime_ns: '18446744073709551615' }, 'N/A'],
  ] as [ServerStatusResponse, string][])('%j: flows per second', (status, rate) =>
    expect(compact(status)).toEqual([`Flows/s: ${rate}`]),
  );

  test('numbers of nodes are not grouped, and names only follow where there are some', () => {
    expect(compact({ num_connected_nodes: 1000, num_unavailable_nodes: 2000 })?.slice(1)).toEqual([
      'Connected Nodes: 1000/3000',
      'Unavailable Nodes: 2000',
    ]);
    const names = ['\u{1f600}', 'b', '\uffee'];
    expect(compact({ num_unavailable_nodes: 2000, unavailable_nodes: names })?.slice(1)).toEqual([
      'Unavailable Nodes: 2000',
      '  - b',
      '  - \uffee',
      '  - \u{1f600}',
      '  - and 1997 more...',
    ]);
    expect(renderServerStatus({ num_connected_nodes: 1000 }, 'dict')).toContain(
      'NUM CONNECTED NODES: 1000\n',
    );
  });
});

test.each<[Node, string]>([
  [{ uptime_ns: '10400000000', seen_flows: '100' }, '\tUnknown\t10s\t10.00\tN/A\tN/A\t\tN/A'],
  [{ uptime_ns: '10500000000', seen_flows: '11' }, '\tUnknown\t11s\t1.00\tN/A\tN/A\t\tN/A'],
  [{ uptime_ns: '400000000', seen_flows: '100' }, '\tUnknown\tN/A\tN/A\tN/A\tN/A\t\tN/A'],
  [{ uptime_ns: '18446744073709551615' }, '\tUnknown\tN/A\tN/A\tN/A\tN/A\t\tN/A'],
  [{ num_flows: '1', max_flows: '800' }, '\tUnknown\tN/A\tN/A\t1/800 (  0.12%)\tN/A\t\tN/A'],
])('the row of the node %j', (node, row) =>
  expect(nodesTable([node], { isWide: true }).blocks[0]?.lines[0]).toBe(row),
);

test.each([
  [{}, 'UNKNOWN       \n'],
  [{ tls: {} }, 'UNKNOWN        (TLS.ServerName: )\n'],
  [{ name: 'a', address: 'b', tls: { server_name: 'c' } }, 'UNKNOWN      b a (TLS.ServerName: c)\n'],
])('the peer %j', (change, text) => expect(renderPeerChange(change)).toBe(text));
