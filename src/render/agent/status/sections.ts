import { goFixed } from '../../../lib/go-fixed.ts';
import { goQuote } from '../../../lib/go-quote.ts';
import { compareBytes } from '../../../lib/order.ts';
import { atLeast } from '../../../model/release.ts';
import {
  type AgentStatus,
  type BigTcpStatus,
  type ControllerState,
  isReleased,
} from '../../../model/status.ts';
import { durationSeconds, timeSince } from '../../text/duration.ts';
import { sanitize } from '../../text/sanitize.ts';
import { type TabStop, tabulate } from '../../text/table.ts';
import { clusterMeshLines } from './clustermesh.ts';
import { kubeProxyDetails, kubeProxyDevices } from './kube-proxy.ts';

/** Which parts are shown in full. */
export interface StatusDetails {
  addresses: boolean;
  controllers: boolean;
  redirects: boolean;
  clusters: boolean;
  /** kube-proxy, BPF maps and clock source: only `--verbose` shows them. */
  internals: boolean;
}

/** Everything in full, as `--verbose` and debuginfo show it. */
export const ALL_DETAILS: StatusDetails = {
  addresses: true,
  controllers: true,
  redirects: true,
  clusters: true,
  internals: true,
};

/** The writer of `status`: tab(2,0,3). */
export const STATUS_TABLE: TabStop = { minWidth: 2, padding: 3 };
/** Tables inside it are aligned by themselves: tab(0,0,3). */
const INNER_TABLE: TabStop = { minWidth: 0, padding: 3 };

/**
 * The sections of a status as lines whose cells end in tabs, each line ending in a newline. What follows them in the
 * same writer shares their columns, so the caller tabulates.
 */
export function statusSections(status: AgentStatus, details: StatusDetails, nowMs: number): string {
  return sanitize(
    [
      components(status),
      node(status),
      addresses(status, details),
      clusterMeshLines(status, details.clusters, nowMs),
      datapath(status),
      details.internals ? clockSource(status) : '',
      controllers(status.controllers, details.controllers, nowMs),
      proxy(status, details.redirects),
      identityRange(status),
      hubble(status),
      details.internals ? kubeProxyTable(status) : '',
      details.internals ? bpfMaps(status) : '',
      encryption(status),
    ].join(''),
  );
}

function components(status: AgentStatus): string {
  const { kvstore, containerRuntime, kubernetes, kubeProxy, hostFirewall, srv6, cilium } = status;
  let out = '';
  if (kvstore) out += `KVStore:\t${kvstore.state}\t${kvstore.message}\n`;
  if (containerRuntime) out += `ContainerRuntime:\t${containerRuntime.state}\t${containerRuntime.message}\n`;
  if (kubernetes) {
    out += `Kubernetes:\t${kubernetes.state}\t${kubernetes.message}\n`;
    if (kubernetes.state !== 'Disabled') out += `Kubernetes APIs:\t["${kubernetes.apis.join('", "')}"]\n`;
  }
  if (kubeProxy) {
    const devices = kubeProxyDevices(kubeProxy);
    out += `KubeProxyReplacement:\t${kubeProxy.mode}\t${devices && `[${devices}]`}\n`;
  }
  if (hostFirewall) {
    const devices = hostFirewall.mode === 'Disabled' ? '' : `\t${bracketed(hostFirewall.devices)}`;
    out += `Host firewall:\t${hostFirewall.mode}${devices}\n`;
  }
  if (srv6) out += `SRv6:\t${srv6.enabled ? `Enabled\t[encap-mode: ${srv6.encapMode}]` : 'Disabled'}\n`;
  if (status.cniChaining !== undefined) out += `CNI Chaining:\t${status.cniChaining}\n`;
  if (status.cniFile) out += `CNI Config file:\t${status.cniFile.message}\n`;
  // Three blanks, not a tab: the reference keeps this message out of the columns.
  if (cilium) out += `Cilium:\t${cilium.state}   ${cilium.message}\n`;
  return out;
}

function node({ stale, nodeMonitor, healthDaemon }: AgentStatus): string {
  let out = '';
  if (stale) {
    const probes = stale.map(([probe, since]) => `${goQuote(probe)} since ${since}`);
    out += `Stale status:\t${probes.join(', ')}\n`;
  }
  if (nodeMonitor) {
    const { cpus, pages, pageSize, lost, unknown } = nodeMonitor;
    out += `NodeMonitor:\tListening for events on ${cpus} CPUs with ${pages}x${pageSize} of shared memory\n`;
    if (lost !== 0 || unknown !== 0) out += `\t${lost} events lost, ${unknown} unknown notifications\n`;
  } else out += 'NodeMonitor:\tDisabled\n';
  if (healthDaemon) out += `Cilium health daemon:\t${healthDaemon.state}\t${healthDaemon.message}\n`;
  return out;
}

function addresses({ ipam }: AgentStatus, details: StatusDetails): string {
  if (!ipam) return '';
  const lines = [`IPAM:\t${ipam.status}`];
  if (details.addresses) {
    const owned = ipam.allocations.map(([address, owner]) => `  ${address} (${owner})`);
    lines.push('Allocated addresses:', ...owned.toSorted(compareBytes));
  }
  return `${lines.join('\n')}\n`;
}

const DEVICE_MODES = ['veth', 'netkit', 'netkit-l2'];

function datapath(status: AgentStatus): string {
  const { bandwidthManager, routing, deviceMode, configuredDeviceMode } = status;
  let out = '';
  if (status.ipv4BigTcp) out += `IPv4 BIG TCP:\t${bigTcp(status.ipv4BigTcp)}\n`;
  // The sizes came together with those of IPv4.
  const hasSizes = isReleased(status, '1.14');
  if (status.ipv6BigTcp)
    out += `IPv6 BIG TCP:\t${hasSizes ? bigTcp(status.ipv6BigTcp) : onOff(status.ipv6BigTcp.enabled)}\n`;
  if (bandwidthManager) {
    const { enabled, congestionControl, devices } = bandwidthManager;
    const how =
      congestionControl || atLeast(status.release, '1.12') ? ` [${congestionControl.toUpperCase()}] ` : '\t';
    out += `BandwidthManager:\t${enabled ? `EDT with BPF${how}${bracketed(devices)}` : 'Disabled'}\n`;
  }
  if (status.hostRouting !== undefined) out += `Host Routing:\t${status.hostRouting}\n`;
  if (routing) {
    const tunnel = routing.network === 'Tunnel' ? ` [${routing.tunnel}]` : '';
    out += `Routing:\tNetwork: ${routing.network}${tunnel}\tHost: ${routing.host}\n`;
  }
  if (status.attachMode) out += `Attach Mode:\t${status.attachMode === 'tcx' ? 'TCX' : 'Legacy TC'}\n`;
  if (deviceMode || configuredDeviceMode) {
    const mode = known(deviceMode, DEVICE_MODES);
    // Agents that name one mode alone run in it.
    const asked = configuredDeviceMode ? known(configuredDeviceMode, ['auto', ...DEVICE_MODES]) : mode;
    out += `Device Mode:\t${mode}${asked === mode ? '' : ` [Configured: ${asked}]`}\n`;
  }
  return out + masquerading(status);
}

function known(mode: string, modes: readonly string[]): string {
  return modes.includes(mode) ? mode : '?';
}

function bigTcp({ enabled, maxGro, maxGso }: BigTcpStatus): string {
  if (!enabled) return 'Disabled';
  return maxGro === maxGso ? `Enabled\t[${maxGso}]` : `Enabled\t[${maxGro}, ${maxGso}]`;
}

function masquerading({ release, masquerading: m, kubeProxy }: AgentStatus): string {
  if (!m) return '';
  const { protocols } = m;
  if (!protocols && (!m.enabled || atLeast(release, '1.10'))) return `Masquerading:\t${onOff(m.enabled)}\n`;
  if (protocols && !protocols.ipv4 && !protocols.ipv6) return 'Masquerading:\tDisabled\n';
  let how = '';
  if (m.mode === 'BPF') {
    how = m.ipMasqAgent ? 'BPF (ip-masq-agent)' : 'BPF';
    if (kubeProxy) {
      const excluded = atLeast(release, '1.18') ? `${m.exclusionV4} ${m.exclusionV6}` : m.exclusionV4;
      how += `\t${bracketed(kubeProxy.devices.map((d) => d.name))}\t${excluded}`;
    }
  } else if (m.mode === 'iptables') how = 'IPTables';
  const families = protocols ? ` [IPv4: ${onOff(protocols.ipv4)}, IPv6: ${onOff(protocols.ipv6)}]` : '';
  return `Masquerading:\t${how}${families}\n`;
}

function clockSource({ clockSource: clock }: AgentStatus): string {
  if (!clock) return '';
  return `Clock Source for BPF:\t${clock.mode}${clock.mode === 'jiffies' ? `\t[${clock.hertz} Hz]` : ''}\n`;
}

function controllers(list: readonly ControllerState[] | undefined, all: boolean, nowMs: number): string {
  if (!list) return '';
  const rows: string[] = [];
  let failing = 0;
  for (const { name, run } of list) {
    if (!run) continue;
    if (run.consecutiveFailures > 0) failing++;
    else if (!all) continue;
    const times = `${timeSince(run.lastSuccess, nowMs)}\t${timeSince(run.lastFailure, nowMs)}`;
    const message = run.lastFailureMessage || 'no error';
    rows.push(`  ${name}\t${times}\t${run.consecutiveFailures}\t${message}\t\n`);
  }
  const summary = `Controller Status:\t${list.length - failing}/${list.length} healthy\n`;
  if (rows.length === 0) return summary;
  // The reference sorts the header among the rows.
  rows.push('  Name\tLast success\tLast error\tCount\tMessage\n');
  return summary + tabulate(rows.toSorted(compareBytes).join(''), INNER_TABLE);
}

function proxy({ release, proxy: p }: AgentStatus, redirects: boolean): string {
  if (!p) return 'Proxy Status:\tNo managed proxy redirect\n';
  const envoy = p.envoy || atLeast(release, '1.14') ? `, Envoy: ${p.envoy}` : '';
  const summary = `Proxy Status:\tOK, ip ${p.ip}, ${p.total} redirects active on ports ${p.ports}${envoy}\n`;
  if (!redirects || p.total <= 0) return summary;
  const rows = p.redirects.map((r) => `  ${r.proxy}\t${r.name}\t${r.port}\n`).toSorted(compareBytes);
  return summary + tabulate(`  Protocol\tRedirect\tProxy Port\n${rows.join('')}`, INNER_TABLE);
}

function identityRange({ release, identityRange: range }: AgentStatus): string {
  if (range) return `Global Identity Range:\tmin ${range.min}, max ${range.max}\n`;
  return atLeast(release, '1.12') ? 'Global Identity Range:\tUnknown\n' : '';
}

function hubble({ hubble: h, hubbleMetrics }: AgentStatus): string {
  if (!h) return '';
  const cells = [h.message ? `${h.state} ${h.message}` : h.state];
  if (h.observer) {
    const { current, max, seen, uptime } = h.observer;
    const seconds = durationSeconds(uptime);
    const halves: string[] = [];
    if (max > 0) halves.push(`Current/Max Flows: ${current}/${max} (${goFixed((current / max) * 100, 2)}%)`);
    if (seconds > 0) halves.push(`Flows/s: ${goFixed(seen / seconds, 2)}`);
    cells.push(halves.join(', '));
  }
  const { metrics } = h;
  if (hubbleMetrics)
    cells.push(`Metrics: ${hubbleMetrics.state}${hubbleMetrics.message && ` (${hubbleMetrics.message})`}`);
  else if (metrics) cells.push(`Metrics: ${metrics.state}`);
  return `Hubble:\t${cells.join('\t')}\n`;
}

function kubeProxyTable({ release, kubernetes, kubeProxy }: AgentStatus): string {
  if (!kubernetes || !kubeProxy) return '';
  return `KubeProxyReplacement Details:\n${tabulate(kubeProxyDetails(kubeProxy, release), INNER_TABLE)}`;
}

function bpfMaps({ bpfMaps: maps }: AgentStatus): string {
  if (!maps) return '';
  const sizing = maps.ratio > 0 && maps.ratio <= 1 ? `on (ratio: ${goFixed(maps.ratio, 6)})` : 'off';
  const rows = maps.maps.map((m) => `  ${m.name}\t${m.size}\n`);
  return `BPF Maps:\tdynamic sizing: ${sizing}\n${tabulate(`  Name\tSize\n${rows.join('')}`, INNER_TABLE)}`;
}

function encryption(status: AgentStatus): string {
  const { encryption: e } = status;
  if (!e) return '';
  const late = isReleased(status, '1.14');
  let message = e.message;
  if (!message && e.wireguard) {
    const parts = e.wireguard.interfaces.map(
      (i) => `${i.name} (Pubkey: ${i.publicKey}, Port: ${i.port}, Peers: ${i.peerCount})`,
    );
    message = late
      ? `[NodeEncryption: ${e.wireguard.nodeEncryption}, ${parts.join(', ')}]`
      : bracketed(parts);
  }
  const place = message !== '' || late;
  return `Encryption:\t${e.mode}${place ? `\t${message}` : ''}\n`;
}

function bracketed(items: readonly string[]): string {
  return `[${items.join(', ')}]`;
}

function onOff(enabled: boolean): string {
  return enabled ? 'Enabled' : 'Disabled';
}

/** Kinds of `status --brief`, in the order in which the first bad one is named. */
const BRIEF_KINDS = [
  ['kvstore', 'kvstore'],
  ['containerRuntime', 'container runtime'],
  ['kubernetes', 'kubernetes'],
  ['cilium', 'cilium'],
  ['healthDaemon', 'cilium-health'],
] as const;

/** `OK`, or the first thing that is wrong. */
export function renderBriefStatus(status: AgentStatus): string {
  for (const [key, kind] of BRIEF_KINDS) {
    const part = status[key];
    if (part?.state === 'Warning' || part?.state === 'Failure')
      return sanitize(`error in ${kind}: ${part.message}\n`);
  }
  const failed = status.controllers?.find((c) => c.run?.lastFailureMessage);
  if (failed) return sanitize(`error in controller ${failed.name}: ${failed.run?.lastFailureMessage}\n`);
  return 'OK\n';
}
