import type { RecorderSpec } from '../../agent/decode/types.gen.ts';
import { ApiFailure, type Handlers, idOf, ok } from './call.ts';

function recorder(spec: RecorderSpec) {
  return { spec, status: { realized: spec } };
}

export const recorderHandlers: Handlers = {
  'GET /recorder': (_, agent) => ok(agent.state.recorders.map(recorder)),

  'GET /recorder/masks': (_, agent) => {
    const users = new Map<string, number>();
    for (const { filters } of agent.state.recorders)
      for (const filter of filters) {
        const key = [
          maskOf(filter['src-prefix']),
          maskOf(filter['dst-prefix']),
          filter['src-port'] && filter['src-port'] !== '0' ? 'ffff' : '0',
          filter['dst-port'] && filter['dst-port'] !== '0' ? 'ffff' : '0',
          filter.protocol && filter.protocol !== 'ANY' ? 'ff' : '0',
        ].join(' ');
        users.set(key, (users.get(key) ?? 0) + 1);
      }
    return ok(
      [...users].map(([key, count], i) => {
        const [source, destination, sourcePort, destinationPort, protocol] = key.split(' ');
        return {
          status: {
            realized: {
              users: count,
              priority: i,
              'src-prefix-mask': source,
              'dst-prefix-mask': destination,
              'src-port-mask': sourcePort,
              'dst-port-mask': destinationPort,
              'protocol-mask': protocol,
            },
          },
        };
      }),
    );
  },

  'GET /recorder/{id}': ({ params }, agent) => {
    const found = agent.state.recorders.find((spec) => spec.id === idOf(params.id));
    if (!found) throw new ApiFailure(404);
    return ok(recorder(found));
  },

  'PUT /recorder/{id}': async ({ params, body }, agent) => {
    const id = idOf(params.id);
    const spec = { ...(body as RecorderSpec), id };
    const known = agent.state.recorders.some((one) => one.id === id);
    await agent.store.update((state) => ({
      ...state,
      recorders: [...state.recorders.filter((one) => one.id !== id), spec],
    }));
    return { status: known ? 200 : 201 };
  },

  'DELETE /recorder/{id}': async ({ params }, agent) => {
    const id = idOf(params.id);
    await agent.store.update((state) => {
      const left = state.recorders.filter((one) => one.id !== id);
      if (left.length === state.recorders.length) throw new ApiFailure(404);
      return { ...state, recorders: left };
    });
    return ok();
  },
};

/** The mask of a prefix in hex; anything is no mask at all. */
function maskOf(prefix: string | undefined): string {
  const length = Number(prefix?.split('/')[1] ?? 32);
  return ((2 ** Math.min(length, 32) - 1) * 2 ** (32 - Math.min(length, 32))).toString(16);
}
