import { createHmac, randomBytes } from 'node:crypto';
import type { Endpoint, Flow, HTTP } from '../model/hubble.gen.ts';

/** What can be taken out of a capture. */
export const REDACTIONS = ['http', 'dns', 'ips', 'labels'] as const;
export type Redaction = (typeof REDACTIONS)[number];

const GONE = '[redacted]';

/**
 * Makes the function that takes secrets out of flows: `http` header values, user and query of URLs; `dns` the names;
 * `ips` the addresses; `labels` all labels. Names and addresses become stable pseudonyms within one capture, so that
 * flows can still be told apart.
 */
export function redactor(what: readonly Redaction[]): (flow: Flow) => Flow {
  const key = randomBytes(16);
  const pseudonym = (prefix: string, text: string) =>
    `${prefix}-${createHmac('sha256', key).update(text).digest('hex').slice(0, 10)}`;
  const chosen = new Set(what);
  return (flow) => {
    const kept: Flow = { ...flow };
    if (chosen.has('http') && kept.l7?.http) kept.l7 = { ...kept.l7, http: redactHttp(kept.l7.http) };
    if (chosen.has('http') || chosen.has('dns')) {
      // The summary repeats the URL or the name.
      if (kept.l7) kept.Summary = GONE;
    }
    if (chosen.has('dns')) {
      const hide = (names: string[] | undefined) => names?.map((name) => pseudonym('name', name));
      if (kept.l7?.dns)
        kept.l7 = {
          ...kept.l7,
          dns: {
            ...kept.l7.dns,
            query: pseudonym('name', kept.l7.dns.query ?? ''),
            ...(kept.l7.dns.cnames && { cnames: hide(kept.l7.dns.cnames) ?? [] }),
          },
        };
      if (kept.source_names) kept.source_names = hide(kept.source_names) ?? [];
      if (kept.destination_names) kept.destination_names = hide(kept.destination_names) ?? [];
    }
    if (chosen.has('ips')) {
      if (kept.IP)
        kept.IP = {
          ...kept.IP,
          ...(kept.IP.source && { source: pseudonym('ip', kept.IP.source) }),
          ...(kept.IP.destination && { destination: pseudonym('ip', kept.IP.destination) }),
          ...(kept.IP.source_xlated && { source_xlated: pseudonym('ip', kept.IP.source_xlated) }),
        };
      delete kept.ethernet;
      if (kept.l7?.dns?.ips)
        kept.l7 = {
          ...kept.l7,
          dns: { ...kept.l7.dns, ips: kept.l7.dns.ips.map((ip) => pseudonym('ip', ip)) },
        };
    }
    if (chosen.has('labels')) {
      if (kept.source) kept.source = unlabelled(kept.source);
      if (kept.destination) kept.destination = unlabelled(kept.destination);
      delete kept.node_labels;
    }
    return kept;
  };
}

function unlabelled(endpoint: Endpoint): Endpoint {
  const { labels: _, ...rest } = endpoint;
  return rest;
}

function redactHttp(http: HTTP): HTTP {
  const url = http.url?.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, '$1').replace(/\?.*$/s, `?${GONE}`);
  return {
    ...http,
    ...(url !== undefined && { url }),
    ...(http.headers && { headers: http.headers.map(({ key = '' }) => ({ key, value: GONE })) }),
  };
}
