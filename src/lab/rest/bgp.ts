import type { BgpPath } from '../../agent/decode/types.gen.ts';
import type { Agent } from '../agent/agent.ts';
import { ApiFailure, type Handlers, ok } from './call.ts';

function bgpOf(agent: Agent) {
  const { bgp } = agent.world.scenario;
  if (!bgp) throw new ApiFailure(501, 'BGP control plane is disabled');
  return bgp;
}

function inFamily(path: BgpPath, afi: string | null, safi: string | null): boolean {
  return path.family === undefined || (path.family.afi === afi && path.family.safi === safi);
}

function ofRouter(asn: number | undefined, wanted: string | null): boolean {
  return wanted === null || wanted === '0' || asn === undefined || asn === Number(wanted);
}

export const bgpHandlers: Handlers = {
  'GET /bgp/peers': (_, agent) => ok(bgpOf(agent).peers ?? []),

  'GET /bgp/routes': ({ query }, agent) => {
    const neighbor = query.get('neighbor');
    const routes = (bgpOf(agent).routes ?? [])
      .filter((route) => ofRouter(route['router-asn'], query.get('router_asn')))
      .filter((route) => !neighbor || route.neighbor === undefined || route.neighbor === neighbor)
      .map((route) => ({
        ...route,
        paths: (route.paths ?? []).filter((path) => inFamily(path, query.get('afi'), query.get('safi'))),
      }))
      .filter((route) => route.paths.length > 0);
    return ok(routes);
  },

  'GET /bgp/route-policies': ({ query }, agent) =>
    ok((bgpOf(agent).routePolicies ?? []).filter((p) => ofRouter(p['router-asn'], query.get('router_asn')))),
};
