import { compareNatural } from '../lib/order.ts';
import type { Rollout, RolloutPod } from '../model/cluster.ts';

/** The pods that are of the newest template and ready. Without knowledge of templates, those with the template's image. */
export function freshPods({ pods, image }: Rollout): RolloutPod[] {
  return pods.filter((pod) => isFresh(pod, image) && pod.trouble === undefined);
}

function isFresh({ isNew, image }: RolloutPod, wanted: string): boolean {
  return isNew ?? image === wanted;
}

/** Whether every pod is there, new, and ready. */
export function isDone(rollout: Rollout): boolean {
  const { isObserved, desired, pods } = rollout;
  const fresh = freshPods(rollout).length;
  return isObserved && fresh >= desired && fresh === pods.length;
}

/** The pods that keep a roll-out from its end, by node: those that are old, and those that are not ready. */
export function openPods(rollout: Rollout): RolloutPod[] {
  const fresh = new Set(freshPods(rollout));
  return rollout.pods
    .filter((pod) => !fresh.has(pod))
    .toSorted((a, b) => compareNatural(a.node, b.node) || compareNatural(a.name, b.name));
}

/** The pod that a roll-out waits for: of those that are not ready the oldest, new ones first. */
export function blockingPod({ pods, image }: Rollout): RolloutPod | undefined {
  const [first] = pods
    .filter(({ trouble }) => trouble !== undefined)
    .toSorted(
      (a, b) =>
        Number(isFresh(b, image)) - Number(isFresh(a, image)) ||
        (a.createdAt < b.createdAt ? -1 : a.createdAt > b.createdAt ? 1 : 0),
    );
  return first;
}
