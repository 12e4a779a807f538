import type { PodObject } from '../kube/workloads/forms.ts';

/** What a pod's containers do in the lab, which has no images: their names, ports and commands say it. */
export interface Work {
  http: number[];
  dns: number[];
}

const DNS_PORT = 53;
const HTTP_PORT = 8080;
/** Images of servers that say nothing of their port. */
const SERVERS = /(?:json-mock|echo|httpbin|nginx|whoami|agnhost)/;

/** The ports on which a pod answers; one without any sleeps. */
export function workOf(pod: PodObject): Work {
  const work: Work = { http: [], dns: [] };
  for (const { image = '', ports = [] } of pod.spec?.containers ?? []) {
    const tcp = ports
      .filter(({ protocol = 'TCP' }) => protocol === 'TCP')
      .map(({ containerPort }) => containerPort);
    const isDns =
      /coredns|kube-dns/.test(image) || ports.some(({ containerPort }) => containerPort === DNS_PORT);
    if (isDns) work.dns.push(DNS_PORT);
    work.http.push(...tcp.filter((port) => port !== DNS_PORT));
    if (!isDns && tcp.length === 0 && SERVERS.test(image)) work.http.push(HTTP_PORT);
  }
  const valid = (ports: number[]) => [
    ...new Set(ports.filter((port) => Number.isInteger(port) && port > 0 && port < 65_536)),
  ];
  return { http: valid(work.http), dns: valid(work.dns) };
}
