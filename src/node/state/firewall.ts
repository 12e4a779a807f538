import { failureOf, type Run } from './run.ts';
import type { FirewallTable, NodeState } from './state.ts';

/** Both back ends of both families: a node may have rules in each, and `iptables` shows only one. */
const FIREWALL_PROGRAMS = ['iptables-nft', 'iptables-legacy', 'ip6tables-nft', 'ip6tables-legacy'] as const;

/** Reads every table of every iptables variant that is installed. What cannot be read goes to `notes`. */
export async function readFirewall(run: Run, notes: string[]): Promise<FirewallTable[]> {
  const tables: FirewallTable[] = [];
  let installed = 0;
  const read = async (program: string) => {
    const ran = await run([`${program}-save`]);
    if (ran.missing) return;
    installed++;
    if (ran.code === 0) tables.push(...parseSave(program, ran.stdout));
    else notes.push(`${program}-save: ${failureOf(ran)}`);
  };
  for (const program of FIREWALL_PROGRAMS) await read(program);
  // Systems with one back end may have it under the plain name only.
  if (tables.length === 0) for (const program of ['iptables', 'ip6tables']) await read(program);
  if (installed === 0) notes.push('iptables: not installed');
  return tables;
}

/** Parses what `iptables-save` prints. A comment may hold line breaks, and then what looks like a rule. */
export function parseSave(program: string, text: string): FirewallTable[] {
  const tables: FirewallTable[] = [];
  for (const line of wholeLines(text, isQuoteOpen)) {
    const here = tables.at(-1);
    if (line.startsWith('*')) tables.push({ program, table: line.slice(1).trim(), chains: [], rules: [] });
    else if (line.startsWith(':')) here?.chains.push(line.slice(1).replace(/ \S+ \[\d+:\d+\]$/, ''));
    else if (line.startsWith('-A ')) here?.rules.push(line);
  }
  return tables;
}

/** Reads the ip sets, each with the lines that would bring it back. What cannot be read goes to `notes`. */
export async function readIpsets(run: Run, notes: string[]): Promise<NodeState['ipsets']> {
  const ran = await run(['ipset', 'save']);
  if (ran.code !== 0) {
    notes.push(`ipset save: ${failureOf(ran)}`);
    return [];
  }
  return parseIpsets(ran.stdout);
}

/** Comments and names are shorter than this, however many line breaks they have. */
const MOST_LINES = 300;

/** Joins lines that belong together, where those before are not whole. */
function* wholeLines(text: string, goesOn: (line: string) => boolean): Generator<string> {
  let open: string[] = [];
  for (const line of text.split('\n')) {
    open.push(line);
    const joined = open.join('\n');
    if (open.length < MOST_LINES && goesOn(joined)) continue;
    yield joined;
    open = [];
  }
  if (open.length > 0) yield open.join('\n');
}

function hasOpenQuote(line: string): boolean {
  return line.split('"').length % 2 === 0;
}

/** Whether a comment of a rule goes on in the next line. */
function isQuoteOpen(line: string): boolean {
  return line.startsWith('-A ') && hasOpenQuote(line.replace(/\\./gs, ''));
}

/** A set may be named as oddly as `a\ncreate b`: its type tells where the name ends. */
const CREATE = /^create (.+) (?:hash|bitmap|list):/s;

/** Parses what `ipset save` prints: each set and its entries. */
export function parseIpsets(text: string): NodeState['ipsets'] {
  const sets = new Map<string, string[]>();
  let last = '';
  const broken: string[] = [];
  const goesOn = (line: string) => {
    if (line.startsWith('create ')) return !CREATE.test(line);
    if (!line.startsWith('add ')) return false;
    return hasOpenQuote(line) || broken.some((name) => `add ${name} `.startsWith(`${line}\n`));
  };
  for (const line of wholeLines(text, goesOn)) {
    const made = CREATE.exec(line)?.[1];
    if (made !== undefined) {
      last = made;
      if (made.includes('\n')) broken.push(made);
      sets.set(made, [line]);
    } else if (line.startsWith('add ')) {
      const isOf = (name: string) => line.startsWith(`add ${name} `);
      const name = isOf(last) ? last : [...sets.keys()].find(isOf);
      if (name !== undefined) sets.get(name)?.push(line);
    }
  }
  return [...sets].map(([name, lines]) => ({ name, saved: `${lines.join('\n')}\n` }));
}
