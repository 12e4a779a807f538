import type { ServiceAddress, ServiceRow } from '../../model/service.ts';
import { Reader } from './reader.ts';
import type { BackendAddress, FrontendAddress, Service } from './types.gen.ts';

/** What lists show of a service; undefined when the agent has not realized it. */
function decodeService(service: Reader<Service>): ServiceRow | undefined {
  const realized = service.at('status').at('realized');
  if (!realized.present) return undefined;
  const flags = service.at('spec').at('flags');
  return {
    id: realized.integer('id'),
    frontend: frontendOf(realized.at('frontend-address')),
    type: flags.text('type'),
    cluster: flags.text('cluster'),
    backends: realized
      .at('backend-addresses')
      .items()
      .map((backend) => ({
        address: backendOf(backend),
        state: backend.text('state'),
        preferred: backend.flag('preferred'),
      })),
  };
}

function frontendOf(address: Reader<FrontendAddress>): ServiceAddress {
  return {
    ip: address.text('ip'),
    port: address.integer('port'),
    protocol: address.text('protocol').toUpperCase(),
    internal: address.text('scope') === 'internal',
  };
}

function backendOf(address: Reader<BackendAddress>): ServiceAddress {
  return {
    ip: address.text('ip'),
    port: address.integer('port'),
    protocol: address.text('protocol').toUpperCase(),
    internal: false,
  };
}

/** The services of GET /service by their number, and how many the agent has not realized. */
export function decodeServices(answer: unknown): { services: ServiceRow[]; unrealized: number } {
  const decoded = new Reader<Service[]>('GET /service', answer).items().map(decodeService);
  const services = decoded.filter((service) => service !== undefined);
  return {
    services: withoutStrayProtocols(services).toSorted((a, b) => a.id - b.id),
    unrealized: decoded.length - services.length,
  };
}

/**
 * Agents before 1.20 tell no protocols apart: their backends carry none, and what a frontend then says of its protocol
 * was never part of the address as it is shown.
 */
function withoutStrayProtocols(services: readonly ServiceRow[]): ServiceRow[] {
  const old = services.some((service) => service.backends.some(({ address }) => address.protocol === ''));
  if (!old) return [...services];
  return services.map((service) => ({ ...service, frontend: { ...service.frontend, protocol: '' } }));
}
