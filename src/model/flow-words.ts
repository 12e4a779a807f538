/** Types of events, by the names that --type takes. */
export const EVENT_TYPES: Readonly<Record<string, number>> = {
  drop: 1,
  debug: 2,
  capture: 3,
  trace: 4,
  'policy-verdict': 5,
  'trace-sock': 7,
  l7: 129,
  agent: 130,
};

/** Subtypes of the type `agent`, by number. */
export const AGENT_SUBTYPES = [
  'unspecified',
  'message',
  'agent-started',
  'endpoint-regenerate-success',
  'endpoint-regenerate-failure',
  'policy-updated',
  'policy-deleted',
  'endpoint-created',
  'endpoint-deleted',
  'ipcache-upserted',
  'ipcache-deleted',
];

/** TCP flags that a flow may carry. */
export const TCP_FLAGS = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR', 'NS'] as const;
