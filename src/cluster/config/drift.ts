import { parseDurationMs } from '../../lib/duration.ts';
import { compareBytes, compareNatural } from '../../lib/order.ts';
import type { AgentConfig } from '../../model/config.ts';
import type { Facts } from './facts.ts';
import { type Given, textOf } from './given.ts';
import { keyScope, lintKey } from './lint-keys.ts';

const VERDICTS = ['restart needed', 'applies at once', 'refused', 'unknown key', 'not from Helm'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** A key of which two layers say different things. */
export interface DriftRow {
  /** Empty for what is about the whole cluster. */
  node: string;
  key: string;
  helm?: string;
  configMap?: string;
  nodeConfig?: string;
  /** As the agent tells it. */
  agent?: string;
  verdict: Verdict;
  /** What is to be done or known. */
  say?: string;
}

/** The layers that all nodes share. */
export interface SharedLayers {
  /** Undefined where no release was found or read. */
  helm: Readonly<Record<string, string>> | undefined;
  configMap: Readonly<Record<string, string>>;
  /** When a key of the ConfigMap was last written, at the latest; undefined where that is not known. */
  writtenMs: (key: string) => number | undefined;
}

/** The layers of one node. */
export interface NodeLayers {
  node: string;
  nodeConfig: Readonly<Record<string, string>>;
  nodeConfigWrittenMs: number | undefined;
  agent: Pick<AgentConfig, 'options' | 'readOnly'>;
  /** When its pod began, which is when it read the configuration. */
  startedMs: number | undefined;
}

/** What was found, and what could not be said. */
export interface Drift {
  rows: DriftRow[];
  /** Keys whose value the agents do not tell. */
  notShown: string[];
  /** Rows that are left out, since the agent began with this value and tells another: it changes it itself. */
  adjusted: DriftRow[];
  /** Nodes whose agent began before the configuration was last written. */
  behind: string[];
}

/** What `cilium config NAME=VALUE` changes while the agent runs, by key. */
const MUTABLE: Readonly<Record<string, string>> = {
  debug: 'Debug',
  'policy-audit-mode': 'PolicyAuditMode',
  'monitor-aggregation': 'MonitorAggregationLevel',
  'enable-source-ip-verification': 'SourceIPVerification',
  'bpf-events-drop-enabled': 'DropNotification',
  'bpf-events-trace-enabled': 'TraceNotification',
  'bpf-events-policy-verdict-enabled': 'PolicyVerdictNotification',
};

/** What may not be changed while pods are connected. */
const NEVER_LIVE = new Set([
  ...['ipam', 'cluster-id', 'cluster-name', 'identity-allocation-mode', 'routing-mode', 'tunnel-protocol'],
  ...['tunnel-port', 'datapath-mode', 'enable-ipv4', 'enable-ipv6', 'cluster-pool-ipv4-cidr'],
  'cluster-pool-ipv4-mask-size',
]);

/** Compares what Helm wrote, the ConfigMap, node configurations, and what agents run with. */
export function findDrift(
  shared: SharedLayers,
  nodes: readonly NodeLayers[],
  facts: Facts,
  minor: number,
): Drift {
  const rows = shared.helm ? notFromHelm(shared.helm, shared.configMap) : [];
  const notShown = new Set<string>();
  const adjusted: DriftRow[] = [];
  const behind: string[] = [];
  for (const node of nodes.toSorted((a, b) => compareNatural(a.node, b.node))) {
    const effective = { ...shared.configMap, ...node.nodeConfig };
    let isBehind = false;
    for (const key of Object.keys(effective).toSorted(compareBytes)) {
      const value = effective[key] ?? '';
      const isOwn = Object.hasOwn(node.nodeConfig, key);
      const writtenMs = isOwn ? node.nodeConfigWrittenMs : shared.writtenMs(key);
      const isLater = writtenMs !== undefined && node.startedMs !== undefined && writtenMs > node.startedMs;
      const isEarlier =
        writtenMs !== undefined && node.startedMs !== undefined && writtenMs <= node.startedMs;
      isBehind ||= isLater;
      const row = {
        node: node.node,
        key,
        ...(shared.helm?.[key] !== undefined && { helm: shared.helm[key] }),
        ...(shared.configMap[key] !== undefined && { configMap: shared.configMap[key] }),
        ...(isOwn && { nodeConfig: value }),
      };
      const told = tellsOf(node.agent, key);
      const fault = faultOf(key, value, facts, minor);
      if (told === undefined && fault) {
        rows.push({ ...row, ...fault });
        continue;
      }
      const same = told === undefined ? undefined : isSame(value, told.value);
      if (told === undefined || same === undefined) notShown.add(key);
      if (told === undefined || same !== false) continue;
      const full = { ...row, agent: textOf(told.value) };
      if (told.option !== undefined)
        rows.push({
          ...full,
          verdict: 'applies at once',
          say: `cilium config ${told.option}=${value} --node ${node.node}`,
        });
      else if (fault) rows.push({ ...full, ...fault });
      // A field that the agent has and does not fill in is empty; what it was given at its start it has changed itself.
      else if (isEarlier || (!isLater && isEmpty(told.value)))
        adjusted.push({ ...full, verdict: 'restart needed' });
      else
        rows.push({
          ...full,
          verdict: 'restart needed',
          ...(NEVER_LIVE.has(key) && { say: 'not on a live cluster: connected pods would be cut off' }),
        });
    }
    if (isBehind) behind.push(node.node);
  }
  return { rows, notShown: [...notShown].toSorted(compareBytes), adjusted, behind };
}

function notFromHelm(
  helm: Readonly<Record<string, string>>,
  configMap: Readonly<Record<string, string>>,
): DriftRow[] {
  return [...new Set([...Object.keys(helm), ...Object.keys(configMap)])]
    .toSorted(compareBytes)
    .filter((key) => helm[key] !== configMap[key])
    .map((key) => ({
      node: '',
      key,
      ...(helm[key] !== undefined && { helm: helm[key] }),
      ...(configMap[key] !== undefined && { configMap: configMap[key] }),
      verdict: 'not from Helm',
      say: 'the next helm upgrade sets it back',
    }));
}

/** What an agent of this release makes of a key: nothing that it knows, or a value that it does not take. */
function faultOf(
  key: string,
  value: string,
  facts: Facts,
  minor: number,
): { verdict: Verdict; say: string } | undefined {
  const position = { file: '', line: 0, column: 0 };
  const given: Given = {
    path: [key],
    value,
    type: 'string',
    children: [],
    position,
    valuePosition: position,
  };
  for (const { severity, code, message } of lintKey(given, key, keyScope(facts, minor, []))) {
    if (code === 'renamed' || (code === 'removed' && !facts.keys.has(key, minor)))
      return { verdict: 'unknown key', say: message };
    if (severity === 'error') return { verdict: 'refused', say: message };
  }
  return undefined;
}

/** The value of a key as an agent tells it; undefined where it does not. */
function tellsOf(
  { options, readOnly = {} }: NodeLayers['agent'],
  key: string,
): { value: unknown; option?: string } | undefined {
  const option = Object.hasOwn(MUTABLE, key) ? MUTABLE[key] : undefined;
  if (option !== undefined && options[option] !== undefined) return { value: options[option], option };
  const plain = key.replaceAll('-', '');
  const field = Object.keys(readOnly).find((name) => name.toLowerCase() === plain);
  return field === undefined ? undefined : { value: readOnly[field] };
}

const TRUE = /^(?:1|t|true|enabled)$/i;
const FALSE = /^(?:0|f|false|disabled)$/i;
const LEVELS: Readonly<Record<string, string>> = { '': 'none', disabled: 'none', max: 'maximum' };

/** Whether a text of the configuration is what an agent tells; undefined where the two cannot be compared. */
function isSame(text: string, told: unknown): boolean | undefined {
  const value = text.trim();
  if (typeof told === 'boolean') return truthOf(value) === undefined ? undefined : truthOf(value) === told;
  if (typeof told === 'number' || typeof told === 'bigint') return isSameNumber(value, Number(told));
  if (typeof told === 'string') {
    const [a, b] = [truthOf(value), truthOf(told)];
    if (a !== undefined && b !== undefined) return a === b;
    const level = (word: string) => LEVELS[word.toLowerCase()] ?? word.toLowerCase();
    return level(value) === level(told.trim());
  }
  if (Array.isArray(told) && told.every((item) => typeof item === 'string' || typeof item === 'number')) {
    const wanted = value.split(/[\s,]+/).filter(Boolean);
    const has = told.map(String);
    return wanted.length === has.length && wanted.every((word) => has.includes(word));
  }
  return undefined;
}

function truthOf(text: string): boolean | undefined {
  if (TRUE.test(text)) return true;
  return FALSE.test(text) ? false : undefined;
}

/** Durations are told in nanoseconds. */
function isSameNumber(text: string, told: number): boolean | undefined {
  if (/^[+-]?\d+(?:\.\d+)?$/.test(text)) return Number(text) === told;
  const ms = parseDurationMs(text);
  return ms === undefined ? undefined : ms * 1e6 === told;
}

function isEmpty(value: unknown): boolean {
  return (
    value === null ||
    value === undefined ||
    value === '' ||
    value === 0 ||
    value === false ||
    (Array.isArray(value) && value.length === 0)
  );
}
