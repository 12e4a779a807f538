import type { Diagnosis } from '../model/doctor.ts';
import type { FaultLevel, Problem } from '../model/problem.ts';
import { PROBLEM_LEVELS } from '../model/problem.ts';
import {
  type Check,
  type CheckResult,
  type Level,
  type Remark,
  type Report,
  ruleId,
} from '../model/report.ts';
import type { DriftRow } from './config/drift.ts';
import type { Finding as Inconsistency } from './consistency.ts';
import type { CheckRow } from './preflight/checks.ts';
import type { ClusterStatus } from './status.ts';

/** A check for each diagnosis; `failOn` is the lowest severity that fails. */
export function reportOfDiagnoses(
  diagnoses: readonly Diagnosis[],
  failOn: 'warning' | 'failure' | 'never',
): Report {
  return {
    tool: 'cilium doctor',
    checks: diagnoses.map(({ check, severity, what, evidence, next }): Check => {
      const level: Level = severity === 'failure' ? 'error' : 'warning';
      const remark: Remark = { level, rule: ruleId(check), message: what, hint: next, details: evidence };
      const isBad =
        failOn !== 'never' && (severity === 'failure' || (severity === 'warning' && failOn === 'warning'));
      if (severity === 'ok') return { name: check, result: 'passed', remarks: [] };
      if (severity === 'skipped')
        return { name: check, result: 'skipped', remarks: [{ ...remark, level: 'note' }] };
      return { name: check, result: isBad ? 'failed' : 'passed', remarks: [remark] };
    }),
  };
}

/** A check for each problem of an agent, or one that passes; without `failOn` what is degraded fails. */
export function reportOfProblems(problems: readonly Problem[], failOn: FaultLevel | undefined): Report {
  const from = PROBLEM_LEVELS.indexOf(failOn ?? 'degraded');
  const checks = problems.map(({ level, area, subject, message, next }): Check => {
    const isBad = PROBLEM_LEVELS.indexOf(level) >= from;
    const name = [area, subject].filter((part) => part !== '').join(' ');
    const result: CheckResult = !isBad ? 'passed' : level === 'unknown' ? 'unknown' : 'failed';
    return {
      name,
      result,
      remarks: [
        { level: level === 'degraded' ? 'error' : 'warning', rule: ruleId(area), message, hint: next },
      ],
    };
  });
  return {
    tool: 'cilium status',
    checks: checks.length > 0 ? checks : [{ name: 'status', result: 'passed', remarks: [] }],
  };
}

/** A check for each pod or workload with trouble, and for what could not be read. */
export function reportOfCluster(status: ClusterStatus, failOn: FaultLevel | undefined): Report {
  const checks = status.sorted().map(([component, pod, { errors, warnings }]): Check => {
    const remark =
      (level: Level) =>
      (message: string): Remark => ({ level, rule: ruleId(component), message });
    const isBad = errors.length > 0 || (failOn === 'warning' && warnings.length > 0);
    const name = pod === component ? component : `${component} ${pod}`;
    return {
      name,
      result: isBad ? 'failed' : 'passed',
      remarks: [...errors.map(remark('error')), ...warnings.map(remark('warning'))],
    };
  });
  const unread = status.collectionErrors.map(
    (message): Check => ({
      name: 'what could not be read',
      result: 'unknown',
      remarks: [{ level: 'error', rule: 'not-read', message }],
    }),
  );
  const all = [...checks, ...unread];
  return {
    tool: 'cilium status',
    checks: all.length > 0 ? all : [{ name: 'status', result: 'passed', remarks: [] }],
  };
}

/** A check for each place where the parts of a cluster disagree, and for what was not compared. */
export function reportOfConsistency(findings: readonly Inconsistency[], gaps: readonly string[]): Report {
  const found = findings.map(({ check, object, node, text }): Check => {
    const message = `${object}${node === '' ? '' : ` on ${node}`}: ${text}`;
    return {
      name: `${check} ${object}`,
      result: 'failed',
      remarks: [{ level: 'error', rule: `inconsistent-${check}`, message }],
    };
  });
  const open = gaps.map(
    (gap): Check => ({
      name: gap,
      result: 'unknown',
      remarks: [{ level: 'warning', rule: 'not-compared', message: `not compared: ${gap}` }],
    }),
  );
  const agreed: Check[] =
    found.length + open.length === 0 ? [{ name: 'all parts agree', result: 'passed', remarks: [] }] : [];
  return { tool: 'cilium status --consistency', checks: [...found, ...open, ...agreed] };
}

const ROWS: Readonly<Record<CheckRow['result'], { result: CheckResult; level: Level }>> = {
  fail: { result: 'failed', level: 'error' },
  unknown: { result: 'unknown', level: 'warning' },
  warn: { result: 'passed', level: 'warning' },
  pass: { result: 'passed', level: 'note' },
};

/** A check for each row of `preflight upgrade`. */
export function reportOfUpgrade(rows: readonly CheckRow[]): Report {
  return {
    tool: 'cilium preflight upgrade',
    checks: rows.map(
      ({ check, object, result, text, todo }): Check => ({
        name: [check, object].filter((part) => part !== '').join(' '),
        result: ROWS[result].result,
        remarks:
          result === 'pass'
            ? []
            : [
                {
                  level: ROWS[result].level,
                  rule: ruleId(check),
                  message: object === '' ? text : `${object}: ${text}`,
                  hint: todo,
                },
              ],
      }),
    ),
  };
}

/** What was compared by `config drift`. */
export interface Compared {
  rows: readonly DriftRow[];
  /** Nodes that were read. */
  nodes: readonly string[];
  unread: readonly { node: string; error: string }[];
}

/** A check for each node, and one for what Helm wrote where that differs. */
export function reportOfDrift({ rows, nodes, unread }: Compared): Report {
  const byNode = Map.groupBy(rows, ({ node }) => node);
  const names = [...new Set([...byNode.keys(), ...nodes])];
  return {
    tool: 'cilium config drift',
    checks: [
      ...names.map((node): Check => {
        const own = byNode.get(node) ?? [];
        const name = node === '' ? 'Helm and the ConfigMap' : `node ${node}`;
        return {
          name,
          result: own.length > 0 ? 'failed' : 'passed',
          remarks: own.map((row) => driftRemark(row, name)),
        };
      }),
      ...unread.map(
        ({ node, error }): Check => ({
          name: `node ${node}`,
          result: 'unknown',
          remarks: [{ level: 'warning', rule: 'not-read', message: `node ${node}: not read: ${error}` }],
        }),
      ),
    ],
  };
}

function driftRemark({ key, verdict, say, ...row }: DriftRow, name: string): Remark {
  const layers = (['helm', 'configMap', 'nodeConfig', 'agent'] as const).flatMap((layer) => {
    const value = row[layer];
    return value === undefined ? [] : [`${layer}: ${value === '' ? '""' : value}`];
  });
  const message = `${name}: ${key}: ${verdict} (${layers.join(', ')})`;
  return { level: 'error', rule: ruleId(verdict), message, hint: say };
}
