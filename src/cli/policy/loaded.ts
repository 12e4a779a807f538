import type { PolicyState } from '../../policy/evaluate/decide/cluster-state.ts';
import type { Settings } from '../../policy/evaluate/decide/settings.ts';
import type { SourcedRule } from '../../policy/rule.ts';

/** What the evaluator needs. */
export interface Loaded {
  rules: SourcedRule[];
  state: PolicyState;
  settings: Partial<Settings>;
}
