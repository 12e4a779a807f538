import { describe, expect, test } from '@jest/globals';
import { LiveState, SCROLLBACK } from '../../../src/hubble/views/live.ts';

const flow = (n: number, verdict: 'FORWARDED' | 'DROPPED' = 'FORWARDED') => ({
  flow: { uuid: String(n), verdict, source: { pod_name: `pod-${n}`, namespace: 'ns' } },
});

describe('the state of the screen', () => {
  test('counts every flow and keeps a bounded list', () => {
    const state = new LiveState();
    for (let i = 0; i < 3 * SCROLLBACK; i++)
      state.add(flow(i, i % 10 === 0 ? 'DROPPED' : 'FORWARDED'), 1000 + i);
    expect(state.total).toBe(3 * SCROLLBACK);
    expect(state.drops).toBe((3 * SCROLLBACK) / 10);
    expect(state.visible.length).toBeLessThanOrEqual(SCROLLBACK * 1.2);
    expect(state.visible.at(-1)?.flow.uuid).toBe(String(3 * SCROLLBACK - 1));
  });

  test('holds still when paused and says what it hides', () => {
    const state = new LiveState();
    state.add(flow(1), 1000);
    state.paused = true;
    state.add(flow(2), 1000);
    state.add(flow(3), 1000);
    expect(state.visible.map(({ flow: f }) => f.uuid)).toEqual(['1']);
    expect(state.hidden).toBe(2);
    state.paused = false;
    expect(state.visible.length).toBe(3);
  });

  test('filters what is there and what comes', () => {
    const state = new LiveState();
    for (let i = 0; i < 4; i++) state.add(flow(i, i % 2 === 0 ? 'DROPPED' : 'FORWARDED'), 1000);
    state.dropsOnly = true;
    state.add(flow(4, 'DROPPED'), 1000);
    state.add(flow(5), 1000);
    expect(state.visible.map(({ flow: f }) => f.uuid)).toEqual(['0', '2', '4']);
    state.filter = (f) => f.uuid === '4';
    expect(state.visible.length).toBe(1);
  });

  test('its rate is that of full seconds', () => {
    const state = new LiveState();
    for (let second = 0; second < 10; second++)
      for (let i = 0; i < 7; i++) state.add(flow(i), 1_000_000 + second * 1000);
    expect(state.rate).toBe(7);
  });
});

const API = { destination: { pod_name: 'api', namespace: 'ns' } };

describe('who talks to whom', () => {
  const at = (second: number, verdict: 'FORWARDED' | 'DROPPED' = 'FORWARDED') => ({
    flow: {
      time: new Date(1_000_000_000_000 + second * 1000).toISOString(),
      verdict,
      source: { pod_name: 'web', namespace: 'ns' },
      destination: { pod_name: 'api', namespace: 'ns' },
    },
  });

  test('is counted of every flow, and made anew at most each second', () => {
    const state = new LiveState();
    state.add(at(0), 1000);
    expect(state.traffic.flows).toBe(1);
    state.add(at(0), 1900);
    expect(state.traffic.flows).toBe(1);
    state.tick(2000);
    expect(state.traffic.flows).toBe(2);
    state.add(at(0), 2100);
    state.freshen();
    expect(state.traffic.flows).toBe(3);
    expect(state.traffic).toBe(state.traffic);
  });

  test('holds still while paused', () => {
    const state = new LiveState();
    state.add(at(0), 1000);
    state.paused = true;
    state.add(at(0), 9000);
    state.freshen();
    expect(state.traffic.flows).toBe(1);
    state.paused = false;
    expect(state.traffic.flows).toBe(2);
  });

  test('and the list can be cut to a window of time', () => {
    const state = new LiveState();
    for (const second of [0, 1, 2, 3]) state.add(at(second), 1000);
    state.add({ flow: { verdict: 'FORWARDED' } }, 1000);
    state.window = { fromMs: 1_000_000_001_000, toMs: 1_000_000_003_000 };
    expect(state.visible.map(({ timeMs }) => timeMs)).toEqual([1_000_000_001_000, 1_000_000_002_000]);
    state.add(at(2), 1000);
    expect(state.visible.length).toBe(3);
    state.window = undefined;
    expect(state.visible.length).toBe(6);
  });

  test('a window has whole pieces of time, also once they are longer', () => {
    const state = new LiveState();
    state.add(at(0), 1000);
    state.window = { fromMs: 1_000_000_000_100, toMs: 1_000_000_000_200 };
    state.add(at(100), 3000);
    const { widthMs } = state.traffic.timeline;
    expect(widthMs).toBe(1600);
    expect([(state.window?.fromMs ?? 1) % widthMs, (state.window?.toMs ?? 1) % widthMs]).toEqual([0, 0]);
    expect(state.visible.length).toBe(1);
  });

  test('keeps a bounded number of ends, and leaves no flow out', () => {
    const state = new LiveState();
    const pods = 2_000;
    for (let i = 0; i < 2 * pods; i++)
      state.add({ flow: { source: { namespace: 'ns', pod_name: `pod-${i % pods}` }, ...API } }, 1000);
    const { nodes, edges, flows } = state.traffic;
    expect([flows, edges.reduce((sum, edge) => sum + edge.flows, 0)]).toEqual([2 * pods, 2 * pods]);
    expect(nodes.length).toBeLessThanOrEqual(302);
    state.add({ flow: API }, 3000);
    // Folding takes a while, so that it is done less often.
    expect(state.traffic.flows).toBe(2 * pods);
    state.tick(6000);
    expect(state.traffic.flows).toBe(2 * pods + 1);
  });

  test('counts what Hubble lost', () => {
    const state = new LiveState();
    state.add({ lost_events: { num_events_lost: '7' } }, 1000);
    expect([state.lost, state.traffic.lost]).toEqual([7n, 7]);
  });
});
