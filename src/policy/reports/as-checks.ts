import type { Check, CheckResult, Level, Remark, Report } from '../../model/report.ts';
import { DIRECTIONS } from '../evaluate/maps/compile-rule.ts';
import type { PodCover } from './coverage.ts';
import type { Change, ChangeGroup, ReplayReport } from './replay.ts';
import type { TestResult } from './test-file.ts';
import type { Unused } from './unused.ts';

/** A check for each test, below its file. */
export function reportOfTests(results: readonly TestResult[]): Report {
  return {
    tool: 'cilium policy test',
    checks: results.map(({ name, position, passed, expected, got, reason }): Check => {
      const message = `${name}: expected ${expected}, got ${got}`;
      const remark: Remark = {
        level: 'error',
        rule: 'unexpected-verdict',
        message,
        position,
        details: [reason],
      };
      return {
        name,
        group: position.file,
        result: passed ? 'passed' : 'failed',
        remarks: passed ? [] : [remark],
      };
    }),
  };
}

/** What a run of `policy replay` is asked to fail for. */
export interface ReplayGate {
  failOn: Change | undefined;
  maxUndecided: number;
}

/** A check for each change, and one for what may be a change and is not decided. */
export function reportOfReplay(report: ReplayReport, gate: ReplayGate): Report {
  const { flows, connections, allowed, denied, undecided, unsaid, changes } = report;
  const open = undecided.reduce((sum, each) => sum + each.flows, 0);
  return {
    tool: 'cilium policy replay',
    summary: [
      `${flows} flows, ${connections} connections: ${allowed} allowed, ${denied} denied, ${open} not decided, ${unsaid} not compared.`,
    ],
    checks: [...changes.map((change) => checkOfChange(change, gate)), undecidedCheck(report, gate)],
  };
}

function checkOfChange(group: ChangeGroup, { failOn }: ReplayGate): Check {
  const { change, source, destination, port, direction, flows, reason, rules } = group;
  const isBad = change === failOn;
  const name = `${source} -> ${destination} ${port} ${direction}`;
  const message = `${change.replace('-', ' ')}: ${name}, ${flows === 1 ? '1 flow' : `${flows} flows`}: ${reason}`;
  const level: Level = isBad ? 'error' : 'warning';
  return {
    name: `${change.replace('-', ' ')}: ${name}`,
    result: isBad ? 'failed' : 'passed',
    remarks: [{ level, rule: change, message, position: rules[0]?.position }],
  };
}

function undecidedCheck({ undecided, open }: ReplayReport, { failOn, maxUndecided }: ReplayGate): Check {
  const isBad = failOn !== undefined && open[failOn] > maxUndecided;
  const level: Level = isBad ? 'error' : 'note';
  const may =
    failOn && open[failOn] > 0 ? `, of which ${open[failOn]} may be ${failOn.replace('-', ' ')}` : '';
  const remarks = undecided.map(({ reason, flows }): Remark => {
    const message = `${flows === 1 ? '1 flow was' : `${flows} flows were`} not decided: ${reason}`;
    return { level, rule: 'undecided', message };
  });
  // Flows that do not say what became of them count as well, and have no reason of their own.
  const first: Remark[] = isBad
    ? [
        {
          level,
          rule: 'undecided',
          message: `not all flows were decided or compared${may} (--max-undecided ${maxUndecided})`,
        },
      ]
    : [];
  return {
    name: 'all flows are decided',
    result: isBad ? 'failed' : 'passed',
    remarks: [...first, ...remarks],
  };
}

const COVER: Readonly<Record<'open' | 'unknown', string>> = {
  open: 'no policy protects it',
  unknown: 'whether a policy protects it is not known',
};

/** A check for each pod; of the directions that are not asked for it only tells. */
export function reportOfCoverage(
  pods: readonly PodCover[],
  asked: 'ingress' | 'egress' | 'both' | undefined,
): Report {
  return {
    tool: 'cilium policy coverage',
    checks: pods.map((pod): Check => {
      const bare = DIRECTIONS.flatMap((direction) => {
        const cover = pod[direction];
        return cover === 'enforced'
          ? []
          : [{ direction, cover, isBad: asked === 'both' || asked === direction }];
      });
      const remarks = bare
        .toSorted((a, b) => Number(b.isBad) - Number(a.isBad))
        .map(
          ({ direction, cover, isBad }): Remark => ({
            level: isBad ? 'error' : 'warning',
            rule: cover === 'open' ? `open-${direction}` : `unknown-${direction}`,
            message: `${direction} of ${pod.namespace}/${pod.pod}: ${COVER[cover]}`,
            details: cover === 'unknown' && pod.why ? [pod.why] : [],
          }),
        );
      const result: CheckResult = bare.some(({ isBad }) => isBad) ? 'failed' : 'passed';
      return { name: `${pod.namespace}/${pod.pod}`, result, remarks };
    }),
  };
}

/** A check for all rules: none of `policy unused` fails. */
export function reportOfUnused(unused: readonly Unused[], rules: number): Report {
  const remarks = unused.map(({ rule: { kind, namespace, name, part, position }, reason, text }): Remark => {
    const who = [kind, [namespace, name].filter(Boolean).join('/'), part].filter(Boolean).join(' ');
    return { level: 'warning', rule: `unused-${reason}`, message: `${who}: ${text}`, position };
  });
  return {
    tool: 'cilium policy unused',
    checks: [{ name: `${rules} rules have an effect`, result: 'passed', remarks }],
  };
}
