import type { Finding } from '../../model/finding.ts';
import { atLeast, type Release } from '../../model/release.ts';
import { GONE_KINDS, KERNELS, OLD_VERSIONS } from './facts.ts';

export const RESULTS = ['fail', 'unknown', 'warn', 'pass'] as const;
export type Result = (typeof RESULTS)[number];

/** One thing that was looked at before an upgrade. */
export interface CheckRow {
  check: string;
  /** Empty where it is of nothing alone. */
  object: string;
  result: Result;
  text: string;
  /** What to do about it. */
  todo?: string;
}

const row = (check: string, object: string, result: Result, text: string, todo?: string): CheckRow => ({
  check,
  object,
  result,
  text,
  ...(todo !== undefined && { todo }),
});

/** What could not be looked at. */
export function notKnown(check: string, why: string): CheckRow {
  return row(check, '', 'unknown', why);
}

const minorOf = (release: Release) => Number(/\.(\d+)/.exec(release)?.[1]);

/** The way from a release to another: minor by minor, as upgrades are tested. */
export function checkJump(from: Release | undefined, to: Release): CheckRow {
  if (from === undefined)
    return row(
      'release',
      '',
      'unknown',
      `the image of the agents does not tell their release: is it right before ${to}?`,
    );
  const jump = minorOf(to) - minorOf(from);
  if (jump === 0) return row('release', '', 'pass', `${from} stays ${to}`);
  if (jump === 1) return row('release', '', 'pass', `${from} → ${to}`);
  if (jump > 1) {
    const steps = Array.from({ length: jump }, (_, i) => `1.${minorOf(from) + i + 1}`);
    return row(
      'release',
      '',
      'fail',
      `${from} → ${to} leaves ${jump - 1} out: upgrades are tested from one minor to the next`,
      `Upgrade in steps: ${[from, ...steps].join(' → ')}.`,
    );
  }
  const back = jump === -1 ? 'a rollback over one minor' : `a way back over ${-jump} minors`;
  return row('release', '', jump === -1 ? 'warn' : 'fail', `${from} → ${to} is ${back}`);
}

/** What the settings say that the release does not read, or reads otherwise. */
export function checkSettings(
  check: 'values' | 'config',
  findings: readonly Finding[],
  of: string,
  { isWritten }: { isWritten: boolean },
): CheckRow[] {
  if (findings.length === 0) return [row(check, of, 'pass', 'nothing in it is removed, renamed or unknown')];
  return findings.map(({ severity, path, message, hint }) =>
    row(
      check,
      (path ?? []).join('.').replace(/^data\./, ''),
      // What the chart writes anew is not lost with the upgrade.
      severity === 'error' && !isWritten ? 'fail' : 'warn',
      message,
      hint,
    ),
  );
}

/** A CustomResourceDefinition of `cilium.io`. */
export interface Definition {
  plural: string;
  served: readonly string[];
  stored: readonly string[];
  /** How many objects there are, of kinds that a release does not have; undefined where that is not known or asked. */
  objects?: number | undefined;
}

/** Whether a release's definitions can take the place of those that are there. */
export function checkDefinitions(definitions: readonly Definition[], to: Release): CheckRow[] {
  const rows = definitions.flatMap(({ plural, stored, objects }): CheckRow[] => {
    const gone = GONE_KINDS.find((kind) => kind.plural === plural && atLeast(to, kind.gone));
    if (gone) {
      if (objects === 0)
        return [
          row(
            'definitions',
            plural,
            'warn',
            `${to} has no such kind; there are no objects`,
            'Delete the definition after the upgrade.',
          ),
        ];
      const many =
        objects === undefined
          ? 'how many objects there are is not known'
          : `${objects} objects have no effect any more`;
      return [
        row(
          'definitions',
          plural,
          objects === undefined ? 'unknown' : 'fail',
          `gone since ${gone.gone}: ${many}`,
          `In its place: ${gone.instead}.`,
        ),
      ];
    }
    return OLD_VERSIONS.flatMap((old): CheckRow[] => {
      if (old.plural !== plural || !stored.includes(old.version)) return [];
      const todo = `Write all objects once more (kubectl get ${plural} -A -o yaml | kubectl replace -f -), then take ${old.version} out of status.storedVersions of the definition.`;
      if (old.gone !== undefined && atLeast(to, old.gone))
        return [
          row(
            'definitions',
            plural,
            'fail',
            `objects are stored as ${old.version}, which ${to} does not have: its definition is refused`,
            todo,
          ),
        ];
      return atLeast(to, old.deprecated)
        ? [
            row(
              'definitions',
              plural,
              'warn',
              `objects are stored as ${old.version}, which is deprecated since ${old.deprecated}`,
              todo,
            ),
          ]
        : [];
    });
  });
  return rows.length > 0
    ? rows
    : [
        row(
          'definitions',
          '',
          'pass',
          `${definitions.length} kinds of cilium.io, stored in versions that ${to} has`,
        ),
      ];
}

/** A node and its kernel, as the kubelet tells it. */
export interface KernelOf {
  node: string;
  kernel: string;
}

/** Whether agents of the release run on the kernels of all nodes. */
export function checkKernels(nodes: readonly KernelOf[], to: Release): CheckRow[] {
  const wanted = KERNELS.find(({ since }) => atLeast(to, since)) ?? KERNELS.at(-1);
  if (!wanted) return [];
  const least = wanted.kernel.join('.').replace(/\.0$/, '');
  const byKernel = new Map<string, string[]>();
  for (const { node, kernel } of nodes) byKernel.set(kernel, [...(byKernel.get(kernel) ?? []), node]);
  return [...byKernel].map(([kernel, on]) => {
    const where = on.length === 1 ? (on[0] ?? '') : `${on.length} nodes`;
    const [, major = '', minor = '', patch = '0', rest = ''] =
      /^(\d+)\.(\d+)(?:\.(\d+))?(.*)$/.exec(kernel) ?? [];
    if (major === '')
      return row(
        'kernel',
        where,
        'unknown',
        `${kernel === '' ? 'its kernel is not told' : `its kernel is "${kernel}"`}: ${to} needs ${least}`,
      );
    const version = [major, minor, patch].map(Number);
    const isEnough = compareVersions(version, wanted.kernel) >= 0;
    if (isEnough) return row('kernel', where, 'pass', `${kernel}: ${to} needs ${least}`);
    const build = /^-(\d+)\..*el8/.exec(rest)?.[1];
    if (wanted.el8 > 0 && build !== undefined)
      return Number(build) >= wanted.el8
        ? row('kernel', where, 'pass', `${kernel}: counts as ${least}`)
        : row(
            'kernel',
            where,
            'fail',
            `${kernel} is older than the kernel of RHEL 8 that counts as ${least}`,
            `Update it to 4.18.0-${wanted.el8} or later.`,
          );
    return row('kernel', where, 'fail', `${kernel} is older than ${least}, which ${to} needs`, some(on));
  });
}

function compareVersions(a: readonly number[], b: readonly number[]): number {
  for (const [i, number] of a.entries()) if (number !== b[i]) return number - (b[i] ?? 0);
  return 0;
}

/** Agents that do not run, or are not ready: an upgrade waits for them. */
export function checkAgents(
  agents: readonly { node: string; trouble?: string | undefined; isReady: boolean }[],
): CheckRow[] {
  const bad = agents.filter(({ trouble, isReady }) => trouble !== undefined || !isReady);
  if (agents.length === 0) return [row('agents', '', 'fail', 'no agent was found')];
  if (bad.length === 0) return [row('agents', '', 'pass', `all ${agents.length} are ready`)];
  return bad.map(({ node, trouble }) =>
    row('agents', node, 'fail', trouble ?? 'it is not ready', 'Mend it first: a roll-out stops at it.'),
  );
}

/** Versions that run side by side. */
export function checkVersions(
  images: readonly { component: string; version: string; pods: number }[],
  unlike: readonly { component: string; version: string; pods: number }[],
  chart: string | undefined,
): CheckRow {
  const told = (list: typeof images) =>
    list.map(({ component, version, pods }) => `${component} ${version} (${pods})`).join(', ');
  if (chart === undefined)
    return row(
      'versions',
      '',
      images.length > 0 ? 'pass' : 'unknown',
      told(images) || 'what runs is not known',
    );
  return unlike.length === 0
    ? row('versions', '', 'pass', `everything runs ${chart}`)
    : row(
        'versions',
        '',
        'fail',
        `the chart is ${chart}, and there are ${told(unlike)}`,
        'Finish the last upgrade first: cilium status --rollout.',
      );
}

/** Pods that Cilium does not manage: an upgrade changes nothing for them. */
export function checkPods(unmanaged: readonly { name: string; reason: string }[]): CheckRow {
  const [first] = unmanaged;
  if (!first) return row('pods', '', 'pass', 'Cilium manages all of them');
  const more = unmanaged.length === 1 ? '' : `, and ${unmanaged.length - 1} more`;
  return row(
    'pods',
    first.name,
    'warn',
    `Cilium does not manage it${more}: ${first.reason}`,
    'All of them: cilium status --unmanaged.',
  );
}

/** Findings of the policies for the new release that they do not have for the present one. */
export function checkPolicies(
  count: number,
  now: readonly Finding[],
  then: readonly Finding[],
  to: Release,
): CheckRow[] {
  const known = new Set(now.map(({ position: { file }, message }) => `${file} ${message}`));
  const added = then.filter(({ position: { file }, message }) => !known.has(`${file} ${message}`));
  if (added.length === 0)
    return [row('policies', '', 'pass', `${count} policies, none of which ${to} reads otherwise`)];
  return added.map(({ severity, position, message, hint }) =>
    row(
      'policies',
      position.file,
      severity === 'error' ? 'fail' : 'warn',
      severity === 'error' ? `${to} refuses it: ${message}` : message,
      hint,
    ),
  );
}

/** Traffic that the new release decides otherwise. */
export function checkDecisions(
  {
    compared,
    isPart,
    changes,
  }: {
    compared: number;
    isPart: boolean;
    changes: readonly {
      subject: string;
      direction: string;
      before: string;
      after: string;
      count: number;
      example: string;
    }[];
  },
  { from, to }: { from: Release; to: Release },
): CheckRow[] {
  const rows = changes.map(({ subject, direction, before, after, count, example }) => {
    const isOpen = before === 'unknown' || after === 'unknown';
    const more = count === 1 ? '' : ` (and ${count - 1} more)`;
    return row(
      'decisions',
      subject,
      isOpen ? 'unknown' : after === 'denied' ? 'fail' : 'warn',
      `${direction}: ${from} says ${before}, ${to} says ${after} of ${example}${more}`,
      `Why: cilium policy simulate --state cluster --release ${to} with --from, --to and --port.`,
    );
  });
  if (isPart)
    rows.push(
      row(
        'decisions',
        '',
        'unknown',
        `only the first ${compared} combinations of pods and ports were compared`,
      ),
    );
  return rows.length > 0
    ? rows
    : [row('decisions', '', 'pass', `${compared} combinations of pods and ports, decided alike`)];
}

/** Who keeps the installation, where that is not Helm by itself. */
export function checkOwner(owners: readonly { kind: string; name: string }[]): CheckRow[] {
  return owners
    .filter(({ kind }) => kind !== 'Helm')
    .map(({ kind, name }) =>
      row('owner', '', 'warn', `${kind} keeps it (${name}): upgrade where that reads its values`),
    );
}

/** The worst first; within that by check as they were made. */
export function inOrder(rows: readonly CheckRow[]): CheckRow[] {
  return rows.toSorted((a, b) => RESULTS.indexOf(a.result) - RESULTS.indexOf(b.result));
}

function some(names: readonly string[]): string | undefined {
  return names.length > 1 ? `On ${names.slice(0, 5).join(', ')}${names.length > 5 ? ' …' : ''}.` : undefined;
}
