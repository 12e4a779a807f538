import type { Verb } from '../tree.ts';
import { EVALUATE_VERBS } from './evaluate.ts';

/** `cilium policy …` */
export const POLICY: Verb = {
  about: 'Manage security policies',
  verbs: {
    ...EVALUATE_VERBS,
  },
};
