import { isDeepStrictEqual } from 'node:util';
import { UserError } from '../../errors.ts';
import type { Item, Restore } from '../../model/cleanup.ts';
import type { Run } from '../state/run.ts';
import type { NodeState } from '../state/state.ts';
import {
  CILIUM_REQUEST_ID,
  deletePolicyCommand,
  deleteStateCommand,
  listXfrmPolicies,
  parseXfrmPolicies,
  type XfrmMark,
  type XfrmPolicy,
} from '../state/xfrm.ts';
import { mustRun } from './must-run.ts';
import { command } from './own.ts';

type XfrmRecord = Extract<Restore, { bring: 'xfrm-policy' }>;

/** Policies and states of IPsec. States hold keys and count packets: they are not kept, a new agent makes them. */
export function xfrmItems({ xfrm }: NodeState): Item[] {
  const policies = xfrm.policies.flatMap((policy): Item[] => {
    if (!isOwnPolicy(policy) || policyWords(policy) === undefined) return [];
    return [
      {
        id: `xfrm policy ${describe(policy)}`,
        kind: 'xfrm',
        what: `IPsec policy ${describe(policy)}`,
        why: 'it has the mark and the request id of Cilium',
        remove: [command(deletePolicyCommand(policy))],
        restore: [{ bring: 'xfrm-policy', lines: policy.lines }],
      },
    ];
  });
  const states = xfrm.states
    .filter(
      ({ mark, mode, proto, requestId }) =>
        proto === 'esp' && mode === 'tunnel' && requestId === CILIUM_REQUEST_ID && isOwnMark(mark),
    )
    .map((state): Item => {
      const { src, dst, spi, mark } = state;
      const name = `${src} to ${dst} spi ${spi}${markText(mark)}`;
      return {
        id: `xfrm state ${name}`,
        kind: 'xfrm',
        what: `IPsec state ${name}`,
        why: 'it has the mark and the request id of Cilium',
        remove: [command(deleteStateCommand(state))],
      };
    });
  return [...policies, ...states];
}

/** Policies of Cilium that stay, because undo could not make the same again. */
export function xfrmLeft({ xfrm }: NodeState): string[] {
  return xfrm.policies
    .filter((policy) => isOwnPolicy(policy) && policyWords(policy) === undefined)
    .map((policy) => `IPsec policy ${describe(policy)}: undo could not bring back all of it`);
}

function describe({ src, dst, direction, mark }: XfrmPolicy): string {
  return `${src} to ${dst} ${direction}${markText(mark)}`;
}

function markText(mark: XfrmMark | undefined): string {
  return mark ? ` mark 0x${mark.value.toString(16)}/0x${mark.mask.toString(16)}` : '';
}

/** Priority of the policies for forwarded packets, which have no mark. */
const FORWARD_PRIORITY = 2975;
/** Marks for decryption, and for encryption with a key's number and, since 1.14, a node's. */
const IN = 0xd00;
const OUT = 0xe00;
const BITS = 0xf00;
const MASKS = new Set([0xf00, 0xff00, 0xffffff00]);

function isOwnMark(mark: XfrmMark | undefined): boolean {
  if (!mark || !MASKS.has(mark.mask)) return false;
  const bits = (mark.value & BITS) >>> 0;
  return bits === OUT || (bits === IN && mark.mask === BITS);
}

function isOwnPolicy({ mark, direction, requestId, lines }: XfrmPolicy): boolean {
  const blocks = lines.some((line) => /\baction block\b/.test(line));
  if (blocks) return direction === 'out' && mark?.value === OUT && mark.mask === BITS;
  if (requestId !== CILIUM_REQUEST_ID || !lines.some((line) => /^proto esp .*\bmode tunnel\b/.test(line)))
    return false;
  if (mark === undefined)
    return direction === 'fwd' && lines.some((line) => line.includes(`priority ${FORWARD_PRIORITY} `));
  return isOwnMark(mark);
}

/** The lines of a policy as ip prints them, and what of them is told when one is added. */
const FORMS: readonly RegExp[] = [
  /^(src \S+ dst \S+)$/,
  /^(dir (?:in|out|fwd))(?: (action block))?(?: (priority \d+))?(?: (ptype main))?$/,
  /^mark (0x[0-9a-f]+)\/(0x[0-9a-f]+)$/,
  /^(tmpl src \S+ dst \S+)$/,
  /^(proto esp)(?: spi 0x([0-9a-f]+)(?:\(\d+\))?)?(?: (reqid \d+))(?:\(0x[0-9a-f]+\))?(?: (mode tunnel))$/,
  /^(level use)$/,
];

/** Words that add a policy; undefined when something of it has no such words. */
function policyWords({ lines }: XfrmPolicy): string[] | undefined {
  const words: string[] = [];
  let last = -1;
  for (const line of lines) {
    const form = FORMS.findIndex((pattern) => pattern.test(line));
    // One template at most, and each line once, in this order.
    if (form <= last) return undefined;
    last = form;
    const [, ...parts] = FORMS[form]?.exec(line) ?? [];
    if (form === 2) words.push('mark', parts[0] ?? '', 'mask', parts[1] ?? '');
    else if (form === 4)
      words.push(
        ...['proto', 'esp', ...(parts[1] ? ['spi', `0x${parts[1]}`] : [])],
        ...parts.slice(2).flatMap((part) => part.split(' ')),
      );
    else words.push(...parts.filter((part) => part !== undefined).flatMap((part) => part.split(' ')));
  }
  return last < 0 ? undefined : words;
}

function recorded({ lines }: XfrmRecord): XfrmPolicy | undefined {
  const policies = parseXfrmPolicies(lines.map((line, i) => (i === 0 ? line : `\t${line}`)).join('\n'));
  return policies.length === 1 ? policies[0] : undefined;
}

/** Whether a recorded policy is one that cleanup removes. */
export function isOwnXfrmRecord(step: XfrmRecord): boolean {
  if (!Array.isArray(step.lines) || !step.lines.every((line) => typeof line === 'string')) return false;
  const policy = recorded(step);
  return policy !== undefined && isOwnPolicy(policy) && policyWords(policy) !== undefined;
}

/** The command that would bring a policy back. */
export function xfrmCommand(step: XfrmRecord): string[] {
  const policy = recorded(step);
  return ['ip', 'xfrm', 'policy', 'add', ...((policy && policyWords(policy)) ?? [])];
}

/** Brings a policy back unless it stands. Returns whether anything was to be done. */
export async function restoreXfrm(step: XfrmRecord, run: Run): Promise<boolean> {
  const stands = async () =>
    (await listXfrmPolicies(run)).some(({ lines }) => isDeepStrictEqual(lines, step.lines));
  if (await stands()) return false;
  await mustRun(run, xfrmCommand(step));
  if (!(await stands())) throw new UserError('it came back in another form: compare "ip xfrm policy"');
  return true;
}
