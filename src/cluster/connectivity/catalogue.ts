import { once } from '../../lib/once.ts';

/** What a test expects of an action at its source and at its destination, by the names of expectation.ts. */
export type Expected = readonly [egress: string, ingress: string];

/** A test of the catalogue. */
export interface CatalogueRow {
  name: string;
  suite: string;
  /** A second test of this ending runs the same with other ports. */
  also?: string;
  /** Versions of the agents that it is for, as `>=1.17.0 <1.18.0`. */
  versions?: string;
  /** What else has to be so, in the words of the source. */
  conditions?: readonly string[];
  /** Features, as `L7Proxy`, `not Ztunnel`, `EncryptionPod=ipsec`. */
  needs?: readonly string[];
  policies?: readonly string[];
  scenarios: readonly string[];
  expectations: readonly Expected[];
}

/** The whole catalogue, in its order. */
export const loadCatalogue = once(async (): Promise<readonly CatalogueRow[]> => {
  const { default: json } = await import('../../../schemas/connectivity/catalogue.json', {
    with: { type: 'json' },
  });
  return json.rows as unknown as CatalogueRow[];
});
