import { contains, parseRange } from '../../lib/address.ts';
import { ipcache } from '../agent/ipcache.ts';
import { sameLabels } from '../world/world.ts';
import { ApiFailure, type Handlers, labelsIn, ok } from './call.ts';

export const identityHandlers: Handlers = {
  'GET /identity': ({ body }, agent) => {
    const labels = labelsIn(body);
    const all = [
      ...agent.state.identities,
      ...agent.identities().filter((i) => i.id < 256),
      ...agent.localIdentities(),
    ];
    if (labels.length === 0) return ok(all);
    // Labels name an identity whole: a part of its labels finds nothing.
    const found = agent.identities().filter((identity) => sameLabels(identity.labels, [...labels].sort()));
    if (found.length === 0) throw new ApiFailure(404);
    return ok(found);
  },

  'GET /identity/endpoints': (_, agent) => {
    const counts = new Map<number, number>();
    for (const { identity } of agent.state.endpoints) counts.set(identity, (counts.get(identity) ?? 0) + 1);
    return ok(
      [...counts].map(([id, refCount]) => ({
        identity: agent.identities().find((identity) => identity.id === id) ?? { id, labels: [] },
        refCount,
      })),
    );
  },

  'GET /identity/{id}': ({ params: { id = '' } }, agent) => {
    if (!/^\d+$/.test(id)) throw new ApiFailure(400);
    const found = agent.identities().find((identity) => identity.id === Number(id));
    if (!found) throw new ApiFailure(404);
    return ok(found);
  },

  'GET /ip': ({ query, body }, agent) => {
    const cidr = query.get('cidr');
    const labels = labelsIn(body);
    const wanted = cidr ? parseRange(cidr) : undefined;
    if (cidr && !wanted) throw new ApiFailure(400, `invalid CIDR address: ${cidr}`);
    const identities = new Map(agent.identities().map((identity) => [identity.id, identity.labels]));
    const entries = ipcache(agent).filter((entry) => {
      const prefix = parseRange(entry.cidr);
      if (wanted && !(prefix && contains(wanted, prefix))) return false;
      const have = identities.get(entry.identity) ?? [];
      return labels.every((label) => have.includes(label));
    });
    if (entries.length === 0 && (wanted || labels.length > 0)) throw new ApiFailure(404);
    return ok(entries);
  },
};
