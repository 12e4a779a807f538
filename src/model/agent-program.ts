/** What the agent's own command line is called: up to 1.14 the second, from 1.15 on both. */
export const AGENT_PROGRAMS = ['cilium-dbg', 'cilium'] as const;
