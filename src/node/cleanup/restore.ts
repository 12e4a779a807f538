import { lstat, rename } from 'node:fs/promises';
import { errorMessage, UserError } from '../../errors.ts';
import { type Item, KINDS, type Outcome, type Restore } from '../../model/cleanup.ts';
import { readMounts } from '../state/mounts.ts';
import type { NodePaths } from '../state/read.ts';
import type { Run } from '../state/run.ts';
import { isOwnRename } from './files.ts';
import {
  firewallCommands,
  isOwnFirewallRecord,
  isOwnIpsetRecord,
  restoreFirewall,
  restoreIpset,
} from './firewall.ts';
import { areOwnFiles, restoreFiles } from './keep.ts';
import { linkCommands } from './link-commands.ts';
import { isOwnLinkRecord } from './link-record.ts';
import { restoreLinks } from './link-restore.ts';
import { mustRun } from './must-run.ts';
import { isOwnRouteRecord, isPodGone, restoreRoute, routeCommand } from './routes.ts';
import { isOwnRuleRecord, restoreRule, ruleCommands } from './rules.ts';
import { isOwnXfrmRecord, restoreXfrm, xfrmCommand } from './xfrm.ts';

type Restorable = Pick<Item, 'id' | 'kind' | 'what'> & { restore: Restore[] };

/**
 * The order in which things come back: kinds in the reverse order of removal, so that each finds what it stands on; within
 * a kind as they stood, but routes through a gateway behind those that lead to gateways.
 */
export function restoreOrder<T extends Restorable>(items: readonly T[]): T[] {
  const rank = ({ kind }: T) => -KINDS.indexOf(kind);
  const viaGateway = ({ restore }: T) =>
    Number(restore.some((step) => step.bring === 'route' && isThroughGateway(step.route)));
  return items.toSorted((a, b) => rank(a) - rank(b) || viaGateway(a) - viaGateway(b));
}

function isThroughGateway({ gateway, via, nexthops }: Record<string, unknown>): boolean {
  return gateway !== undefined || via !== undefined || nexthops !== undefined;
}

/** Brings one item back. What stands already is left, so that it can be done again at any time. */
export async function restoreItem(
  { id, what, restore }: Restorable,
  undoFile: string,
  run: Run,
): Promise<Outcome> {
  let changed = false;
  for (const step of restore) {
    try {
      if (step.bring === 'route' && (await isPodGone(step, run))) return { id, what, result: 'gone' };
      if (await bring(step, undoFile, run)) changed = true;
    } catch (error) {
      return { id, what, result: 'failed', error: errorMessage(error) };
    }
  }
  return { id, what, result: changed ? 'done' : 'there' };
}

/** Returns false when there was nothing to do. */
async function bring(step: Restore, undoFile: string, run: Run): Promise<boolean> {
  switch (step.bring) {
    case 'rule':
    case 'local-rule':
      return restoreRule(step, run);
    case 'route':
      return restoreRoute(step, run);
    case 'link':
      return restoreLinks(step, run);
    case 'firewall':
      return restoreFirewall(step, run);
    case 'ipset':
      return restoreIpset(step, run);
    case 'xfrm-policy':
      return restoreXfrm(step, run);
    case 'mount':
      if ((await readMounts()).some(({ target, type }) => target === step.target && type === step.type))
        return false;
      await mustRun(run, ['mount', '-t', step.type, step.type, step.target]);
      return true;
    case 'rename':
      if (await isThere(step.to)) return false;
      if (!(await isThere(step.from))) throw new UserError(`${step.from} is gone: nothing can take its name`);
      await rename(step.from, step.to);
      return true;
    case 'files':
      return restoreFiles(step.entries, undoFile, run);
  }
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** Whether a recorded step brings back what `cleanup` removes, within Cilium's places. Nothing of it is trusted. */
export function isRestorable(step: Restore, paths: NodePaths): boolean {
  try {
    switch (step.bring) {
      case 'rule':
      case 'local-rule':
        return isOwnRuleRecord(step);
      case 'route':
        return isOwnRouteRecord(step);
      case 'link':
        return isOwnLinkRecord(step);
      case 'firewall':
        return isOwnFirewallRecord(step);
      case 'ipset':
        return isOwnIpsetRecord(step);
      case 'xfrm-policy':
        return isOwnXfrmRecord(step);
      case 'mount':
        return step.type === 'cgroup2' && /^(?:\/[\w.-]+)*\/cilium\/cgroupv2$/.test(step.target);
      case 'rename':
        return isOwnRename(step.from, step.to, paths);
      case 'files':
        return areOwnFiles(step.entries, paths);
      default:
        return false;
    }
  } catch (error) {
    // A field that is not of its type.
    if (error instanceof TypeError) return false;
    throw error;
  }
}

/** The steps as people type them, for those who are asked. */
export function describeRestore(step: Restore): string[] {
  const typed = (commands: string[][]) => commands.map((words) => words.join(' '));
  switch (step.bring) {
    case 'rule':
    case 'local-rule':
      return typed(ruleCommands(step));
    case 'route':
      return typed([routeCommand(step)]);
    case 'link':
      return typed(linkCommands(step));
    case 'firewall':
      return firewallCommands(step);
    case 'ipset':
      return ['ipset restore -exist', ...step.lines.map((line) => `< ${line}`)];
    case 'xfrm-policy':
      return typed([xfrmCommand(step)]);
    case 'mount':
      return [`mount -t ${step.type} ${step.type} ${step.target}`];
    case 'rename':
      return [`rename ${step.from} to ${step.to}`];
    case 'files':
      return step.entries.map(
        ({ kind, path, mode, uid, gid, target }) =>
          `${kind} ${path}${target === undefined ? '' : ` to ${target}`} (mode ${mode.toString(8)}, owner ${uid}:${gid})`,
      );
  }
}
