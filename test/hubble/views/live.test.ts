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
