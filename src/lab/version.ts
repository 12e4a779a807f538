/** The agents whose API a lab can play; `all` has every path of every one of them. */
export const AGENT_VERSIONS = ['all', '1.20', '1.17', '1.9'] as const;
export type AgentVersion = (typeof AGENT_VERSIONS)[number];

/** What the agent says it is. */
export function agentRelease(version: AgentVersion): string {
  return `${version === 'all' ? '1.20' : version}.0-lab`;
}

/** Whether a part of the API that only some versions have (`x-versions`) is there. */
export function inVersion(versions: readonly string[] | undefined, version: AgentVersion): boolean {
  return versions === undefined || version === 'all' || versions.includes(version);
}
