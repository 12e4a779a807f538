import { briefStatus, fullStatus } from '../agent/status.ts';
import { type Handlers, ok } from './call.ts';

export const statusHandlers: Handlers = {
  'GET /healthz': ({ headers }, agent) =>
    ok(String(headers.brief) === 'true' ? briefStatus(agent) : fullStatus(agent)),
};
