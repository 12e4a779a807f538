/** A column of a list, as the definition of a kind has it. */
export interface PrinterColumn {
  name: string;
  /** JSONPath, as kubectl takes it. */
  path: string;
  isDate?: true;
  /** Of several values the first is shown. */
  isFirst?: true;
  isWide?: true;
}

const AGE: PrinterColumn = { name: 'Age', path: '{.metadata.creationTimestamp}', isDate: true };
const VALID: PrinterColumn = { name: 'Valid', path: "{.status.conditions[?(@.type=='Valid')].status}" };

/** The columns of Cilium's kinds beside the name, as their definitions of 1.20 have them. */
const COLUMNS: Readonly<Record<string, readonly PrinterColumn[]>> = {
  ciliumendpoints: [
    { name: 'Security Identity', path: '{.status.identity.id}' },
    { name: 'Ingress Enforcement', path: '{.status.policy.ingress.state}', isWide: true },
    { name: 'Egress Enforcement', path: '{.status.policy.egress.state}', isWide: true },
    { name: 'Endpoint State', path: '{.status.state}' },
    { name: 'IPv4', path: '{.status.networking.addressing[0].ipv4}' },
    { name: 'IPv6', path: '{.status.networking.addressing[0].ipv6}' },
  ],
  ciliumidentities: [
    { name: 'Namespace', path: '{.metadata.labels.io\\.kubernetes\\.pod\\.namespace}' },
    AGE,
  ],
  ciliumnodes: [
    { name: 'CiliumInternalIP', path: '{.spec.addresses[?(@.type=="CiliumInternalIP")].ip}' },
    { name: 'InternalIP', path: '{.spec.addresses[?(@.type=="InternalIP")].ip}', isFirst: true },
    AGE,
  ],
  ciliumnetworkpolicies: [AGE, VALID],
  ciliumclusterwidenetworkpolicies: [VALID],
  ciliumloadbalancerippools: [
    { name: 'Disabled', path: '{.spec.disabled}' },
    { name: 'Conflicting', path: '{.status.conditions[?(@.type=="cilium.io/PoolConflict")].status}' },
    { name: 'IPs Available', path: '{.status.conditions[?(@.type=="cilium.io/IPsAvailable")].message}' },
    AGE,
  ],
};

/** The columns of a kind beside the name; of kinds that name none only the age. */
export function printerColumns(plural: string): readonly PrinterColumn[] {
  return COLUMNS[plural] ?? [AGE];
}
