import { freshPods, isDone, openPods } from '../../cluster/rollout.ts';
import type { Rollout } from '../../model/cluster.ts';
import { humanAge } from '../text/duration.ts';
import { sanitizeCell } from '../text/sanitize.ts';
import { LIST_TABLE, tabulate } from '../text/table.ts';

/** How many of the pods that do not count are named: evicted ones may be many. */
const MAX_LEFT_OUT = 5;

/** A pod that a roll-out waits for, and what is known of it. */
export interface Held {
  pod: string;
  node: string;
  trouble: string;
  event: { at: string | undefined; reason: string; message: string } | undefined;
  /** The container whose log it is. */
  container: string;
  log: readonly string[];
  /** What could not be read of it. */
  notes: readonly string[];
}

/** Nodes that keep pods away though their agent is ready, or why that is not known. */
export interface LeftTaints {
  nodes?: readonly string[];
  why?: string;
}

/** How far the workloads of Cilium came, and what they wait for. */
export function renderRollouts(
  rollouts: readonly Rollout[],
  held: ReadonlyMap<Rollout, Held>,
  taints: LeftTaints,
  nowMs: number,
): string {
  const parts = rollouts.map((rollout) => renderRollout(rollout, held.get(rollout), nowMs));
  const left = (taints.nodes ?? []).map(
    (node) =>
      `Node ${sanitizeCell(node)} keeps the taint of an agent that is not ready, and its agent is ready.\n`,
  );
  return `${parts.join('')}${left.join('')}`;
}

function renderRollout(rollout: Rollout, held: Held | undefined, nowMs: number): string {
  const { type, name, desired, image, isObserved, pause, leftOut } = rollout;
  const done = isDone(rollout);
  const fresh = freshPods(rollout).length;
  const lines = [
    `${type} ${sanitizeCell(name)}: ${fresh} of ${desired} ${desired === 1 ? 'pod' : 'pods'} new and ready (${sanitizeCell(image)})`,
  ];
  if (done) return `${lines[0]}\n`;
  if (!isObserved) lines.push('  its controller has not seen the last change yet');
  if (pause !== undefined) lines.push(`  ${pause}`);
  for (const { name: pod, node, why } of leftOut.slice(0, MAX_LEFT_OUT))
    lines.push(
      `  not counted: ${sanitizeCell(node === '' ? pod : `${pod} on ${node}`)}: ${sanitizeCell(why)}`,
    );
  if (leftOut.length > MAX_LEFT_OUT)
    lines.push(
      `  not counted: ${leftOut.length - MAX_LEFT_OUT} more pods that have ended or are being deleted`,
    );
  const rows = openPods(rollout).map((pod) =>
    [
      pod.node === '' ? '-' : pod.node,
      pod.name,
      shortImage(pod.image),
      pod.isNew === undefined ? '?' : pod.isNew ? 'new' : 'old',
      humanAge(pod.createdAt, nowMs),
      pod.trouble ?? 'ready',
    ]
      .map(sanitizeCell)
      .join('\t'),
  );
  const table =
    rows.length > 0
      ? tabulate(`NODE\tPOD\tIMAGE\tTEMPLATE\tAGE\tSTATE\n${rows.join('\n')}\n`, LIST_TABLE)
      : '';
  return `${lines.join('\n')}\n${indent(table)}${held ? renderHeld(held, nowMs) : ''}`;
}

function renderHeld({ pod, node, trouble, event, container, log, notes }: Held, nowMs: number): string {
  const at = node === '' ? '' : ` on ${node}`;
  const lines = [`Held up by ${pod}${at}: ${trouble}`];
  if (event) {
    const age = event.at === undefined ? '' : `, ${humanAge(event.at, nowMs)} ago`;
    lines.push(`  event${age}: ${event.reason}: ${event.message}`);
  }
  if (log.length > 0)
    lines.push(`  the end of the log of ${container}:`, ...log.map((line) => `    ${line}`));
  lines.push(...notes.map((note) => `  ${note}`));
  return `${lines.map((line) => `  ${sanitizeCell(line)}`).join('\n')}\n`;
}

/** The name of an image without its registry and digest. */
function shortImage(image: string): string {
  return image.replace(/@.*$/s, '').replace(/^.*\//s, '');
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}

/** The same for programs. */
export function rolloutDocument(
  rollouts: readonly Rollout[],
  held: ReadonlyMap<Rollout, Held>,
  taints: LeftTaints,
): object {
  return {
    workloads: rollouts.map((rollout) => ({
      type: rollout.type,
      name: rollout.name,
      desired: rollout.desired,
      image: rollout.image,
      done: isDone(rollout),
      pods: rollout.pods,
      leftOut: rollout.leftOut,
      heldUpBy: held.get(rollout) ?? null,
    })),
    taintsLeft: taints.nodes ?? null,
  };
}
