import { formatLabel } from '../../model/label.ts';

import { type Answer, decideDirection } from '../evaluate/decide/decide.ts';
import type { PolicyEngine } from '../evaluate/decide/engine.ts';
import type { Identity } from '../evaluate/selectors/identities.ts';
import { portText } from './replay.ts';

/** Traffic of pods of an identity that two releases decide otherwise. */
export interface ReleaseChange {
  /** The pods that it is about, by their labels. */
  subject: string;
  direction: 'ingress' | 'egress';
  before: Answer;
  after: Answer;
  /** How many peers and ports; and the first of them. */
  count: number;
  example: string;
}

/** What was compared, and what is decided otherwise. */
export interface ReleaseComparison {
  compared: number;
  /** There was more than is compared. */
  isPart: boolean;
  changes: ReleaseChange[];
}

const MOST = 200_000;
const OTHER_PORT = 65_001;

/** Decides traffic between all that the cluster has by two releases: each port that policy names, and one that it does not. */
export function compareByRelease(before: PolicyEngine, after: PolicyEngine): ReleaseComparison {
  const ids = new Set(before.endpoints.map(({ identity }) => identity));
  const subjects = [...before.identities.all.values()].filter(({ id }) => ids.has(id));
  const groups = new Map<string, ReleaseChange>();
  let compared = 0;
  for (const subject of subjects) {
    const other = after.identities.get(subject.id);
    if (!other) continue;
    const ports = portsOf(subject.id, before, after);
    for (const peer of before.identities.all.values()) {
      const otherPeer = after.identities.get(peer.id);
      if (!otherPeer) continue;
      for (const direction of ['ingress', 'egress'] as const)
        for (const traffic of ports) {
          if (compared >= MOST) return { compared, isPart: true, changes: [...groups.values()] };
          compared++;
          const was = decideDirection(before, direction, subject, peer, traffic).answer;
          const is = decideDirection(after, direction, other, otherPeer, traffic).answer;
          if (was === is) continue;
          const key = `${subject.id} ${direction} ${was} ${is}`;
          const example = `${nameOf(peer)} ${portText(traffic.protocol, traffic.port)}`;
          const group = groups.get(key);
          if (group) group.count++;
          else
            groups.set(key, {
              subject: nameOf(subject),
              direction,
              before: was,
              after: is,
              count: 1,
              example,
            });
        }
    }
  }
  return { compared, isPart: false, changes: [...groups.values()] };
}

/** Ports that the maps of an identity name, by protocol, and one that none names. */
function portsOf(id: number, ...engines: readonly PolicyEngine[]): { protocol: number; port: number }[] {
  const found = new Map([[`6 ${OTHER_PORT}`, { protocol: 6, port: OTHER_PORT }]]);
  for (const engine of engines)
    for (const endpoint of engine.endpoints) {
      if (endpoint.identity !== id) continue;
      for (const { protocol, port, prefix } of engine.entriesOf(endpoint))
        if (prefix > 0) found.set(`${protocol} ${port}`, { protocol, port });
    }
  return [...found.values()];
}

function nameOf({ id, labels }: Identity): string {
  const own = labels.map(formatLabel).filter((label) => !/io\.cilium|io\.kubernetes/.test(label));
  return (own.length > 0 ? own : labels.map(formatLabel)).join(',') || String(id);
}
