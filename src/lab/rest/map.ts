import type { Agent } from '../agent/agent.ts';
import { ipcacheEntries, type MapEntry, mapModel, mapsOf } from '../agent/maps.ts';
import { pinName } from '../pin-names.ts';
import { pinsRelease } from '../version.ts';
import { ApiFailure, type Handlers, ok } from './call.ts';

/** The map whose changes the agent records. */
const RECORDED = 'cilium_ipcache_v2';

export const mapHandlers: Handlers = {
  'GET /map': (_, agent) =>
    ok({ maps: [...mapsOf(agent)].map(([name, entries]) => mapModel(name, entries)) }),

  'GET /map/{name}': ({ params: { name = '' } }, agent) => {
    const maps = mapsOf(agent);
    if (!maps.has(name)) throw new ApiFailure(404);
    return ok(mapModel(name, maps.get(name)));
  },

  'GET /map/{name}/events': ({ params: { name = '' }, query }, agent) => {
    if (name !== pinName(RECORDED, pinsRelease(agent.version))) throw new ApiFailure(404);
    const follow = query.get('follow') === 'true';
    return { status: 200, stream: (gone) => mapEvents(agent, follow, gone) };
  },
};

function line(action: 'update' | 'delete', entry: MapEntry, timeMs: number): string {
  const event = {
    action,
    'desired-action': action === 'delete' ? 'to-be-deleted' : 'sync',
    key: entry.key,
    'last-error': '<nil>',
    timestamp: new Date(timeMs).toISOString(),
    value: entry.value,
  };
  return `${JSON.stringify(event).replaceAll('<', '\\u003c').replaceAll('>', '\\u003e')}\n`;
}

/** The map as a list of updates, then (with `follow`) every difference as it comes. */
async function* mapEvents(agent: Agent, follow: boolean, gone: AbortSignal): AsyncIterable<string> {
  let known = new Map(ipcacheEntries(agent).map((entry) => [entry.key, entry]));
  yield [...known.values()].map((entry) => line('update', entry, agent.startedMs)).join('');
  if (!follow) return;
  let wake = () => {};
  let changed = false;
  const unwatch = agent.watch(() => {
    changed = true;
    wake();
  });
  gone.addEventListener('abort', () => wake());
  try {
    while (!gone.aborted) {
      if (!changed) await new Promise<void>((resolve) => (wake = resolve));
      changed = false;
      const next = new Map(ipcacheEntries(agent).map((entry) => [entry.key, entry]));
      let text = '';
      for (const entry of next.values())
        if (known.get(entry.key)?.value !== entry.value) text += line('update', entry, agent.nowMs());
      for (const entry of known.values())
        if (!next.has(entry.key)) text += line('delete', entry, agent.nowMs());
      known = next;
      if (text !== '') yield text;
    }
  } finally {
    unwatch();
  }
}
