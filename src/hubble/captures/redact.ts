import { createHmac, randomBytes } from 'node:crypto';
import type { DNS, Endpoint, Flow, HTTP } from '../../model/hubble.gen.ts';

/** What can be taken out of a capture. */
export const REDACTIONS = ['http', 'dns', 'ips', 'labels'] as const;
export type Redaction = (typeof REDACTIONS)[number];

const GONE = '[redacted]';

/**
 * Makes the function that takes secrets out of flows: `http` header values, user and query of URLs; `dns` the names;
 * `ips` the addresses; `labels` all labels. Names and addresses become stable pseudonyms within one capture, so that
 * flows can still be told apart. Where a name or an address may stand in free text (summaries, header values), the
 * text goes.
 */
export function redactor(what: readonly Redaction[]): (flow: Flow) => Flow {
  const key = randomBytes(16);
  const pseudonym = (prefix: string, text: string) =>
    `${prefix}-${createHmac('sha256', key).update(text).digest('hex').slice(0, 10)}`;
  const chosen = new Set(what);
  const free = chosen.has('http') || chosen.has('dns') || chosen.has('ips');
  const name = (text: string) => pseudonym('name', text);
  const address = (text: string) => pseudonym('ip', text);
  return (flow) => {
    const kept: Flow = { ...flow };
    if (free && kept.l7) {
      // The summary repeats the URL, the name, or the addresses of an answer.
      kept.Summary = GONE;
      if (kept.l7.http) kept.l7 = { ...kept.l7, http: redactHttp(kept.l7.http, chosen, name) };
    }
    if (kept.l7?.dns) kept.l7 = { ...kept.l7, dns: redactDns(kept.l7.dns, chosen, name, address) };
    if (chosen.has('dns')) {
      if (kept.source_names) kept.source_names = kept.source_names.map(name);
      if (kept.destination_names) kept.destination_names = kept.destination_names.map(name);
    }
    if (chosen.has('ips')) {
      if (kept.IP)
        kept.IP = {
          ...kept.IP,
          ...(kept.IP.source && { source: address(kept.IP.source) }),
          ...(kept.IP.destination && { destination: address(kept.IP.destination) }),
          ...(kept.IP.source_xlated && { source_xlated: address(kept.IP.source_xlated) }),
        };
      delete kept.ethernet;
    }
    if (chosen.has('labels')) delete kept.node_labels;
    const endpoint = (end: Endpoint) => redactLabels(end, chosen, name, address);
    if (kept.source) kept.source = endpoint(kept.source);
    if (kept.destination) kept.destination = endpoint(kept.destination);
    return kept;
  };
}

type Pseudonym = (text: string) => string;

function redactDns(dns: DNS, chosen: ReadonlySet<Redaction>, name: Pseudonym, address: Pseudonym): DNS {
  return {
    ...dns,
    ...(chosen.has('dns') && dns.query && { query: name(dns.query) }),
    ...(chosen.has('dns') && dns.cnames && { cnames: dns.cnames.map(name) }),
    ...(chosen.has('ips') && dns.ips && { ips: dns.ips.map(address) }),
  };
}

/** The agent labels endpoints outside the cluster with the names and prefixes that rules select them by. */
function redactLabels(
  end: Endpoint,
  chosen: ReadonlySet<Redaction>,
  name: Pseudonym,
  address: Pseudonym,
): Endpoint {
  const { labels, ...rest } = end;
  if (chosen.has('labels')) return rest;
  if (!labels) return end;
  return {
    ...rest,
    labels: labels.map((label) => {
      if (chosen.has('dns') && label.startsWith('fqdn:')) return `fqdn:${name(label.slice(5))}`;
      return chosen.has('ips') && label.startsWith('cidr:') ? `cidr:${address(label.slice(5))}` : label;
    }),
  };
}

function redactHttp(http: HTTP, chosen: ReadonlySet<Redaction>, name: Pseudonym): HTTP {
  let url = http.url;
  if (chosen.has('http'))
    url = url?.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, '$1').replace(/\?.*$/s, `?${GONE}`);
  if (chosen.has('dns') || chosen.has('ips'))
    url = url?.replace(
      /^([a-z][a-z0-9+.-]*:\/\/)([^/?#]*)/i,
      (_, scheme: string, host: string) => scheme + name(host),
    );
  return {
    ...http,
    ...(url !== undefined && { url }),
    ...(http.headers && { headers: http.headers.map(({ key = '' }) => ({ key, value: GONE })) }),
  };
}
