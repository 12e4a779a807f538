import { openMonitor, openShell } from './agent-streams.ts';
import { openBpf } from './bpf.ts';
import { openCompletion } from './completion.ts';
import { openDoctor } from './doctor.ts';
import { openLint, openPolicies, openScenarios, openSettings, openUndo } from './files.ts';
import { openFlowFiles, openGrpc } from './hubble.ts';
import { openKube } from './kube.ts';
import { openLogs } from './logs.ts';
import { openNode } from './node.ts';
import type { Random } from './random.ts';
import { openRecord } from './record.ts';
import { openRest } from './rest.ts';
import { openKvstore } from './store.ts';
import type { OpenTarget } from './target.ts';

/** Every reader that gets inputs, and its share of them. */
export const TARGETS: Readonly<Record<string, { open: OpenTarget; weight: number }>> = {
  rest: { open: openRest, weight: 6 },
  grpc: { open: openGrpc, weight: 5 },
  monitor: { open: openMonitor, weight: 4 },
  shell: { open: openShell, weight: 1 },
  policy: { open: openPolicies, weight: 4 },
  lint: { open: openLint, weight: 2 },
  'flow-file': { open: openFlowFiles, weight: 4 },
  'undo-file': { open: openUndo, weight: 2 },
  scenario: { open: openScenarios, weight: 1 },
  settings: { open: openSettings, weight: 2 },
  'bpf-map': { open: openBpf, weight: 3 },
  kvstore: { open: openKvstore, weight: 2 },
  node: { open: openNode, weight: 2 },
  kube: { open: openKube, weight: 4 },
  logs: { open: openLogs, weight: 2 },
  record: { open: openRecord, weight: 2 },
  completion: { open: openCompletion, weight: 1 },
  doctor: { open: openDoctor, weight: 1 },
};

/** Which of these readers an input is for: the first thing that is drawn for it. */
export function drawTarget(names: readonly string[], random: Random): string {
  const total = names.reduce((sum, name) => sum + (TARGETS[name]?.weight ?? 0), 0);
  let at = random.next() * total;
  for (const name of names) {
    at -= TARGETS[name]?.weight ?? 0;
    if (at < 0) return name;
  }
  throw new RangeError('no target');
}
