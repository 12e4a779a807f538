/** What the agent drops before anything else looks at a packet. */
export interface PrefilterState {
  revision: number;
  /** Blocks of source addresses. */
  deny: string[];
}
