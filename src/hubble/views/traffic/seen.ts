import { policiesOf } from '../../../model/flow-row.ts';
import type { Flow, Service } from '../../../model/hubble.gen.ts';
import { type Drop, REFUSED_BY_PROXY } from '../../../model/traffic.ts';
import { clipName } from './counts.ts';
import { answerOf, endOf, type NodeName, podOf, serviceOf, transportOf } from './ends.ts';

/** What of a flow is counted, but for its ports and its time. Its texts are cut, so that thousands can be kept. */
export interface Seen {
  protocol: string;
  source: NodeName | undefined;
  destination: NodeName | undefined;
  /** Services that its ends were reached through, as `namespace/name`. */
  sourceService: string | undefined;
  destinationService: string | undefined;
  /** Pods at its ends, as `namespace/name`. */
  sourcePod: string | undefined;
  destinationPod: string | undefined;
  /** Undefined where its ports alone tell. */
  answer: boolean | undefined;
  verdict: string;
  dropped: boolean;
  reason: string;
  direction: Drop['direction'];
  /** Policies that decided, as `namespace/name`. */
  policies: readonly string[];
  exchange: Exchange | undefined;
}

/** What a proxy saw. */
export interface Exchange {
  type: NonNullable<Flow['l7']>['type'];
  /** 0 where it was not measured. */
  latencyNs: number;
  /** The request is `GET /path`. */
  http: { code: number; request: string } | undefined;
  dns: { rcode: number; query: string } | undefined;
}

/** Reads of a flow what is counted. */
export function seen(flow: Flow): Seen {
  const verdict = String(flow.verdict ?? 'VERDICT_UNKNOWN');
  return {
    protocol: transportOf(flow).protocol,
    source: endOf(flow, 'source'),
    destination: endOf(flow, 'destination'),
    sourceService: serviceName(serviceOf(flow, 'source')),
    destinationService: serviceName(serviceOf(flow, 'destination')),
    sourcePod: podOf(flow, 'source'),
    destinationPod: podOf(flow, 'destination'),
    answer: answerOf(flow),
    verdict,
    dropped: verdict === 'DROPPED' || verdict === 'ERROR',
    reason: clipName(String(flow.drop_reason_desc ?? (flow.l7 ? REFUSED_BY_PROXY : verdict))),
    direction: directionOf(flow),
    // A rule that an operator imported by hand has no name.
    policies: policiesOf(flow).flatMap(({ name, namespace }) =>
      name ? clipName(namespace ? `${namespace}/${name}` : name) : [],
    ),
    exchange: flow.l7 && exchangeOf(flow.l7),
  };
}

function directionOf({ traffic_direction: direction }: Flow): Drop['direction'] {
  return direction === 'INGRESS' ? 'ingress' : direction === 'EGRESS' ? 'egress' : undefined;
}

function serviceName(service: Service | undefined): string | undefined {
  if (!service?.name) return undefined;
  return clipName(service.namespace ? `${service.namespace}/${service.name}` : service.name);
}

function exchangeOf({ type, latency_ns: latency, http, dns }: NonNullable<Flow['l7']>): Exchange {
  return {
    type,
    latencyNs: Number(latency ?? 0),
    http: http && {
      code: http.code ?? 0,
      request: clipName(`${http.method ?? ''} ${pathOf(http.url ?? '')}`.trim()),
    },
    dns: dns && { rcode: dns.rcode ?? 0, query: clipName(dns.query ?? '') },
  };
}

/** The path of a URL, without what follows `?` or `#`. */
function pathOf(url: string): string {
  return /^(?:[a-z][a-z0-9+.-]*:\/\/[^/?#]*)?([^?#]*)/i.exec(url)?.[1] ?? url;
}
