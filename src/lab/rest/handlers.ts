import { bgpHandlers } from './bgp.ts';
import type { Handlers } from './call.ts';
import { clusterHandlers } from './cluster.ts';
import { configHandlers } from './config.ts';
import { debugHandlers } from './debug.ts';
import { endpointHandlers } from './endpoint.ts';
import { endpointWriteHandlers } from './endpoint-write.ts';
import { fqdnHandlers } from './fqdn.ts';
import { identityHandlers } from './identity.ts';
import { ipamHandlers } from './ipam.ts';
import { mapHandlers } from './map.ts';
import { policyHandlers } from './policy.ts';
import { prefilterHandlers } from './prefilter.ts';
import { recorderHandlers } from './recorder.ts';
import { serviceHandlers } from './service.ts';
import { statusHandlers } from './status.ts';

/** What a lab does for each operation of the API. */
export const HANDLERS: Handlers = {
  ...bgpHandlers,
  ...clusterHandlers,
  ...configHandlers,
  ...debugHandlers,
  ...endpointHandlers,
  ...endpointWriteHandlers,
  ...fqdnHandlers,
  ...identityHandlers,
  ...ipamHandlers,
  ...mapHandlers,
  ...policyHandlers,
  ...prefilterHandlers,
  ...recorderHandlers,
  ...serviceHandlers,
  ...statusHandlers,
};
