// `policy validate` of 10,000 rules, whole process, beside JSON.parse of the same bytes. Budget: 3 s.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BenchOptions, type Budget, CILIUM, cpuInTurns, script, shareOf } from './lib-budget.ts';
import { measureRun, table } from './lib-measure.ts';

const RULES = 10_000;
const OBJECTS = 20_000;
const BUDGET_MS = 3_000;

function spec(i: number) {
  return {
    endpointSelector: { matchLabels: { app: `api-${i % 97}` } },
    ingress: [
      {
        fromEndpoints: [{ matchLabels: { app: `frontend-${i % 89}` } }],
        toPorts: [
          {
            ports: [{ port: String(8000 + (i % 1000)), protocol: 'TCP' }],
            rules: { http: [{ method: 'GET', path: `/api/v${i % 7}/.*` }] },
          },
        ],
      },
      { fromCIDRSet: [{ cidr: '10.0.0.0/8', except: ['10.22.0.0/16'] }] },
    ],
    egress: [
      {
        toFQDNs: [{ matchPattern: '*.example.com' }],
        toPorts: [{ ports: [{ port: '443', protocol: 'TCP' }] }],
      },
    ],
  };
}

function yamlOf(value: unknown, indent: string): string {
  if (Array.isArray(value))
    return value.map((item) => `\n${indent}- ${yamlOf(item, `${indent}  `).trimStart()}`).join('');
  if (typeof value === 'object' && value !== null)
    return Object.entries(value)
      .map(([key, item]) => `\n${indent}${key}: ${yamlOf(item, `${indent}  `)}`)
      .join('');
  return JSON.stringify(value);
}

function objectsOf(count: number) {
  return Array.from({ length: count }, (_, i) => ({
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumNetworkPolicy',
    metadata: { name: `p-${i}`, namespace: 'shop' },
    spec: spec(i),
  }));
}

function listOf(count: number): string {
  return JSON.stringify({ kind: 'List', apiVersion: 'v1', items: objectsOf(count) });
}

function rulesInJson(): string {
  return JSON.stringify(
    Array.from({ length: RULES }, (_, i) => spec(i)),
    null,
    2,
  );
}

/** Measures the rows of the table. */
export async function rows({ runs }: BenchOptions): Promise<Budget[]> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-validate-'));
  try {
    const [rules, objects] = ['rules.json', 'objects.json'].map((name) => join(folder, name));
    if (!rules || !objects) throw new Error('no files');
    writeFileSync(rules, rulesInJson());
    writeFileSync(objects, listOf(OBJECTS));
    const validate = (path: string) => ({
      name: `policy validate ${path}`,
      command: CILIUM,
      args: ['policy', 'validate', path],
    });
    const parse = {
      name: 'JSON.parse',
      command: process.execPath,
      args: [script('json-parse.mjs'), objects, '--whole'],
    };
    const [ofRules = 0, ofObjects = 0, parsed = 1] = await cpuInTurns(
      [validate(rules), validate(objects), parse],
      { runs: 2 * runs },
    );
    return [
      {
        work: 'policy validate of 10,000 rules',
        value: ofRules,
        unit: 's',
        goal: 0.8,
        figures: 'rules in JSON',
        explained: 'policy',
      },
      shareOf(
        'policy validate of 20,000 objects',
        10,
        [ofObjects, parsed],
        'JSON.parse of the file',
        'policy',
      ),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Prints the times. */
export async function run(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-validate-'));
  try {
    const objects = objectsOf(RULES);
    const files = {
      'rules in JSON': ['rules.json', rulesInJson()],
      'objects in JSON': ['objects.json', listOf(RULES)],
      'objects in YAML': ['objects.yaml', objects.map((object) => `---${yamlOf(object, '')}\n`).join('')],
    } as const;
    const rows: string[][] = [];
    for (const [what, [name, text]] of Object.entries(files)) {
      const path = join(folder, name);
      writeFileSync(path, text);
      const { medianMs, peakMb, exitCode } = await measureRun('bin/cilium', ['policy', 'validate', path]);
      const start = performance.now();
      if (name.endsWith('.json')) JSON.parse(readFileSync(path, 'utf8'));
      const parse = name.endsWith('.json') ? `${(performance.now() - start).toFixed(0)} ms` : '-';
      rows.push([
        what,
        `${(text.length / 1e6).toFixed(1)} MB`,
        `${medianMs.toFixed(0)} ms`,
        `${peakMb.toFixed(0)} MB`,
        parse,
        exitCode === 0 && medianMs <= BUDGET_MS ? 'within 3 s' : `NOT within 3 s (exit ${exitCode})`,
      ]);
    }
    console.log(table([`${RULES} rules`, 'size', 'validate', 'memory', 'JSON.parse', 'budget'], rows));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
