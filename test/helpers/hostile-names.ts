/** Names that try to be markup, a program, or to break the form of a page. */
export const HOSTILE_NAMES: readonly string[] = [
  '</script><script>alert(1)</script>',
  '</title><img src=x onerror=alert(1)>',
  '"><svg onload=alert(1)>',
  "' onmouseover='alert(1)",
  "javascript:alert('x')",
  '&lt;b&gt;&#x3c;',
  '\u202eevil\u2066\u200b',
  'x'.repeat(10_000),
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a name that tries to be a template
  '${alert(1)}{{alert(1)}}',
  '\u0000\u001b[31m\u2028\ud800',
];

/** A capture of a flow from a pod of each of these names to one that policies select as `app: api` of `default`. */
export function hostileCapture(): string {
  const flows = HOSTILE_NAMES.map((name) => ({
    time: '2026-01-31T15:00:00Z',
    verdict: 'FORWARDED',
    is_reply: false,
    IP: { source: '10.0.0.1', destination: '10.0.0.2' },
    l4: { TCP: { source_port: 40_000, destination_port: 80 } },
    traffic_direction: 'INGRESS',
    event_type: { type: 5 },
    source: { identity: 1000, namespace: name, pod_name: name, labels: [`k8s:app=${name}`] },
    destination: {
      identity: 1001,
      namespace: 'default',
      pod_name: name,
      labels: ['k8s:app=api', 'k8s:io.kubernetes.pod.namespace=default'],
    },
  }));
  return flows.map((flow) => JSON.stringify({ flow })).join('\n');
}
