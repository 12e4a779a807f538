import { UserError } from '../errors.ts';
import { atLeast, type Release } from '../model/release.ts';

/** A setting of the daemon or an endpoint that can be changed while the agent runs. */
export interface MutableOption {
  name: string;
  description: string;
  /** Who has it; default both. */
  only?: 'daemon' | 'endpoint';
  /** The first release that has it. */
  since?: Release;
  /** The first release that no longer has it. */
  until?: Release;
}

/** Every option of every release; those of 1.20 first. */
const OPTIONS: readonly MutableOption[] = [
  { name: 'Debug', description: 'Enable debugging trace statements' },
  {
    name: 'DebugTagged',
    description: 'Enable debugging trace statements for tagged packets',
    only: 'daemon',
    since: '1.18',
  },
  { name: 'DebugLB', description: 'Enable debugging trace statements for load balancer' },
  { name: 'DebugPolicy', description: 'Enable debugging trace statements for policy enforcement' },
  { name: 'DropNotification', description: 'Enable drop notifications' },
  { name: 'TraceNotification', description: 'Enable trace notifications' },
  { name: 'PolicyVerdictNotification', description: 'Enable policy verdict notifications' },
  { name: 'PolicyAuditMode', description: 'Enable audit mode for policies' },
  {
    name: 'MonitorAggregationLevel',
    description: 'Set the level of aggregation for monitor events in the datapath',
  },
  {
    name: 'SourceIPVerification',
    description: 'Enable the check of the source IP on pod egress',
    since: '1.14',
  },
  {
    name: 'ConntrackAccounting',
    description: 'Enable per flow (conntrack) statistics',
    until: '1.18',
  },
  {
    name: 'ConntrackLocal',
    description: 'Use endpoint dedicated tracking table instead of global one',
    until: '1.18',
  },
  {
    name: 'PolicyAccounting',
    description: 'Count packets and bytes per policy entry',
    since: '1.17',
    until: '1.18',
  },
  { name: 'Conntrack', description: 'Enable stateful connection tracking', until: '1.12' },
  { name: 'NAT46', description: 'Enable automatic NAT46 translation', until: '1.12' },
];

/** The options that somebody can change, of any release. */
export function mutableOptions(of: 'daemon' | 'endpoint'): MutableOption[] {
  return OPTIONS.filter((option) => option.only === undefined || option.only === of);
}

/** The options of a release, as `--list-options` shows them. */
export function optionsOf(of: 'daemon' | 'endpoint', release: Release): MutableOption[] {
  return mutableOptions(of).filter(
    ({ since, until }) =>
      (since === undefined || atLeast(release, since)) && (until === undefined || !atLeast(release, until)),
  );
}

/** The argument is not an option that can be set; the message is the reference's. */
export class OptionError extends UserError {
  override name = 'OptionError';
}

const AGGREGATION_LEVELS: Readonly<Record<string, number>> = {
  '': 0,
  none: 0,
  disabled: 0,
  lowest: 1,
  low: 2,
  medium: 3,
  max: 4,
  maximum: 4,
};

/** Parses `Name=value`; the name in any case. The value is 0, 1 or, for an aggregation level, up to 4. */
export function parseOption(
  argument: string,
  of: 'daemon' | 'endpoint',
): { option: MutableOption; value: number } {
  const off = argument.startsWith('!');
  const body = off ? argument.slice(1) : argument;
  const at = body.indexOf('=');
  if (at === -1) throw new OptionError('invalid option format', { hint: 'Expected Name=value.' });
  if (off)
    throw new OptionError('invalid boolean format', {
      hint: 'Leave out either the ! or the = and what follows.',
    });
  const name = body.slice(0, at);
  const option = mutableOptions(of).find((known) => known.name.toLowerCase() === name.toLowerCase());
  if (!option)
    throw new OptionError(`unknown option ${JSON.stringify(name)}`, {
      hint: `Options: ${mutableOptions(of)
        .map((known) => known.name)
        .join(', ')}.`,
    });
  const text = body.slice(at + 1);
  if (option.name === 'MonitorAggregationLevel') return { option, value: parseLevel(text) };
  const value = parseSwitch(text);
  if (value === undefined)
    throw new OptionError(`invalid option value ${text}`, { hint: 'Expected true or false.' });
  return { option, value: value ? 1 : 0 };
}

function parseLevel(text: string): number {
  const named = Object.hasOwn(AGGREGATION_LEVELS, text.toLowerCase())
    ? AGGREGATION_LEVELS[text.toLowerCase()]
    : undefined;
  if (named !== undefined) return named;
  if (!/^[+-]?\d+$/.test(text))
    throw new OptionError(`invalid monitor aggregation level ${JSON.stringify(text)}`, {
      hint: 'Expected none, lowest, low, medium, max or 0 to 4.',
    });
  const level = Number(text);
  if (level < 0 || level > 4) throw new OptionError('monitor aggregation level must be between 0 and 4');
  return level;
}

/** On or off in one of the words that the agent takes; undefined when it is none of them. */
export function parseSwitch(text: string): boolean | undefined {
  switch (text.toLowerCase()) {
    case 'true':
    case 'on':
    case 'enable':
    case 'enabled':
    case '1':
      return true;
    case 'false':
    case 'off':
    case 'disable':
    case 'disabled':
    case '0':
      return false;
    default:
      return undefined;
  }
}

/** A value as it is shown: switches in one pair of words, anything else as it is. */
export function shownValue(text: string): string {
  const on = parseSwitch(text);
  if (on === undefined) return text;
  return on ? 'Enabled' : 'Disabled';
}
