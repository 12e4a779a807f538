import type { ServiceSpec } from '../../agent/decode/types.gen.ts';
import { parseAddress } from '../../lib/address.ts';
import type { LabService } from '../state/state.ts';
import { ApiFailure, type Handlers, idOf, ok } from './call.ts';

/** A service as the API shows it. */
export function serviceModel(service: LabService) {
  return { spec: service, status: { realized: service } };
}

export const serviceHandlers: Handlers = {
  'GET /service': (_, agent) => ok(agent.state.services.map(serviceModel)),

  'GET /service/{id}': ({ params }, agent) => {
    const found = agent.state.services.find((service) => service.id === idOf(params.id));
    if (!found) throw new ApiFailure(404);
    return ok(serviceModel(found));
  },

  'PUT /service/{id}': async ({ params, body }, agent) => {
    const service = serviceIn(body as ServiceSpec, idOf(params.id));
    let created = true;
    await agent.store.update((state) => {
      const frontend = addressText(service);
      const clash = state.services.find((one) => addressText(one) === frontend && one.id !== service.id);
      if (clash)
        throw new ApiFailure(460, `service ID ${service.id}: frontend ${frontend} has ID ${clash.id}`);
      const at = state.services.findIndex((one) => one.id === service.id);
      created = at === -1;
      return {
        ...state,
        services: created ? [...state.services, service] : state.services.with(at, service),
      };
    });
    return { status: created ? 201 : 200 };
  },

  'DELETE /service/{id}': async ({ params }, agent) => {
    const id = idOf(params.id);
    await agent.store.update((state) => {
      const left = state.services.filter((service) => service.id !== id);
      if (left.length === state.services.length) throw new ApiFailure(404);
      return { ...state, services: left };
    });
    return ok();
  },
};

function serviceIn(spec: ServiceSpec, id: number): LabService {
  const frontend = spec['frontend-address'];
  if (!frontend.ip || !parseAddress(frontend.ip))
    throw new ApiFailure(460, `invalid IP address "${frontend.ip ?? ''}" of the frontend`);
  const protocol = (frontend.protocol ?? 'tcp').toUpperCase();
  const backends = (spec['backend-addresses'] ?? []).map((backend) => {
    if (!parseAddress(backend.ip))
      throw new ApiFailure(461, `invalid IP address "${backend.ip}" of a backend`);
    return { state: 'active', preferred: true, weight: 100, protocol, ...backend };
  });
  return {
    id,
    'frontend-address': { scope: 'external', ...frontend, protocol },
    'backend-addresses': backends,
    flags: {
      type: 'ClusterIP',
      trafficPolicy: 'Cluster',
      extTrafficPolicy: 'Cluster',
      intTrafficPolicy: 'Cluster',
      ...spec.flags,
    },
  };
}

function addressText({ 'frontend-address': { ip, port, protocol, scope } }: LabService): string {
  return `${ip}:${port}/${protocol}${scope === 'internal' ? '/i' : ''}`;
}
