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

/** Parses what `iptables-save` prints. */
export function parseSave(program: string, text: string): FirewallTable[] {
  const tables: FirewallTable[] = [];
  for (const line of text.split('\n')) {
    const here = tables.at(-1);
    if (line.startsWith('*')) tables.push({ program, table: line.slice(1).trim(), chains: [], rules: [] });
    else if (line.startsWith(':')) here?.chains.push(line.slice(1).split(' ')[0] ?? '');
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

/** Parses what `ipset save` prints. */
export function parseIpsets(text: string): NodeState['ipsets'] {
  const sets = new Map<string, string>();
  for (const line of text.split('\n')) {
    const name = /^(?:create|add) (\S+)/.exec(line)?.[1];
    if (name) sets.set(name, `${sets.get(name) ?? ''}${line}\n`);
  }
  return [...sets].map(([name, saved]) => ({ name, saved }));
}
