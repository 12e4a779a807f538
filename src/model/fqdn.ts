/** A name that an endpoint has resolved. */
export interface LookupRow {
  endpoint: number;
  /** `lookup` or `connection`; empty before 1.17. */
  source: string;
  fqdn: string;
  /** Seconds. */
  ttl: number;
  /** As the agent writes it. */
  expiration: string;
  ips: string[];
}
