import { openMonitor, openShell } from './agent-streams.ts';
import { openBpf } from './bpf.ts';
import { openLint, openPolicies, openScenarios, openSettings, openUndo } from './files.ts';
import { openFlowFiles, openGrpc } from './hubble.ts';
import { openKube } from './kube.ts';
import { openNode } from './node.ts';
import { openRest } from './rest.ts';
import { openKvstore } from './store.ts';
import type { OpenTarget } from './target.ts';

/** Every reader that gets inputs. */
export const TARGETS: Readonly<Record<string, OpenTarget>> = {
  rest: openRest,
  grpc: openGrpc,
  monitor: openMonitor,
  shell: openShell,
  policy: openPolicies,
  lint: openLint,
  'flow-file': openFlowFiles,
  'undo-file': openUndo,
  scenario: openScenarios,
  settings: openSettings,
  'bpf-map': openBpf,
  kvstore: openKvstore,
  node: openNode,
  kube: openKube,
};
