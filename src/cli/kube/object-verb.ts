import type { LISTED } from '../../cluster/kinds.ts';
import { CLUSTER_GLOBALS } from '../flags.ts';
import type { Verb } from '../tree.ts';

/** A verb that lists the objects of one kind of a cluster. */
export function objectVerb(about: string, kind: keyof typeof LISTED): Verb {
  return {
    about,
    aliases: ['ls'],
    asks: 'cluster',
    globals: CLUSTER_GLOBALS,
    load: async () => (await import('./object-list.ts')).objectList(kind),
  };
}
