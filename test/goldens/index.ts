import { agentSuite } from './agent.ts';
import type { GoldenSuite } from './suite.ts';

/** Every recording that is replayed. */
export const SUITES: readonly GoldenSuite[] = [
  agentSuite('agent-1.20.json', {}),
  agentSuite('agent-1.17-policy.json', {}),
];
