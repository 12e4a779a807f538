import { UserError } from '../../errors.ts';
import type { Action, Feeder, Item, Restore } from '../../model/cleanup.ts';
import { parseIpsets, parseSave } from '../state/firewall.ts';
import { failureOf, type Run } from '../state/run.ts';
import type { FirewallTable, NodeState } from '../state/state.ts';
import { mustRun } from './must-run.ts';
import { command, LOOKS_OWN, OWN_IPSETS } from './own.ts';

type FirewallRecord = Extract<Restore, { bring: 'firewall' }>;
type FirewallRemoval = Extract<Action, { do: 'firewall' }>;
type IpsetRecord = Extract<Restore, { bring: 'ipset' }>;

/** Chains and rules of every iptables variant, a table at a time, and ip sets. */
export function firewallItems({ firewall, ipsets }: NodeState): Item[] {
  const tables = firewall.flatMap((table): Item[] => {
    const own = ownFirewall(table);
    if (own.chains.length === 0 && own.feeders.length === 0) return [];
    return [
      {
        id: `iptables ${table.program} ${table.table}`,
        kind: 'iptables',
        what: `${table.program} table ${table.table}: ${count(own.chains.length, 'chain')}, ${count(own.inside.length + own.feeders.length, 'rule')}`,
        why: 'the chains have the names that Cilium gives, the other rules lead to them',
        remove: [{ do: 'firewall', program: table.program, table: table.table, lines: removalLines(own) }],
        restore: [{ bring: 'firewall', program: table.program, table: table.table, ...own }],
        details: [
          ...own.chains.map((chain) => `:${chain}`),
          ...own.feeders.map(({ rule }) => rule),
          ...own.inside,
        ],
      },
    ];
  });
  const sets = ipsets
    .filter(({ name }) => OWN_IPSETS.includes(name) && standsOn(name, { firewall, ipsets }) === undefined)
    .map(
      ({ name, saved }): Item => ({
        id: `ipset ${name}`,
        kind: 'ipset',
        what: `ipset ${name}`,
        why: "it is the set of the nodes' addresses",
        remove: [command(['ipset', 'destroy', name])],
        restore: [{ bring: 'ipset', name, lines: saved.split('\n').filter(Boolean) }],
      }),
    );
  return [...tables, ...sets];
}

/** Sets and chains that are named like Cilium's and are none of them. */
export function firewallLeft({ firewall, ipsets }: NodeState): string[] {
  const chains = firewall.flatMap(({ program, table, chains }) =>
    chains
      .filter((chain) => /^(?:OLD_)?CILIUM_/.test(chain) && !isOwnChain(table, chain))
      .map((chain) => `chain ${chain} (${program} table ${table})`),
  );
  const sets = ipsets
    .filter(({ name }) => LOOKS_OWN.test(name) && !OWN_IPSETS.includes(name))
    .map(({ name }) => `ipset ${name}`);
  const used = ipsets.flatMap(({ name }) => {
    const by = OWN_IPSETS.includes(name) ? standsOn(name, { firewall, ipsets }) : undefined;
    return by === undefined ? [] : [`ipset ${name}: ${by} stands on it`];
  });
  return [
    ...[...chains, ...sets].map((what) => `${what}: no release of Cilium makes one of this name`),
    ...used,
  ];
}

/** What of somebody else uses a set: another set, or a rule. The kernel would not let it go. */
function standsOn(
  name: string,
  { firewall, ipsets }: Pick<NodeState, 'firewall' | 'ipsets'>,
): string | undefined {
  const set = ipsets.find((other) =>
    other.saved.split('\n').some((line) => {
      const [verb, into, member] = line.split(' ');
      return verb === 'add' && into === other.name && member === name && other.name !== name;
    }),
  );
  if (set) return `ipset ${set.name}`;
  for (const table of firewall) {
    const { inside, feeders } = ownFirewall(table);
    const own = new Set([...inside, ...feeders.map(({ rule }) => rule)]);
    const rule = table.rules.find((each) => !own.has(each) && usesSet(each, name));
    if (rule)
      return `a rule of somebody else (${table.program} table ${table.table}, chain ${chainOf(rule)})`;
  }
  return undefined;
}

function usesSet(rule: string, name: string): boolean {
  const words = rule.split(' ');
  return words.some((word, i) => /^--(?:match|add|del)-set$/.test(word) && words[i + 1] === name);
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

/** The chains of Cilium, by table. While it changes them, the earlier ones are named `OLD_…`. */
const CHAINS: Readonly<Record<string, readonly string[]>> = {
  filter: ['CILIUM_INPUT', 'CILIUM_OUTPUT', 'CILIUM_FORWARD', 'CILIUM_TRANSIENT_FORWARD'],
  nat: ['CILIUM_PRE_nat', 'CILIUM_OUTPUT_nat', 'CILIUM_POST_nat', 'CILIUM_POST', 'CILIUM_POST_KUBE'],
  mangle: ['CILIUM_PRE_mangle', 'CILIUM_POST_mangle'],
  raw: ['CILIUM_PRE_raw', 'CILIUM_OUTPUT_raw'],
};

function isOwnChain(table: string, chain: string): boolean {
  return Object.hasOwn(CHAINS, table) && CHAINS[table]?.includes(chain.replace(/^OLD_/, '')) === true;
}

/** What of a table is Cilium's. */
interface OwnFirewall {
  chains: string[];
  /** Rules in its chains. */
  inside: string[];
  /** Rules in other chains that lead to its chains. */
  feeders: Feeder[];
}

/** Picks what is Cilium's out of a table: its chains, and the rules elsewhere that jump to them. */
function ownFirewall({ table, chains, rules }: FirewallTable): OwnFirewall {
  const byChain = Map.groupBy(rules, chainOf);
  const feeders = [...byChain].flatMap(([chain, all]) =>
    isOwnChain(table, chain)
      ? []
      : all.flatMap((rule, i): Feeder[] =>
          isOwnChain(table, targetOf(rule) ?? '')
            ? [{ chain, rule, before: all.slice(0, i), after: all.slice(i + 1) }]
            : [],
        ),
  );
  return {
    chains: chains.filter((chain) => isOwnChain(table, chain)),
    inside: rules.filter((rule) => isOwnChain(table, chainOf(rule))),
    feeders,
  };
}

function chainOf(rule: string): string {
  return rule.split(' ')[1] ?? '';
}

/** The chain that a rule jumps or goes to. Words in quotes, such as comments and prefixes of logs, are no targets. */
function targetOf(rule: string): string | undefined {
  const words = rule.match(/"(?:\\.|[^"\\])*"|\S+/g) ?? [];
  const place = words.findLastIndex((word) => word === '-j' || word === '-g');
  return place < 0 ? undefined : words[place + 1];
}

/** Lines for `iptables-restore --noflush` that remove what is Cilium's and nothing else. */
function removalLines({ feeders, chains }: OwnFirewall): string[] {
  return [
    ...feeders.map(({ rule }) => rule.replace(/^-A/, '-D')),
    ...chains.map((chain) => `-F ${chain}`),
    ...chains.map((chain) => `-X ${chain}`),
  ];
}

/** The lines for which something still stands. */
function linesLeft(lines: readonly string[], now: FirewallTable | undefined): string[] {
  const rules = [...(now?.rules ?? [])];
  return lines.filter((line) => {
    if (!line.startsWith('-D ')) return now?.chains.includes(chainOf(line)) === true;
    // The same rule may stand in a chain more than once.
    const place = rules.indexOf(line.replace(/^-D/, '-A'));
    if (place >= 0) rules.splice(place, 1);
    return place >= 0;
  });
}

/**
 * Removes what still stands of a table, line by line where all at once is refused: one rule that has gone by then fails
 * them all. Whether something stands is read from the table, never from what the program says. Returns false when
 * nothing of it stood.
 */
export async function removeFirewall({ program, table, lines }: FirewallRemoval, run: Run): Promise<boolean> {
  const restore = [`${program}-restore`, '--noflush'];
  const left = async () => linesLeft(lines, await readTable({ program, table }, run));
  const standing = await left();
  if (standing.length === 0) return false;
  if ((await run(restore, script(table, standing))).code === 0) return true;
  const refused = new Map<string, string>();
  for (const line of await left()) {
    const alone = await run(restore, script(table, [line]));
    if (alone.code !== 0) refused.set(line, failureOf(alone));
  }
  const still = await left();
  if (still.length === 0) return true;
  const reasons = still.map((line) => `${line}${refused.has(line) ? ` (${refused.get(line)})` : ''}`);
  throw new UserError(`${restore.join(' ')}: ${reasons.join('; ')}`);
}

function script(table: string, lines: readonly string[]): string {
  return `*${table}\n${lines.join('\n')}\nCOMMIT\n`;
}

/** Lines for `iptables-restore --noflush` that bring back what is missing. */
function restoreLines(step: FirewallRecord, now: FirewallTable | undefined): string[] {
  const standing = new Set(now?.chains);
  const inside = missingOf(step.inside, now?.rules ?? []);
  const lines = [
    ...step.chains.filter((chain) => !standing.has(chain)).map((chain) => `:${chain} - [0:0]`),
    ...inside,
  ];
  const chains = Map.groupBy(now?.rules ?? [], chainOf);
  for (const [chain, feeders] of Map.groupBy(step.feeders, (feeder) => feeder.chain)) {
    const rules = [...(chains.get(chain) ?? [])];
    const missing = missingOf(
      feeders.map(({ rule }) => rule),
      rules,
    );
    for (const feeder of feeders) {
      const open = missing.indexOf(feeder.rule);
      if (open < 0) continue;
      missing.splice(open, 1);
      const place = placeOf(feeder, rules);
      lines.push(
        place === undefined ? feeder.rule : feeder.rule.replace(`-A ${chain}`, `-I ${chain} ${place + 1}`),
      );
      rules.splice(place ?? rules.length, 0, feeder.rule);
    }
  }
  return lines;
}

/** Where a rule goes: behind the nearest one that was before it, or in front of the nearest one behind it. */
function placeOf({ before, after }: Feeder, rules: readonly string[]): number | undefined {
  if (before.length === 0) return rules.length === 0 ? undefined : 0;
  for (let i = before.length - 1; i >= 0; i--) {
    // The same rule may stand in a chain more than once.
    const nth = before.slice(0, i + 1).filter((rule) => rule === before[i]).length;
    const place = nthIndex(rules, before[i] ?? '', nth);
    if (place >= 0) return place + 1 === rules.length ? undefined : place + 1;
  }
  const next = after.map((rule) => rules.indexOf(rule)).find((place) => place >= 0);
  return next;
}

function nthIndex(rules: readonly string[], wanted: string, nth: number): number {
  let seen = 0;
  return rules.findIndex((rule) => rule === wanted && ++seen === nth);
}

/** The rules that do not stand as often as they should. */
function missingOf(wanted: readonly string[], standing: readonly string[]): string[] {
  const left = [...standing];
  return wanted.filter((rule) => {
    const place = left.indexOf(rule);
    if (place >= 0) left.splice(place, 1);
    return place < 0;
  });
}

/** Whether what is recorded of a table is what cleanup removes. */
export function isOwnFirewallRecord(step: FirewallRecord): boolean {
  const texts = (list: unknown): list is string[] =>
    Array.isArray(list) && list.every((each) => typeof each === 'string' && !/[\n\0]/.test(each));
  return (
    /^ip6?tables(?:-nft|-legacy)?$/.test(step.program) &&
    Object.hasOwn(CHAINS, step.table) &&
    texts(step.chains) &&
    step.chains.every((chain) => isOwnChain(step.table, chain)) &&
    texts(step.inside) &&
    step.inside.every((rule) => rule.startsWith('-A ') && isOwnChain(step.table, chainOf(rule))) &&
    Array.isArray(step.feeders) &&
    step.feeders.every(
      ({ chain, rule, before, after }) =>
        texts([rule, chain]) &&
        [before, after].every(
          (list) => Array.isArray(list) && list.every((each) => typeof each === 'string'),
        ) &&
        rule.startsWith(`-A ${chain} `) &&
        isOwnChain(step.table, targetOf(rule) ?? ''),
    )
  );
}

/** What would be fed to iptables-restore if nothing of it stood. */
export function firewallCommands(step: FirewallRecord): string[] {
  return [
    `${step.program}-restore --noflush`,
    ...script(step.table, restoreLines(step, undefined))
      .trimEnd()
      .split('\n')
      .map((line) => `< ${line}`),
  ];
}

/** Brings back what is missing of a table, rule by rule where all at once is refused. */
export async function restoreFirewall(step: FirewallRecord, run: Run): Promise<boolean> {
  const restore = [`${step.program}-restore`, '--noflush'];
  const missing = async () => restoreLines(step, await readTable(step, run));
  const lines = await missing();
  if (lines.length === 0) return false;
  const ran = await run(restore, script(step.table, lines));
  if (ran.code === 0) return true;
  // A rule alone may be refused: of a match that this kernel lacks, or for a chain that is gone.
  const refused: string[] = [];
  for (const line of lines) {
    const alone = await run(restore, script(step.table, [line]));
    if (alone.code !== 0) refused.push(`${line} (${failureOf(alone)})`);
  }
  if (refused.length > 0) throw new UserError(`${restore.join(' ')}: ${refused.join('; ')}`);
  return true;
}

async function readTable(
  { program, table }: { program: string; table: string },
  run: Run,
): Promise<FirewallTable | undefined> {
  const ran = await run([`${program}-save`, '-t', table]);
  if (ran.code !== 0) throw new UserError(`${program}-save -t ${table}: ${failureOf(ran)}`);
  return parseSave(program, ran.stdout).find((each) => each.table === table);
}

/** Whether a recorded set is one that cleanup removes. */
export function isOwnIpsetRecord({ name, lines }: IpsetRecord): boolean {
  return (
    OWN_IPSETS.includes(name) &&
    Array.isArray(lines) &&
    lines.length > 0 &&
    lines.every(
      (line, i) =>
        typeof line === 'string' &&
        !/[\n\0]/.test(line) &&
        line.startsWith(`${i === 0 ? 'create' : 'add'} ${name} `),
    )
  );
}

/** Brings back a set, or the entries that are missing in one of the same form. */
export async function restoreIpset({ name, lines }: IpsetRecord, run: Run): Promise<boolean> {
  const ran = await run(['ipset', 'save']);
  if (ran.code !== 0) throw new UserError(`ipset save: ${failureOf(ran)}`);
  const standing = parseIpsets(ran.stdout).find((set) => set.name === name);
  const has = new Set(standing?.saved.split('\n'));
  const missing = lines.filter((line, i) => (i === 0 ? !standing : !has.has(line)));
  if (missing.length === 0) return false;
  await mustRun(run, ['ipset', 'restore', '-exist'], `${missing.join('\n')}\n`);
  return true;
}
