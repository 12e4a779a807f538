import { type AlikeTraffic, TRAFFIC_FIELDS } from '../../hubble/views/traffic/alike.ts';
import type { TrafficCounter } from '../../hubble/views/traffic/counter.ts';
import { ALIKE_FIELDS } from '../../policy/evaluate/decide/connections.ts';
import type { AlikeFlows, FlowTable, Found } from '../../policy/reports/flow-table.ts';
import type { FlowTaker } from './flows.ts';

/** Flows that are alike to policy and to a map. */
interface AlikeToBoth {
  policy: AlikeFlows;
  traffic: AlikeTraffic<Found>;
}

/** Adds flows to a table, and to a map whose edges know where the table counts their flows. */
export function mapTaker(table: FlowTable, counter: TrafficCounter<Found>): FlowTaker<AlikeToBoth> {
  return {
    fields: [...new Set([...ALIKE_FIELDS, ...TRAFFIC_FIELDS])],
    isTimed: true,
    flow: (flow) => counter.add(flow, Date.parse(flow.time ?? '') || undefined, table.add(flow)),
    other: ({ lost_events: lost }) => counter.addLost(Number(lost?.num_events_lost ?? 0)),
    group: (first) => ({ policy: table.alike(first), traffic: counter.alike(first) }),
    member: ({ policy, traffic }, source, destination, uuid, timeMs) =>
      counter.addAlike(
        traffic,
        source,
        destination,
        timeMs,
        table.addAlike(policy, source, destination, uuid),
      ),
  };
}
