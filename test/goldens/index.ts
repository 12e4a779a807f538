import { agentSuite } from './agent.ts';
import { monitorSuite } from './monitor.ts';
import type { GoldenSuite } from './suite.ts';

const RANDOM_LABELS = 'the reference prints labels in the order of a Go map, ours are sorted';

/** Every recording that is replayed. */
export const SUITES: readonly GoldenSuite[] = [
  agentSuite('agent-1.20.json', {}),
  agentSuite('agent-1.17-policy.json', {
    'endpoint labels 922 -a k8s:tier=front': RANDOM_LABELS,
    'endpoint labels 922 -d k8s:tier': RANDOM_LABELS,
    'endpoint labels 922': RANDOM_LABELS,
  }),
  monitorSuite('monitor-1.20.json', {
    'monitor --type bogus': 'a wrong flag prints one message on stderr, nothing on stdout',
    'monitor --from x': 'a wrong flag prints one message on stderr, nothing on stdout',
  }),
];
