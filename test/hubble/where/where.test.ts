import { describe, expect, test } from '@jest/globals';
import { compileFilters } from '../../../src/hubble/filter/filter.ts';
import { compileWhere } from '../../../src/hubble/where/evaluate.ts';
import { parseWhere } from '../../../src/hubble/where/parse.ts';
import { planWhere } from '../../../src/hubble/where/server-plan.ts';
import type { Flow } from '../../../src/model/hubble.gen.ts';
import fc from '../../helpers/properties.ts';
import { fixtureText } from '../../helpers/recordings.ts';

const FLOWS = fixtureText('recordings/flows-1.20.jsonl')
  .trim()
  .split('\n')
  .map((line) => (JSON.parse(line) as { flow: Flow }).flow)
  .filter((flow) => flow !== undefined);

async function select(source: string): Promise<Flow[]> {
  return FLOWS.filter(await compileWhere(parseWhere(source), source));
}

describe('an expression selects', () => {
  test.each<[string, (flow: Flow) => boolean]>([
    ['verdict = DROPPED', (f) => f.verdict === 'DROPPED'],
    ['verdict = dropped', (f) => f.verdict === 'DROPPED'],
    ['not verdict = FORWARDED', (f) => f.verdict !== 'FORWARDED'],
    ['verdict != FORWARDED', (f) => f.verdict !== 'FORWARDED'],
    ['src.pod = default/frontend-7d9', (f) => f.source?.pod_name === 'frontend-7d9'],
    ['dst.pod = api*', (f) => f.destination?.pod_name?.startsWith('api') ?? false],
    ['pod = web-app', (f) => f.source?.pod_name === 'web-app' || f.destination?.pod_name === 'web-app'],
    ['dst.ip in 10.11.0.0/16', (f) => f.IP?.destination?.startsWith('10.11.') ?? false],
    [
      'dst.port in 8000..9000',
      (f) => ((p) => p !== undefined && p >= 8000 && p <= 9000)((f.l4?.TCP ?? f.l4?.UDP)?.destination_port),
    ],
    ['dst.port in [80, 443]', (f) => [80, 443].includes((f.l4?.TCP ?? f.l4?.UDP)?.destination_port ?? 0)],
    ['protocol = udp and dst.port = 53', (f) => f.l4?.UDP?.destination_port === 53],
    ['http.code >= 400', (f) => (f.l7?.http?.code ?? 0) >= 400],
    ['dns.query ~ "example"', (f) => f.l7?.dns?.query?.includes('example') ?? false],
    ['src.label = "app=frontend"', (f) => f.source?.labels?.includes('k8s:app=frontend') ?? false],
    ['type = drop or type = l7', (f) => f.event_type?.type === 1 || f.event_type?.type === 129],
    ['(type=drop||type=l7)&&!verdict=DROPPED', (f) => f.event_type?.type === 129 && f.verdict !== 'DROPPED'],
    ['reply', (f) => f.is_reply === true],
    ['flags = SYN and not flags = ACK', (f) => f.l4?.TCP?.flags?.SYN === true && f.l4.TCP.flags.ACK !== true],
  ])('%s', async (source, expected) => {
    const found = await select(source);
    expect(found).toEqual(FLOWS.filter(expected));
    expect(found.length).toBeGreaterThan(0);
  });
});

describe('an expression that makes no sense is shown with its place', () => {
  test.each([
    ['verdict =', 'expected a value, found the end', 9],
    ['verdict DROPPED', 'expected "and", "or" or the end, found "DROPPED"', 8],
    ['(verdict = DROPPED', 'expected ")", found the end', 18],
    ['verdict = "DROPPED', 'the quote is not closed', 10],
    ['vedict = DROPPED', 'there is no field "vedict"', 0],
    ['dst.port = http', '"http" is not a number', 0],
    ['pod ~ "("', 'invalid --where filter', undefined],
    ['dst.port ~ 80', 'dst.port is no text', 0],
    ['verdict < 3', 'verdict is no number', 0],
    ['', 'expected the name of a field, found the end', 0],
  ])('%s', async (source, problem, column) => {
    const error = await (async () => compileWhere(parseWhere(source), source))().then(
      () => undefined,
      (e: Error) => e,
    );
    expect(error?.message).toContain(problem);
    if (column !== undefined) expect(error?.message.split('\n').at(-1)).toBe(`  ${' '.repeat(column)}^`);
  });
});

const ATOMS = [
  'verdict = DROPPED',
  'verdict != FORWARDED',
  'src.pod = default/frontend-7d9',
  'pod = api*',
  'dst.port = 53',
  'port in [80, 8080]',
  'dst.port >= 1024',
  'dst.ip in 10.11.0.0/16',
  'namespace = kube-system',
  'protocol = tcp',
  'type = l7',
  'type in [drop, policy-verdict]',
  'label = "app=web-app"',
  'http.method = GET',
  'dns.query ~ "com"',
  'reply',
  'direction = INGRESS',
  'identity = 2',
  'summary ~ "SYN"',
];
const expressions = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(...ATOMS),
    fc
      .tuple(tie('expression'), fc.constantFrom('and', 'or'), tie('expression'))
      .map(([a, op, b]) => `(${a} ${op} ${b})`),
    tie('expression').map((e) => `not (${e})`),
  ),
})).expression;

test('what a server would send holds every flow that is meant, and exactly those when nothing is left to do', async () => {
  await fc.assert(
    fc.asyncProperty(expressions, async (source) => {
      const expression = parseWhere(source);
      const here = await compileWhere(expression, source);
      const { allow, deny, exact } = planWhere(expression, source);
      const there = await compileFilters(allow, deny);
      for (const flow of FLOWS) {
        if (here(flow) && !there(flow)) throw new Error(`lost ${flow.uuid}`);
        if (exact && there(flow) !== here(flow)) throw new Error(`not exact for ${flow.uuid}`);
      }
    }),
    { numRuns: 300 },
  );
});
