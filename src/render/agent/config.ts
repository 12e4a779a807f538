import { compareBytes } from '../../lib/order.ts';
import { isRecord } from '../../lib/record.ts';
import { type AgentConfig, hasOptionsOf120 } from '../../model/config.ts';
import { goValue } from '../text/go-value.ts';
import { sanitize } from '../text/sanitize.ts';
import { renderOptions } from './options.ts';

/** Values in one pair of words; given by the caller, who knows the agent's options. */
type Shown = (value: string) => string;

/** What can be changed, with the pages of the monitor and the mode of policy enforcement. */
export function renderReadWriteConfig(config: AgentConfig, shown: Shown): string {
  const rows = renderOptions(mapValues(config.options, shown));
  const pages = config.monitorPages === undefined ? '' : row('MonitorNumPages', `${config.monitorPages}`);
  const policy = row('PolicyEnforcement', config.policyEnforcement);
  return `##### Read-write configurations #####\n${rows}${pages}${policy}`;
}

/** What the agent was started with. The banner has one hash sign less on each side, as in the reference. */
export function renderReadOnlyConfig(config: AgentConfig, shown: Shown): string {
  let out = '#### Read-only configurations ####\n';
  const entries = Object.entries(config.readOnly ?? {}).toSorted(([a], [b]) => compareBytes(a, b));
  for (const [name, value] of entries) {
    if (!isRecord(value)) out += row(name, goValue(value));
    else {
      const inner = Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, goValue(entry)]));
      out += `${sanitize(name)}\n${renderOptions(mapValues(inner, shown), { indent: true })}`;
    }
  }
  out += row('k8s-configuration', config.kubernetesConfiguration);
  if (!hasOptionsOf120(config)) out += row('k8s-endpoint', config.kubernetesEndpoint);
  return out + renderOptions(mapValues(config.immutable, shown));
}

/** The one list of 1.9, which has no banners. */
export function renderOldConfig(config: AgentConfig, shown: Shown): string {
  const options = { ...config.immutable, ...config.options };
  const rows = Object.entries(options)
    .toSorted(([a], [b]) => compareBytes(a, b))
    .map(([name, value]): [string, string] => [name, shown(value)]);
  rows.push(
    ['k8s-configuration', config.kubernetesConfiguration],
    ['k8s-endpoint', config.kubernetesEndpoint],
    ['PolicyEnforcement', config.policyEnforcement],
  );
  if (config.monitorPages !== undefined) rows.push(['MonitorNumPages', `${config.monitorPages}`]);
  return rows.map(([name, value]) => `${sanitize(name).padEnd(24)} ${sanitize(value)}\n`).join('');
}

function row(name: string, value: string): string {
  return `${sanitize(name).padEnd(34)}: ${sanitize(value)}\n`;
}

function mapValues(map: Readonly<Record<string, string>>, change: Shown): Record<string, string> {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value)]));
}
