import type { Flow, GetFlowsResponse } from '../../../model/hubble.gen.ts';
import type { AlikeTraffic } from './alike.ts';
import { type TrafficCounter, timeMsOf } from './counter.ts';

/** What a reader of groups tells: most flows are counted by the number of their group, their ports and their time. */
export function trafficVisitor(counter: TrafficCounter) {
  return {
    flow: (flow: Flow) => counter.add(flow, timeMsOf(flow)),
    other: (message: GetFlowsResponse) => counter.addMessage(message),
    group: (first: Flow) => counter.alike(first),
    member: (
      group: AlikeTraffic,
      from: number | undefined,
      to: number | undefined,
      _uuid: unknown,
      timeMs: number | undefined,
    ) => counter.addAlike(group, from, to, timeMs),
  };
}
