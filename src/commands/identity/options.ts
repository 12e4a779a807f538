import type { ClusterListFlags } from '../../cli/kube/target.ts';
import type { ListFlags } from '../../cli/list.ts';

/** Flags of `identity list`. */
export interface IdentityListOptions extends ListFlags, ClusterListFlags {
  unused?: boolean;
  endpoints?: boolean;
  pods?: boolean;
}
