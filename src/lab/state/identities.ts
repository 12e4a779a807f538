import { RESERVED_IDS, reservedLabels } from '../../model/reserved-identity.ts';
import type { LabIdentity } from './state.ts';

/** Identities that mean the same in every cluster. */
export const RESERVED: readonly LabIdentity[] = Object.entries(RESERVED_IDS).map(([name, id]) => ({
  id,
  labels: reservedLabels(name),
}));

/** Identities from here on belong to prefixes and mean something on this node only. */
export const FIRST_LOCAL_IDENTITY = 16_777_217;
