import { parseAddress } from '../../lib/address.ts';
import { freeAddress, takenAddresses } from '../world/ipam.ts';
import { ApiFailure, type Handlers, ok } from './call.ts';

export const ipamHandlers: Handlers = {
  'POST /ipam': async ({ query }, agent) => {
    const family = query.get('family');
    const owner = query.get('owner') ?? '';
    const { self } = agent.world;
    const given: { ipv4?: string; ipv6?: string } = {};
    await agent.store.update((state) => {
      const ipam = { ...state.ipam };
      for (const [name, cidr] of [
        ['ipv4', self.podCIDR],
        ['ipv6', self.podCIDR6],
      ] as const) {
        if (cidr === undefined || (family !== null && family !== name)) continue;
        const address = freeAddress(cidr, takenAddresses({ ...state, ipam }, agent.world));
        if (!address) throw new ApiFailure(502, `range ${cidr} is full`);
        ipam[address] = owner;
        given[name] = address;
      }
      return { ...state, ipam };
    });
    const addressing = (ip: string, cidr: string | undefined) => ({
      ip,
      cidrs: cidr ? [cidr] : [],
      gateway: ip.includes(':') ? (self.router.ipv6 ?? '') : self.router.ipv4,
    });
    return {
      status: 201,
      body: {
        address: given,
        'host-addressing': {
          ipv4: { enabled: true, ip: self.router.ipv4, 'alloc-range': self.podCIDR },
          ipv6: self.router.ipv6
            ? { enabled: true, ip: self.router.ipv6, 'alloc-range': self.podCIDR6 }
            : { enabled: false },
        },
        ...(given.ipv4 && { ipv4: addressing(given.ipv4, self.podCIDR) }),
        ...(given.ipv6 && { ipv6: addressing(given.ipv6, self.podCIDR6) }),
      },
    };
  },

  'POST /ipam/{ip}': async ({ params: { ip = '' }, query }, agent) => {
    if (!parseAddress(ip)) throw new ApiFailure(400, `invalid IP address: "${ip}"`);
    await agent.store.update((state) => {
      if (takenAddresses(state, agent.world).has(ip))
        throw new ApiFailure(409, `provided IP ${ip} is already allocated`);
      return { ...state, ipam: { ...state.ipam, [ip]: query.get('owner') ?? '' } };
    });
    return ok();
  },

  'DELETE /ipam/{ip}': async ({ params: { ip = '' } }, agent) => {
    if (!parseAddress(ip)) throw new ApiFailure(400, `invalid IP address: "${ip}"`);
    await agent.store.update((state) => {
      if (agent.state.endpoints.some((e) => e.ipv4 === ip || e.ipv6 === ip))
        throw new ApiFailure(500, `IP ${ip} is in use by an endpoint`);
      const { [ip]: owner, ...rest } = state.ipam;
      if (owner === undefined) throw new ApiFailure(404);
      return { ...state, ipam: rest };
    });
    return ok();
  },
};
