import type { DNSLookup } from '../../agent/decode/types.gen.ts';
import { type AddressRange, contains, parseAddress, parseRange } from '../../lib/address.ts';
import { isNamePattern, nameExpression, namePattern } from '../policy/dns-pattern.ts';
import { fqdnsOf } from '../policy/rules.ts';
import { ApiFailure, type Call, type Handlers, ok } from './call.ts';
import { findEndpoint } from './endpoint.ts';

/** Which lookups a call is about. */
function filterOf(query: Call['query']): (lookup: DNSLookup) => boolean {
  const pattern = query.get('matchpattern');
  if (pattern && !isNamePattern(pattern))
    throw new ApiFailure(400, `Invalid characters in MatchPattern: "${pattern}"`);
  const name = pattern ? nameExpression(pattern) : undefined;
  const cidr = query.get('cidr');
  const prefix = cidr ? parseRange(cidr) : undefined;
  if (cidr && !prefix) throw new ApiFailure(400, `invalid CIDR address: ${cidr}`);
  const source = query.get('source');
  if (source && source !== 'lookup' && source !== 'connection')
    throw new ApiFailure(400, `unknown source "${source}": expected lookup or connection`);
  return (lookup) =>
    (!name || name.test(lookup.fqdn ?? '')) &&
    (!prefix || (lookup.ips ?? []).some((ip) => within(prefix, ip))) &&
    (!source || lookup.source === source);
}

function within(prefix: AddressRange, ip: string): boolean {
  const address = parseAddress(ip);
  return address !== undefined && contains(prefix, address);
}

export const fqdnHandlers: Handlers = {
  'GET /fqdn/cache': ({ query }, agent) => ok(agent.state.dns.filter(filterOf(query))),

  'GET /fqdn/cache/{id}': ({ params, query }, agent) => {
    const { id } = findEndpoint(params.id, agent);
    return ok(agent.state.dns.filter((lookup) => lookup['endpoint-id'] === id).filter(filterOf(query)));
  },

  'DELETE /fqdn/cache': async ({ query }, agent) => {
    const gone = filterOf(query);
    await agent.store.update((state) => ({ ...state, dns: state.dns.filter((lookup) => !gone(lookup)) }));
    return ok();
  },

  'GET /fqdn/names': (_, agent) =>
    ok({
      DNSPollNames: null,
      FQDNPolicySelectors: fqdnsOf(agent.state.policy.rules).map(({ matchName, matchPattern }) => ({
        regexString: namePattern(matchName || matchPattern),
        selectorString: `MatchName: ${matchName}, MatchPattern: ${matchPattern}`,
      })),
    }),
};
