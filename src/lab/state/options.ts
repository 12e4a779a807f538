import type { Options } from './state.ts';

/** Settings of the agent that can be changed while it runs. */
export const DEFAULT_OPTIONS: Readonly<Options> = {
  Debug: 'Disabled',
  DebugLB: 'Disabled',
  DropNotification: 'Enabled',
  MonitorAggregationLevel: 'None',
  PolicyAuditMode: 'Disabled',
  PolicyTracing: 'Disabled',
  PolicyVerdictNotification: 'Enabled',
  SourceIPVerification: 'Enabled',
  TraceNotification: 'Enabled',
};

/** Settings of an endpoint that can be changed while it runs. */
export const ENDPOINT_OPTIONS: Readonly<Options> = {
  Debug: 'Disabled',
  DebugLB: 'Disabled',
  DebugPolicy: 'Disabled',
  DropNotification: 'Enabled',
  MonitorAggregationLevel: 'None',
  PolicyAuditMode: 'Disabled',
  PolicyVerdictNotification: 'Enabled',
  SourceIPVerification: 'Enabled',
  TraceNotification: 'Enabled',
};

/** Settings that older agents have as well. */
const OLDER = new Set([
  'ConntrackAccounting',
  'ConntrackLocal',
  'Conntrack',
  'DebugPolicy',
  'DebugTagged',
  'PolicyAccounting',
  'NAT46',
]);

const LEVELS = ['None', 'Lowest', 'Low', 'Medium', 'Maximum'];
const ON = new Set(['enabled', 'enable', 'true', 'on', '1']);
const OFF = new Set(['disabled', 'disable', 'false', 'off', '0']);

/** A change of options that cannot be made. */
export class OptionError extends Error {
  override name = 'OptionError';
}

/** Returns `options` with the changes in their normal form; names are matched in any case. */
export function changeOptions(options: Options, changes: Readonly<Record<string, string>>): Options {
  const next = { ...options };
  for (const [given, value] of Object.entries(changes)) {
    const name = [...Object.keys(options), ...OLDER].find(
      (known) => known.toLowerCase() === given.toLowerCase(),
    );
    if (!name) throw new OptionError(`unknown option ${given}`);
    next[name] = normalValue(name, value);
  }
  return next;
}

function normalValue(name: string, value: string): string {
  const word = value.toLowerCase();
  if (name === 'MonitorAggregationLevel') {
    const level =
      LEVELS[Number(value)] ??
      LEVELS.find((known) => known.toLowerCase() === (word === 'max' ? 'maximum' : word));
    if (word === '' || OFF.has(word)) return 'None';
    if (!level) throw new OptionError(`invalid monitor aggregation level "${value}"`);
    return level;
  }
  if (ON.has(word)) return 'Enabled';
  if (OFF.has(word)) return 'Disabled';
  throw new OptionError(`invalid option value ${value} for option ${name}`);
}
