import { UserError } from '../../errors.ts';
import { isRecord } from '../../lib/record.ts';
import type { Position } from '../../model/finding.ts';
import type { PolicyState } from '../evaluate/decide/cluster-state.ts';
import type { Answer } from '../evaluate/decide/decide.ts';
import type { PolicyEngine } from '../evaluate/decide/engine.ts';
import { Peers, parsePort } from '../evaluate/decide/peers.ts';
import { balancedBy, decideNamed } from '../evaluate/decide/services.ts';
import { formatPosition, type Path, type SourceDocument } from '../rule.ts';
import { type Explanation, explain } from './explain.ts';

const VERDICTS = ['allow', 'deny', 'unknown'] as const;
export type ExpectedVerdict = (typeof VERDICTS)[number];

/** One test of a test file. */
export interface Expectation {
  name: string;
  from: string;
  to: string;
  port: string;
  expect: ExpectedVerdict;
  position: Position;
}

/** The contents of a test file. */
export interface Expectations {
  /** Files and folders of rules, relative to the test file. */
  rules: string[];
  state: string | undefined;
  namespace: string | undefined;
  tests: Expectation[];
}

/** The result of one test. */
export interface TestResult {
  name: string;
  position: Position;
  passed: boolean;
  expected: ExpectedVerdict;
  got: ExpectedVerdict;
  /** The explanation of the deciding direction. */
  reason: string;
}

const FIELDS = ['rules', 'state', 'namespace', 'tests'];
const TEST_FIELDS = ['name', 'from', 'to', 'port', 'expect'];

/** Reads a test file: a list of tests, or an object with such a list as `tests`. */
export function expectationsOf(value: unknown, document: SourceDocument): Expectations {
  const fail = (path: Path, message: string, hint?: string): never => {
    throw new UserError(`${formatPosition(document.locate(path))}: ${message}`, { hint });
  };
  const top: Record<string, unknown> = Array.isArray(value) ? { tests: value } : isRecord(value) ? value : {};
  for (const field of Object.keys(top))
    if (!FIELDS.includes(field))
      fail([field], `unknown field "${field}"`, `Known fields: ${FIELDS.join(', ')}.`);
  const list = top.tests;
  if (!Array.isArray(list) || list.length === 0)
    return fail([], 'no tests', '"cilium policy test --init" prints a file to start from.');
  const base = Array.isArray(value) ? [] : ['tests'];
  return {
    rules: textsOf(top.rules, () => fail(['rules'], 'expected a file or a list of files')),
    state: textOf(top.state),
    namespace: textOf(top.namespace),
    tests: list.map((item: unknown, i) => {
      const path = [...base, i];
      if (!isRecord(item)) return fail(path, 'a test must be an object with from, to, port and expect');
      for (const field of Object.keys(item))
        if (!TEST_FIELDS.includes(field))
          fail([...path, field], `unknown field "${field}"`, `Known fields: ${TEST_FIELDS.join(', ')}.`);
      const text = (field: string): string =>
        textOf(item[field]) ?? fail(path, `a test must have the field "${field}"`);
      const [from, to, port, wanted] = [text('from'), text('to'), text('port'), text('expect')];
      const verdict = VERDICTS.find((each) => each === wanted);
      return {
        name: textOf(item.name) ?? `${from} to ${to} on ${port}`,
        from,
        to,
        port,
        expect:
          verdict ?? fail([...path, 'expect'], `expect must be allow, deny or unknown, not "${wanted}"`),
        position: document.locate(path),
      };
    }),
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

function textsOf(value: unknown, wrong: () => never): string[] {
  if (value === undefined) return [];
  const list = Array.isArray(value) ? value : [value];
  return list.map((item: unknown) => (typeof item === 'string' ? item : wrong()));
}

const AS_VERDICT: Readonly<Record<Answer, ExpectedVerdict>> = {
  allowed: 'allow',
  denied: 'deny',
  unknown: 'unknown',
};

/** Runs every test. A peer that cannot be found is an error at the test's place in the file. */
export function runExpectations(
  { tests, namespace }: Expectations,
  engine: PolicyEngine,
  state: PolicyState,
): TestResult[] {
  const peers = new Peers(engine, state, namespace);
  return tests.map(({ name, from, to, port, expect, position }) => {
    const at = <T>(work: () => T): T => {
      try {
        return work();
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        throw new UserError(`${formatPosition(position)}: ${error.message}`, {
          hint: error.hint,
          cause: error,
        });
      }
    };
    const source = at(() => peers.find(from));
    const destination = at(() => peers.find(to));
    const traffic = at(() => parsePort(port));
    const decision = decideNamed(
      peers,
      [source, destination],
      traffic,
      balancedBy(peers, destination, traffic),
    );
    const got = AS_VERDICT[decision.answer];
    const egress = explain('egress', decision.egress, source.label);
    const ingress = explain('ingress', decision.ingress, destination.label);
    return {
      name,
      position,
      passed: got === expect,
      expected: expect,
      got,
      reason: reasonOf(egress, ingress),
    };
  });
}

function reasonOf(egress: Explanation, ingress: Explanation): string {
  for (const answer of ['denied', 'unknown'])
    for (const each of [egress, ingress]) if (each.answer === answer) return `${each.direction} ${each.text}`;
  return `egress ${egress.text}; ingress ${ingress.text}`;
}

/** A test file to start from. */
export const TEMPLATE = `# What connections the policies must allow and deny. Run: cilium policy test FILE
rules:
  - policies/            # files or folders, relative to this file
# state: state.json      # identities and endpoints; only needed for pods by name, identity numbers and pod addresses
namespace: default       # for labels that do not name one
tests:
  - name: the frontend reaches the API
    from: app=frontend
    to: app=api
    port: 8080/TCP
    expect: allow
  - name: the world does not
    from: world
    to: app=api
    port: 8080/TCP
    expect: deny
`;
