/** A security identity as lists show it. */
export interface IdentityRow {
  id: number;
  labels: string[];
  /** How many local endpoints have it; only `--endpoints` knows. */
  refCount?: number;
  /** `namespace/name` of the local pods that have it; only with `--pods`. */
  pods?: string[];
}

/** An entry of the ipcache as lists show it. */
export interface IpRow {
  cidr: string;
  identity: number;
  /** What stands for the identity: its labels, or its number. */
  names: string[];
  source: string;
  host: string;
  encryptKey: number;
  pod: string;
  namespace: string;
}
