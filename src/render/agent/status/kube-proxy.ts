import { atLeast, type Release } from '../../../model/release.ts';
import type { KubeProxyStatus } from '../../../model/status.ts';

/** The devices of the kube-proxy replacement with their addresses, without brackets; empty when it is off. */
export function kubeProxyDevices({
  mode,
  devices,
  legacyDevices,
  directRoutingDevice,
}: KubeProxyStatus): string {
  if (mode === 'False' || mode === 'Disabled') return '';
  let out = '';
  devices.forEach((device, i) => {
    out += device.addresses ? `${device.name} ${device.addresses.join(' ')}` : device.name;
    if (device.name === directRoutingDevice) out += ' (Direct Routing)';
    // The reference counts the older list of names here, so the two lists may disagree.
    if (i + 1 !== legacyDevices) out += ', ';
  });
  return out;
}

/** The rows below `KubeProxyReplacement Details:`, cells ending in tabs. */
export function kubeProxyDetails(proxy: KubeProxyStatus, release: Release): string {
  const f = proxy.features;
  const { nodePort } = f;
  const devices = kubeProxyDevices(proxy);
  const rows = [`Status:\t${proxy.mode}`];
  if (atLeast(release, '1.12')) rows.push(`Socket LB:\t${onOff(f.socketLb)}`);
  if (atLeast(release, '1.13')) rows.push(`Socket LB Tracing:\t${onOff(f.socketLbTracing)}`);
  if (atLeast(release, '1.12'))
    rows.push(`Socket LB Coverage:\t${f.socketLbHostNamespaceOnly ? 'Hostns-only' : 'Full'}`);
  if (!atLeast(release, '1.13') && f.hostReachable.length > 0) {
    const title = atLeast(release, '1.10') ? 'Socket LB Protocols' : 'Protocols';
    rows.push(`${title}:\t${f.hostReachable.join(', ')}`);
  }
  if (devices) rows.push(`Devices:\t${devices}`);
  if (nodePort.enabled) rows.push(...nodePortRows(proxy, release));
  rows.push(`Session Affinity:\t${onOff(f.sessionAffinity)}`);
  if (atLeast(release, '1.11') && !atLeast(release, '1.18'))
    rows.push(`Graceful Termination:\t${onOff(f.gracefulTermination)}`);
  if (atLeast(release, '1.12')) rows.push(...nat46x64Rows(f.nat46x64, release));
  if (nodePort.enabled && nodePort.acceleration) rows.push(`XDP Acceleration:\t${nodePort.acceleration}`);
  const range = nodePort.enabled ? `Enabled (Range: ${nodePort.portMin}-${nodePort.portMax})` : 'Disabled';
  rows.push(
    'Services:',
    '- ClusterIP:\tEnabled',
    // The blank at the end of three of these lines is the reference's.
    `- NodePort:\t${range} `,
    `- LoadBalancer:\t${onOff(nodePort.enabled)} `,
    `- externalIPs:\t${onOff(f.externalIps)} `,
    `- HostPort:\t${onOff(f.hostPort)}`,
  );
  if (atLeast(release, '1.17')) rows.push(...annotationRows(f.annotations));
  return rows.map((row) => `  ${row}\n`).join('');
}

function nodePortRows({ features: { nodePort } }: KubeProxyStatus, release: Release): string[] {
  const rows: string[] = [];
  if (nodePort.mode) rows.push(`Mode:\t${nodePort.mode}`);
  const isDsr = nodePort.mode === 'DSR' || nodePort.mode === 'Hybrid';
  if (atLeast(release, '1.15') && isDsr && nodePort.dsrMode)
    rows.push(`  DSR Dispatch Mode:\t${nodePort.dsrMode}`);
  const table = nodePort.algorithm === 'Maglev' ? ` (Table Size: ${nodePort.lutSize})` : '';
  if (nodePort.algorithm) rows.push(`Backend Selection:\t${nodePort.algorithm}${table}`);
  return rows;
}

function nat46x64Rows(nat: KubeProxyStatus['features']['nat46x64'], release: Release): string[] {
  if (!nat.enabled || !atLeast(release, '1.13')) return [`NAT46/64 Support:\t${onOff(nat.enabled)}`];
  const rows = [
    'NAT46/64 Support:',
    `- Services:\t${onOff(nat.services)}`,
    `- Gateway:\t${onOff(nat.gateway)}`,
  ];
  if (nat.gateway && nat.prefixes.length > 0) rows.push(`  Prefixes:\t${nat.prefixes.join(', ')}`);
  return rows;
}

function annotationRows(annotations: readonly string[]): string[] {
  if (annotations.length === 0) return ['Annotations:\t(n/a)'];
  return ['Annotations:', ...annotations.map((annotation) => `- ${annotation}`)];
}

function onOff(enabled: boolean): string {
  return enabled ? 'Enabled' : 'Disabled';
}
