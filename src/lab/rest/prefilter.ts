import { parsePrefix } from '../../lib/address.ts';
import type { LabState } from '../state/state.ts';
import { type Answer, ApiFailure, type Handler, type Handlers, ok } from './call.ts';

interface Spec {
  deny?: string[];
  revision?: number;
}

function answer({ prefilter: { deny, revision } }: LabState): Answer {
  return ok({ spec: { deny, revision }, status: { realized: { deny, revision } } });
}

function change(edit: (have: readonly string[], given: readonly string[]) => string[]): Handler {
  return async ({ body }, agent) => {
    const { deny = [], revision = 0 } = body as Spec;
    const after = await agent.store.update((state) => {
      const { prefilter } = enabled(state);
      for (const cidr of deny)
        if (!parsePrefix(cidr)) throw new ApiFailure(461, `invalid CIDR address: ${cidr}`);
      if (revision !== 0 && revision !== prefilter.revision)
        throw new ApiFailure(461, `Latest revision is ${prefilter.revision} not ${revision}`);
      const next = edit(prefilter.deny, deny);
      return { ...state, prefilter: { ...prefilter, deny: next, revision: prefilter.revision + 1 } };
    });
    return answer(after);
  };
}

function enabled(state: LabState): LabState {
  if (!state.prefilter.enabled) throw new ApiFailure(500, 'prefilter is not enabled in daemon');
  return state;
}

export const prefilterHandlers: Handlers = {
  'GET /prefilter': (_, agent) => answer(enabled(agent.state)),
  'PATCH /prefilter': change((have, given) => [...new Set([...have, ...given])]),
  'DELETE /prefilter': change((have, given) => {
    const missing = given.find((cidr) => !have.includes(cidr));
    if (missing !== undefined) throw new ApiFailure(461, `No map entry for ${missing}`);
    return have.filter((cidr) => !given.includes(cidr));
  }),
};
