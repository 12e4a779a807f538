import { readFile } from 'node:fs/promises';
import { UserError } from '../../errors.ts';
import { FILTER, LINK, QDISC } from './forms.ts';
import { failureOf, listFrom, type Ran, type Run } from './run.ts';

/** What Cilium marks its IPsec states and policies with. */
export const CILIUM_REQUEST_ID = 1;

/** A value and the bits of it that count. */
export interface XfrmMark {
  value: number;
  mask: number;
}

/** One algorithm of a state; the key as lower-case hex without 0x. */
export interface XfrmAlgorithm {
  name: string;
  key: string;
}

/** A security association of the kernel. */
export interface XfrmState {
  src: string;
  dst: string;
  proto: string;
  spi: number;
  requestId: number;
  /** `tunnel`, `transport` … */
  mode: string;
  mark?: XfrmMark;
  auth?: XfrmAlgorithm;
  crypt?: XfrmAlgorithm;
  aead?: XfrmAlgorithm;
  /** Number of the last packet sent, high half included where sequence numbers are extended. */
  sequence: bigint;
}

/** A policy that sends packets through states. */
export interface XfrmPolicy {
  src: string;
  dst: string;
  direction: string;
  mark?: XfrmMark;
  /** Of the first template; 0 when it names none. */
  spi: number;
  requestId: number;
  /** All that ip prints of it, a line each, without margins. */
  lines: string[];
}

/** Lists the kernel's states; those of Cilium only, unless told otherwise. */
export async function listXfrmStates(run: Run): Promise<XfrmState[]> {
  const ran = await run(['ip', 'xfrm', 'state', 'list', 'reqid', String(CILIUM_REQUEST_ID)]);
  return parseXfrmStates(output(ran, 'cannot get xfrm state'));
}

/** Lists the kernel's policies, whoever made them. */
export async function listXfrmPolicies(run: Run): Promise<XfrmPolicy[]> {
  return parseXfrmPolicies(output(await run(['ip', 'xfrm', 'policy', 'list']), 'cannot get xfrm policies'));
}

function output(ran: Ran, what: string): string {
  if (ran.code === 0) return ran.stdout;
  // A kernel without IPsec holds nothing.
  if (/Protocol not supported/i.test(ran.stderr)) return '';
  throw new UserError(`${what}: ${failureOf(ran)}`, {
    hint: 'The program ip (iproute2) is needed, and root.',
  });
}

/** Reads what `ip xfrm state list` prints. */
function parseXfrmStates(text: string): XfrmState[] {
  return blocks(text).map(([first = '', ...lines]): XfrmState => {
    const rest = lines.join('\n');
    const high = hexOf(/\boseq-hi (0x[0-9a-f]+)/, rest);
    return {
      ...ends(first),
      proto: /^\s*proto (\S+)/.exec(rest)?.[1] ?? '',
      spi: Number(hexOf(/\bspi (0x[0-9a-f]+)/, rest)),
      requestId: Number(/\breqid (\d+)/.exec(rest)?.[1] ?? 0),
      mode: /\bmode (\S+)/.exec(rest)?.[1] ?? '',
      ...markOf(rest),
      ...algorithm('auth', /^\s*auth(?:-trunc)? (.+) 0x([0-9a-f]+)(?: \d+)?\s*$/m, rest),
      ...algorithm('crypt', /^\s*enc (.+) 0x([0-9a-f]+)\s*$/m, rest),
      ...algorithm('aead', /^\s*aead (.+) 0x([0-9a-f]+) \d+\s*$/m, rest),
      sequence: (high << 32n) | hexOf(/\boseq (0x[0-9a-f]+)/, rest),
    };
  });
}

/** Reads what `ip xfrm policy list` prints. */
export function parseXfrmPolicies(text: string): XfrmPolicy[] {
  return blocks(text).map(([first = '', ...lines]): XfrmPolicy => {
    const rest = lines.join('\n');
    return {
      ...ends(first),
      direction: /\bdir (\S+)/.exec(rest)?.[1] ?? '',
      ...markOf(rest),
      spi: Number(hexOf(/\bspi (0x[0-9a-f]+)/, rest)),
      requestId: Number(/\breqid (\d+)/.exec(rest)?.[1] ?? 0),
      lines: [first, ...lines].map((line) => line.trim()),
    };
  });
}

/** An entry begins at the margin; its further lines are indented. */
function blocks(text: string): string[][] {
  const found: string[][] = [];
  for (const line of text.split('\n')) {
    if (/^src /.test(line)) found.push([line]);
    else if (/^\s/.test(line)) found.at(-1)?.push(line);
  }
  return found;
}

function ends(line: string): { src: string; dst: string } {
  const match = /^src (\S+) dst (\S+)/.exec(line);
  return { src: match?.[1] ?? '', dst: match?.[2] ?? '' };
}

function hexOf(pattern: RegExp, text: string): bigint {
  return BigInt(pattern.exec(text)?.[1] ?? 0);
}

function markOf(text: string): { mark?: XfrmMark } {
  const match = /^\s*mark (0x[0-9a-f]+|\d+)\/(0x[0-9a-f]+)/m.exec(text);
  return match ? { mark: { value: Number(match[1]), mask: Number(match[2]) } } : {};
}

function algorithm<K extends string>(kind: K, pattern: RegExp, text: string): { [P in K]?: XfrmAlgorithm } {
  const match = pattern.exec(text);
  const found: { [P in K]?: XfrmAlgorithm } = {};
  if (match) found[kind] = { name: match[1] ?? '', key: match[2] ?? '' };
  return found;
}

/** The node that a state or a policy is for: Cilium keeps its id in the upper half of the mark. */
export function nodeIdOf({ mark }: { mark?: XfrmMark }): number {
  return mark ? mark.value >>> 16 : 0;
}

/** Different keys among states: the combined key of each, or that of both its algorithms. */
export function countKeys(states: readonly XfrmState[]): number {
  const keys = states.map(({ aead, auth, crypt }) =>
    aead ? aead.key : `${auth?.key ?? ''}:${crypt?.key ?? ''}`,
  );
  return new Set(keys).size;
}

/** `0x1a2/0xffffffffffffffff`, or `N/A` when nothing has been sent; `bits` is how long a number is. */
export function maxSequence(states: readonly XfrmState[], bits: 32 | 64 = 64): string {
  let most = 0n;
  for (const { sequence } of states) if (sequence > most) most = sequence;
  return most === 0n ? 'N/A' : `0x${most.toString(16)}/0x${'f'.repeat(bits / 4)}`;
}

/** The kernel's error counters that are not zero. */
export async function readXfrmErrors(file = '/proc/net/xfrm_stat'): Promise<[name: string, count: number][]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new UserError(`failed to read xfrm statistics: ${file}: not readable`, { cause });
  }
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([name, count]) => name && Number(count) > 0)
    .map(([name = '', count]): [string, number] => [name, Number(count)]);
}

/** Programs that mark arriving ESP packets for decryption. */
const DECRYPT_PROGRAMS = /cil_from_network|cil_from_netdev/;

interface TcFilterJson {
  options?: { bpf_name?: string; prog?: { name?: string } };
}

/** Interfaces whose ingress has a program that decrypts, by tc filter or by tcx link. */
export async function listDecryptInterfaces(run: Run): Promise<string[]> {
  const links = await listFrom<{ ifname: string; ifindex: number }>(
    run,
    ['ip', '-j', 'link', 'show'],
    LINK,
    [],
  );
  const qdiscs = await listFrom<{ kind: string; dev: string }>(run, ['tc', '-j', 'qdisc', 'show'], QDISC, []);
  const filtered = new Set(
    qdiscs.filter((q) => q.kind === 'clsact' || q.kind === 'ingress').map((q) => q.dev),
  );
  const linked = await tcxInterfaces();
  const found: string[] = [];
  for (const { ifname, ifindex } of links) {
    if (linked.has(ifindex) || (filtered.has(ifname) && (await decryptsByFilter(run, ifname))))
      found.push(ifname);
  }
  return found;
}

async function decryptsByFilter(run: Run, device: string): Promise<boolean> {
  const filters = await listFrom<TcFilterJson>(
    run,
    ['tc', '-j', 'filter', 'show', 'dev', device, 'ingress'],
    FILTER,
    [],
  );
  return filters.some(({ options }) =>
    [options?.bpf_name, options?.prog?.name].some(
      (name) => name !== undefined && DECRYPT_PROGRAMS.test(name),
    ),
  );
}

async function tcxInterfaces(): Promise<Set<number>> {
  const { objectIds, openLinkById, openProgramById } = await import('../../bpf/kernel/objects.ts');
  const decrypting = new Set<number>();
  const interfaces = new Set<number>();
  // Without BPF links, or without the right to list them, tc's filters are all there is.
  optional(() => {
    for (const id of objectIds('program')) {
      optional(() => {
        using program = openProgramById(id);
        if (DECRYPT_PROGRAMS.test(program.info.name)) decrypting.add(program.info.id);
      });
    }
    for (const id of decrypting.size > 0 ? objectIds('link') : []) {
      optional(() => {
        using link = openLinkById(id);
        const { programId, ifindex } = link.info;
        if (decrypting.has(programId) && ifindex !== undefined) interfaces.add(ifindex);
      });
    }
  });
  return interfaces;
}

/** Goes on when the kernel refuses, or when an object went away in the meantime. */
function optional(look: () => void): void {
  try {
    look();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
}

/** The command that removes one state. */
export function deleteStateCommand({ src, dst, proto, spi, mark }: XfrmState): string[] {
  const words = ['ip', 'xfrm', 'state', 'delete', 'src', src, 'dst', dst, 'proto', proto];
  return [...words, 'spi', `0x${spi.toString(16)}`, ...markWords(mark)];
}

/** The command that removes one policy. */
export function deletePolicyCommand({ src, dst, direction, mark }: XfrmPolicy): string[] {
  return ['ip', 'xfrm', 'policy', 'delete', 'src', src, 'dst', dst, 'dir', direction, ...markWords(mark)];
}

function markWords(mark: XfrmMark | undefined): string[] {
  return mark ? ['mark', `0x${mark.value.toString(16)}`, 'mask', `0x${mark.mask.toString(16)}`] : [];
}
