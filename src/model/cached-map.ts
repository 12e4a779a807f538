/** A map of the datapath as the agent knows it. */
export interface CachedMapRow {
  path: string;
  /** Undefined when the agent keeps no cache of the map. */
  cache: { key: string; value: string; state: string; error: string }[] | undefined;
}

/** A change of a map. */
export interface MapEventRow {
  key: string;
  value: string;
  timestamp: string;
  action: string;
  desiredAction: string;
  lastError: string;
}
