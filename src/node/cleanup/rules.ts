import { isDeepStrictEqual } from 'node:util';
import { UserError } from '../../errors.ts';
import type { Action, Item, Restore } from '../../model/cleanup.ts';
import type { Family, IpRule } from '../../model/ip.ts';
import { readRules } from '../state/read.ts';
import type { Run } from '../state/run.ts';
import type { NodeState } from '../state/state.ts';
import { mustRun } from './must-run.ts';
import { command } from './own.ts';
import { podAddresses } from './routes.ts';

type RuleRecord = Extract<Restore, { bring: 'rule' }>;

/** Marks and tables of Cilium's policy routing: to the proxy, from the proxy, and of IPsec. */
const OWN_RULES: readonly { fwmark: string; fwmask: string; table: string; why: string }[] = [
  {
    fwmark: '0x200',
    fwmask: '0xf00',
    table: '2004',
    why: 'mark 0x200/0xf00 sends proxied traffic to table 2004',
  },
  {
    fwmark: '0xa00',
    fwmask: '0xf00',
    table: '2005',
    why: 'mark 0xa00/0xf00 sends traffic of the proxy to table 2005',
  },
  {
    fwmark: '0xb00',
    fwmask: '0xf00',
    table: '2005',
    why: 'mark 0xb00/0xf00 sends traffic of the proxy to table 2005',
  },
  { fwmark: '0xd00', fwmask: '0xf00', table: '200', why: 'mark 0xd00/0xf00 is of IPsec decryption' },
  { fwmark: '0xe00', fwmask: '0xf00', table: '200', why: 'mark 0xe00/0xf00 is of IPsec encryption' },
];

/** Priorities of the rules for addresses of pods, and of the kernel's rule where Cilium moves it. */
const POD_PRIORITIES = [20, 110, 111];
const MOVED_PRIORITY = 100;

/** Policy routing rules, among them the kernel's own one that Cilium moves. */
export function ruleItems(state: NodeState): Item[] {
  return state.rules.flatMap(({ family, rule }): Item[] => {
    const words = ruleWords(rule);
    const item = (reason: string, remove: Action[], restore: Restore): Item => ({
      id: `rule ${family} ${words.join(' ')}`,
      kind: 'rule',
      what: `IPv${family} rule ${words.join(' ')}`,
      why: reason,
      remove,
      restore: [restore],
    });
    const why = ownRule(rule, podAddresses(state));
    if (why && obstacle(state, family, rule) === undefined)
      return [item(why, [command(ip(family, 'del', ...words))], { bring: 'rule', family, rule })];
    const rules = rulesOf(state, family);
    if (!isMovedRule(rule) || rules.some(({ priority }) => priority === 0)) return [];
    return [
      item(
        "Cilium moved the kernel's rule for local addresses from priority 0 to 100; it goes back",
        // One program for both: nobody is to see neither of them, nor an end in between.
        [
          command(
            ['ip', `-${family}`, '-batch', '-'],
            `rule add pref 0 lookup local protocol kernel\nrule del ${words.join(' ')}\n`,
          ),
        ],
        { bring: 'local-rule', family, rule },
      ),
    ];
  });
}

/** Rules of Cilium that stay, because ip would remove another one instead, or undo could not bring it to its place. */
export function rulesLeft(state: NodeState): string[] {
  return state.rules.flatMap(({ family, rule }) => {
    const why = ownRule(rule, podAddresses(state)) && obstacle(state, family, rule);
    return why ? [`IPv${family} rule ${ruleWords(rule).join(' ')}: ${why}`] : [];
  });
}

function rulesOf(state: NodeState, family: Family): IpRule[] {
  return state.rules.filter((each) => each.family === family).map(({ rule }) => rule);
}

/** Why a rule is Cilium's, if it is. It makes none with `not`, ports, a protocol or a device. */
function ownRule(rule: IpRule, pods: ReadonlySet<string>): string | undefined {
  if (!isPlain(rule)) return undefined;
  if (POD_PRIORITIES.includes(rule.priority) && (pods.has(rule.src ?? '') || pods.has(rule.dst ?? '')))
    return 'it routes an address of a pod of this node';
  if ((rule.src ?? 'all') !== 'all' || (rule.dst ?? 'all') !== 'all') return undefined;
  return OWN_RULES.find(
    (own) => own.fwmark === rule.fwmark && own.fwmask === rule.fwmask && own.table === rule.table,
  )?.why;
}

function isMovedRule(rule: IpRule): boolean {
  return (
    isPlain(rule) &&
    rule.priority === MOVED_PRIORITY &&
    rule.table === 'local' &&
    (rule.src ?? 'all') === 'all' &&
    (rule.dst ?? 'all') === 'all' &&
    rule.fwmark === undefined
  );
}

/**
 * Why a rule cannot go and come back. ip removes the first rule that has all that is asked for, whatever else it has; and
 * a rule that is added goes behind the others of its priority.
 */
function obstacle(state: NodeState, family: Family, rule: IpRule): string | undefined {
  const pods = podAddresses(state);
  const rules = rulesOf(state, family);
  const place = rules.indexOf(rule);
  const isOther = (other: IpRule) => ownRule(other, pods) === undefined;
  const taken = rules.slice(0, place).find((other) => isOther(other) && covers(other, rule));
  if (taken) return 'ip would remove a rule of somebody else that has the same and more';
  const behind = rules.slice(place + 1).find((other) => isOther(other) && other.priority === rule.priority);
  return behind && 'undo could not put it in front of the other rule of this priority';
}

/** Whether a rule has everything that another one asks for. */
function covers(rule: IpRule, asked: IpRule): boolean {
  // What is not asked for is not compared.
  return Object.entries(asked).every(
    ([field, value]) => value === 'all' || value === 'unspec' || isDeepStrictEqual(rule[field], value),
  );
}

/** Fields of a rule that `ruleWords` writes. */
const RULE_FIELDS = new Set('priority src srclen dst dstlen fwmark fwmask table protocol'.split(' '));

function isPlain(rule: IpRule): boolean {
  return Object.keys(rule).every((field) => RULE_FIELDS.has(field));
}

function ip(family: Family, ...words: string[]): string[] {
  return ['ip', `-${family}`, 'rule', ...words];
}

function ruleWords(rule: IpRule): string[] {
  const prefix = (address: string | undefined, length: number | undefined) =>
    address === undefined || address === 'all'
      ? undefined
      : length === undefined
        ? address
        : `${address}/${length}`;
  const words = ['pref', String(rule.priority)];
  const from = prefix(rule.src, rule.srclen);
  const to = prefix(rule.dst, rule.dstlen);
  if (from) words.push('from', from);
  if (to) words.push('to', to);
  if (rule.fwmark) words.push('fwmark', rule.fwmask ? `${rule.fwmark}/${rule.fwmask}` : rule.fwmark);
  if (rule.table) words.push('lookup', rule.table);
  if (rule.protocol && rule.protocol !== 'unspec') words.push('protocol', rule.protocol);
  return words;
}

/** Whether a recorded rule is one that cleanup removes. */
export function isOwnRuleRecord(step: Extract<Restore, { bring: 'rule' | 'local-rule' }>): boolean {
  const { family, rule } = step;
  const address = [rule.src, rule.dst].filter((each) => each !== undefined && each !== 'all');
  if (family !== 4 && family !== 6) return false;
  if (!isPlain(rule) || !Number.isInteger(rule.priority)) return false;
  return step.bring === 'local-rule'
    ? isMovedRule(rule)
    : ownRule(rule, new Set(address.filter((each) => each !== undefined))) !== undefined;
}

/** The commands that would bring a rule back. */
export function ruleCommands({
  bring,
  family,
  rule,
}: Extract<Restore, { bring: 'rule' | 'local-rule' }>): string[][] {
  const add = ip(family, 'add', ...ruleWords(rule));
  return bring === 'rule' ? [add] : [add, ip(family, 'del', 'pref', '0', 'lookup', 'local')];
}

/** Brings a rule back unless it stands. Returns whether anything was to be done. */
export async function restoreRule(
  step: Extract<Restore, { bring: 'rule' | 'local-rule' }>,
  run: Run,
): Promise<boolean> {
  const { family, rule } = step;
  const [add = [], remove] = ruleCommands(step);
  const standing = await currentRules(run, family);
  const there = standing.some((each) => isDeepStrictEqual(each, rule));
  if (!there) {
    await mustRun(run, add);
    const now = await currentRules(run, family);
    if (!now.some((each) => isDeepStrictEqual(each, rule)))
      throw new UserError('it came back in another form: compare "ip -d rule"');
  }
  const first = standing.find((each) => each.priority === 0 && each.table === 'local');
  if (!remove || !first) return !there;
  await mustRun(run, remove);
  return true;
}

/**
 * Puts rules of one priority into the order of the record, where they were brought back by more than one record. A rule
 * goes to the end of its priority when it is added, so each that stands too early is removed and added again.
 */
export async function orderRules(steps: readonly Restore[], run: Run): Promise<boolean> {
  const recorded = steps.filter((step) => step.bring === 'rule');
  let changed = false;
  for (const group of Map.groupBy(recorded, ({ family, rule }) => `${family} ${rule.priority}`).values()) {
    const place = (rules: readonly IpRule[], { rule }: RuleRecord) =>
      rules.findIndex((each) => isDeepStrictEqual(each, rule));
    const first = await currentRules(run, group[0]?.family ?? 4);
    const places = group.map((step) => place(first, step)).filter((each) => each >= 0);
    const wrong = places.findIndex((each, i) => i > 0 && each < (places[i - 1] ?? 0));
    if (wrong < 0) continue;
    for (const step of group.slice(1)) {
      const now = await currentRules(run, step.family);
      const here = place(now, step);
      // It could not come back, or ip would remove another one.
      if (here < 0 || now.findIndex((rule) => covers(rule, step.rule)) !== here) continue;
      await mustRun(run, ip(step.family, 'del', ...ruleWords(step.rule)));
      await mustRun(run, ip(step.family, 'add', ...ruleWords(step.rule)));
      changed = true;
    }
  }
  return changed;
}

async function currentRules(run: Run, family: Family): Promise<IpRule[]> {
  const notes: string[] = [];
  const rules = await readRules(run, family, notes);
  if (notes.length > 0) throw new UserError(notes.join('; '));
  return rules;
}
