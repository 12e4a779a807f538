import { UserError } from '../../errors.ts';
import type { ServiceAddress, ServiceRow } from '../../model/service.ts';
import { type AgentClient, ApiError, payloadOf } from '../client.ts';
import { Answer, listAnswer } from './answer.ts';
import type { Reader } from './reader.ts';
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

/** The services by their number, and how many the agent has not realized. */
export interface ServiceList {
  services: ServiceRow[];
  unrealized: number;
}

/** The services of the node, in the agent's order as a document and by their number as rows. */
export function listServices(
  agent: AgentClient,
  options: { timeoutMs?: number } = {},
): Promise<Answer<ServiceList>> {
  return listAnswer(agent.get('/service', options), 'Service[]', decodeServices);
}

/** One service; `picked` when it was picked from the list of all. */
export interface OneService {
  services: ServiceRow[];
  picked: boolean;
}

/** Agents that no longer answer for one service (from 1.18 on) still list all of them: the one is picked from the list. */
export async function readService(agent: AgentClient, id: number): Promise<Answer<OneService>> {
  let picked = false;
  const service = await agent.get('/service/{id}', { path: { id } }).catch(async (error: unknown) => {
    if (!(error instanceof ApiError && error.isUnknownPath)) throw error;
    const all = (await agent.get('/service')).items();
    const found = all.find(
      (each) => each.at('status').at('realized').integer('id') === id || each.at('spec').integer('id') === id,
    );
    if (!found) throw new UserError('the agent has no service of this number');
    picked = true;
    return found;
  });
  service.need('status').need('realized').fields();
  return new Answer(service.document, 'Service', () => ({ services: rowsOf([service]), picked }));
}

/** What the agent has realized of a service, to be sent back with a change. */
export interface RealizedService {
  spec: Record<string, unknown>;
  flags: Record<string, unknown>;
  backends: number;
}

/** Undefined when the agent has no service of this number. */
export async function readRealizedService(
  agent: AgentClient,
  id: number,
): Promise<RealizedService | undefined> {
  const service = await agent.get('/service/{id}', { path: { id } }).catch((error: unknown) => {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  });
  const realized = service?.need('status').need('realized');
  return (
    realized && {
      spec: realized.fields(),
      flags: realized.at('flags').fields(),
      backends: realized.at('backend-addresses').items().length,
    }
  );
}

/** Makes or changes a service. */
export async function putService(agent: AgentClient, id: number, spec: object): Promise<'added' | 'updated'> {
  const request = agent.request('PUT', '/service/{id}', { path: { id }, body: spec });
  const { status, body } = await agent.http.request(request);
  if (status >= 300) serviceApiGone(new ApiError('PUT', '/service/{id}', status, payloadOf(body.toString())));
  return status === 201 ? 'added' : 'updated';
}

/** Removes a service. */
export async function deleteService(agent: AgentClient, id: number): Promise<void> {
  await agent.delete('/service/{id}', { path: { id } }).catch(serviceApiGone);
}

/** Says what to do when the agent has no such call any more; other errors pass. */
function serviceApiGone(error: unknown): never {
  if (error instanceof ApiError && error.isUnknownPath)
    throw new UserError('this agent takes no changes of single services through its API', {
      hint: 'Cilium 1.17 is the last release that does; later, services follow Kubernetes. Use kubectl on the Service.',
      cause: error,
    });
  throw error;
}

/** Reads a list of services: that of `GET /service`, or the one inside another answer. */
export function decodeServices(answer: Reader<Service[]>): ServiceList {
  const items = answer.items();
  const services = rowsOf(items);
  return {
    services: services.toSorted((a, b) => a.id - b.id),
    unrealized: items.length - services.length,
  };
}

function rowsOf(services: readonly Reader<Service>[]): ServiceRow[] {
  return withoutStrayProtocols(services.map(decodeService).filter((service) => service !== undefined));
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
