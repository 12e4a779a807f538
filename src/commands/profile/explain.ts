import { Command } from 'commander';
import { DEFAULT_SOCKET } from '../../agent/client.ts';
import { chosenProfile, readConfigFile } from '../../cli/config-file.ts';
import { examples, familyFlag } from '../../cli/flags.ts';
import { readSettings } from '../../cli/hubble/settings.ts';
import { type ListFlags, listVerb, printTable } from '../../cli/list.ts';
import { writeStructured } from '../../cli/output.ts';
import { PROFILE_KEYS } from '../../cli/profile/keys.ts';
import type { Context } from '../../context.ts';
import { KEYS } from '../../model/hubble-key.ts';
import { type SettingRow, settingTable } from '../../render/profile.ts';

/** Declares `profile explain`. */
export function addProfileExplainCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples(
      'cilium profile explain',
      'cilium profile explain --profile prod',
      'cilium profile explain -o json',
    ),
  );
  listVerb(command, ctx, (flags) => runProfileExplain(command, flags, ctx), 'The machine');
}

/** Says of every setting what gives it. Nothing is asked of anybody. */
export async function runProfileExplain(command: Command, flags: ListFlags, ctx: Context): Promise<void> {
  const rows = [...(await ofAgents(command, ctx)), ...(await ofHubble(command, ctx))];
  if (flags.output && !['wide', 'name'].includes(flags.output))
    return writeStructured(ctx, flags.output, rows);
  await printTable(ctx, flags, settingTable(rows));
}

/** A place that may give a setting: what it says, and what it is called. */
type Giver = readonly [value: unknown, from: string];

function row(setting: string, ...givers: readonly Giver[]): SettingRow {
  const [value, from = 'default'] = givers.find(([one]) => one !== undefined) ?? [];
  return { setting, value: value === undefined ? '' : String(value), from };
}

/** What the verbs of agents and clusters go by, as `readGlobals` takes it. */
async function ofAgents(command: Command, ctx: Context): Promise<SettingRow[]> {
  const { env } = ctx;
  const flag = (name: string): Giver => [familyFlag(command, name), `flag --${name}`];
  const variable = (name: string): Giver => [env[name] || undefined, `environment ${name}`];
  const named = familyFlag<string>(command, 'profile');
  const profile = await chosenProfile(named, ctx);
  const config = familyFlag<string>(command, 'config');
  const file = await readConfigFile(config, ctx);
  const ofFile = (value: unknown): Giver => [value, config ? `config file ${config}` : 'config file in HOME'];
  const ofProfile = (key: string): Giver => [profile?.settings[key], `profile ${profile?.name}`];
  const isAgentNamed = env.CILIUM_HOST !== undefined || Boolean(env.CILIUM_SOCK);
  const agent = (key: string): Giver[] =>
    isAgentNamed || familyFlag(command, 'host') !== undefined ? [] : [ofProfile(key)];
  const socket: Giver = env.CILIUM_SOCK
    ? [`unix://${env.CILIUM_SOCK}`, 'environment CILIUM_SOCK']
    : [`unix://${DEFAULT_SOCKET}`, 'default'];
  return [
    row(
      'profile',
      [named, 'flag --profile'],
      variable('CILIUM_PROFILE'),
      [profile?.name, `current in ${profile?.path}`],
      ['none', 'default'],
    ),
    row('host', flag('host'), variable('CILIUM_HOST'), ...agent('host'), ofFile(file.host), socket),
    row('node', ...agent('node')),
    row('debug', flag('debug'), variable('CILIUM_DEBUG'), ofFile(file.debug), [false, 'default']),
    row('kubeconfig', flag('kubeconfig'), variable('KUBECONFIG'), ofProfile('kubeconfig'), [
      '~/.kube/config',
      'default',
    ]),
    row('context', flag('context'), ofProfile('context'), ['', 'default: the current one of the kubeconfig']),
    row('namespace', flag('namespace'), variable('CILIUM_NAMESPACE'), ofProfile('namespace'), [
      '',
      'default: looked for',
    ]),
    row('bpf-root', variable('CILIUM_BPF_ROOT'), ['/sys/fs/bpf', 'default']),
  ];
}

/** What the verbs of Hubble go by. */
async function ofHubble(command: Command, ctx: Context): Promise<SettingRow[]> {
  const { debug } = ctx.globals;
  const named = familyFlag<string>(command, 'profile');
  // Flags of hubble have other meanings here.
  const asked = new Command('hubble').option('--profile <name>');
  if (named !== undefined) asked.setOptionValueWithSource('profile', named, 'cli');
  const settings = await readSettings(asked, ctx);
  ctx.globals.debug = debug;
  const { file, profile } = settings.sources;
  const secret = new Set(PROFILE_KEYS.flatMap(({ hubble, secret: is }) => (is && hubble ? [hubble] : [])));
  return KEYS.map(({ name }) => {
    const origin = settings.origin(name);
    const value = settings.all[name];
    const text = Array.isArray(value) ? value.join(',') : String(value ?? '');
    const from = {
      flag: `flag --${name}`,
      environment: `environment HUBBLE_${name.toUpperCase().replaceAll('-', '_')}`,
      profile: `profile ${profile?.name}`,
      file: `config file ${file}`,
      default: 'default',
    }[origin];
    return { setting: `hubble ${name}`, value: secret.has(name) && text !== '' ? '(not shown)' : text, from };
  });
}
