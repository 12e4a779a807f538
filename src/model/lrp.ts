/** A local redirect policy as lists show it. */
export interface RedirectRow {
  namespace: string;
  name: string;
  frontendType: string;
  service: string;
  mappings: {
    frontend: { ip: string; port: number; protocol: string };
    backends: { ip: string; port: number; pod: string }[];
  }[];
}
