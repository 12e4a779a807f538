import { describe, expect, test } from '@jest/globals';
import { Collapser, connectionKey } from '../../../src/hubble/views/collapse.ts';
import type { Flow } from '../../../src/model/hubble.gen.ts';
import { fixtureText } from '../../helpers/recordings.ts';

const FLOWS = fixtureText('recordings/flows-1.20.jsonl')
  .trim()
  .split('\n')
  .map((line) => (JSON.parse(line) as { flow: Flow }).flow)
  .filter((flow) => flow !== undefined);

describe('connections', () => {
  test('hold every flow once, both directions together', () => {
    const collapser = new Collapser();
    FLOWS.forEach((flow, i) => void collapser.add(flow, i));
    const connections = [...collapser.rest()];
    expect(connections.reduce((n, c) => n + c.forward + c.reply, 0)).toBe(FLOWS.length);
    expect(new Set(connections.map(({ key }) => key)).size).toBe(connections.length);
    expect(connections.some(({ forward, reply }) => forward > 0 && reply > 0)).toBe(true);
    for (const { opening, reply, forward } of connections)
      if (forward > 0 && reply > 0) expect(opening.is_reply).not.toBe(true);
  });

  test('make room when there are too many, quietest first', () => {
    const collapser = new Collapser(2);
    const flow = (port: number): Flow => ({
      IP: { source: '10.0.0.1', destination: '10.0.0.2' },
      l4: { TCP: { source_port: port, destination_port: 80 } },
    });
    expect(collapser.add(flow(1), 1)).toBeUndefined();
    expect(collapser.add(flow(2), 2)).toBeUndefined();
    expect(collapser.add(flow(1), 3)).toBeUndefined();
    expect(collapser.add(flow(3), 4)?.key).toBe(connectionKey(flow(2)));
    expect([...collapser.quiet(4)].map(({ key }) => key)).toEqual([connectionKey(flow(1))]);
  });
});
