/** A metric of the agent at one moment. */
export interface Metric {
  name: string;
  labels: readonly (readonly [name: string, value: string])[];
  value: number;
  /** As the agent sent it. */
  raw: unknown;
}
