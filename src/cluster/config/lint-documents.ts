import { isScalar } from 'yaml';
import { formatJson } from '../../lib/exact-json.ts';
import { isRecord } from '../../lib/record.ts';
import { parseYamlDocuments, type YamlDocument } from '../../lib/yaml-text.ts';
import type { Facts } from './facts.ts';
import { find, type Given, givenOf, textOf } from './given.ts';
import { type Lint, lintAt } from './lint.ts';
import { lintKeys } from './lint-keys.ts';
import { lintTogether, lintValues } from './lint-values.ts';

/** A file as it was read, or pairs of the command line. */
export interface ConfigText {
  file: string;
  text: string;
}

/** The findings of several sources, and what those that are Helm values give together. */
export interface Checked {
  findings: Lint[];
  /** The documents of each file, for repairs. */
  documents: { file: string; document: YamlDocument; findings: Lint[] }[];
}

/** The name of the ConfigMap that is read by Cilium. */
const CONFIG_MAP = 'cilium-config';

/** Checks Helm values, ConfigMaps and what else stands in the files, and the values of `--set`, for a release. */
export async function lintConfig(
  files: readonly ConfigText[],
  pairs: readonly Given[],
  facts: Facts,
  minor: number,
): Promise<Checked> {
  const documents: Checked['documents'] = [];
  const findings: Lint[] = [];
  const sets: Given[][] = [];
  for (const { file, text } of files) {
    const parsed = await parseYamlDocuments(text);
    for (const document of parsed.documents) {
      const own: Lint[] = document.errors.map(({ message, pos }) => {
        const { line, col } = parsed.lines.linePos(pos[0]);
        return {
          severity: 'error',
          code: 'syntax',
          message: message.replace(/ at line \d+, column \d+:?[\s\S]*/, ''),
          position: { file, line, column: col },
          path: [],
        };
      });
      if (own.length === 0) {
        const given = givenOf(document, parsed.lines, file);
        if (given) own.push(...lintDocument(given, facts, minor, sets));
        else if (!isEmpty(document))
          own.push({
            severity: 'error',
            code: 'syntax',
            message: 'these are no settings: a map of names and values is expected',
            position: { file, line: 1, column: 1 },
            path: [],
          });
      }
      documents.push({ file, document, findings: own });
      findings.push(...own);
    }
  }
  if (pairs.length > 0) {
    findings.push(...lintValues(pairs, facts, minor));
    sets.push([...pairs]);
  }
  findings.push(...lintTogether(sets, minor));
  return { findings, documents };
}

/** Whether a document holds nothing, as one before a first `---`. */
function isEmpty({ contents }: YamlDocument): boolean {
  return contents === null || (isScalar(contents) && contents.value === null);
}

function lintDocument(given: readonly Given[], facts: Facts, minor: number, sets: Given[][]): Lint[] {
  const [kind, version] = [find(given, 'kind'), find(given, 'apiVersion')];
  if (typeof kind?.value !== 'string' || !version) {
    sets.push([...given]);
    return lintValues(given, facts, minor);
  }
  if (kind.value === 'ConfigMap') return lintConfigMap(given, kind, facts, minor);
  if (kind.value === 'DaemonSet' || kind.value === 'Deployment') return lintWorkload(given, kind);
  if (kind.value === 'CiliumNodeConfig') {
    const defaults = find(given, 'spec.defaults');
    return defaults ? lintKeys(defaults, facts, minor) : [];
  }
  const isPolicy = /NetworkPolicy$/.test(kind.value);
  return [
    lintAt(kind, {
      severity: 'warning',
      code: 'not-configuration',
      message: `a ${kind.value} is no configuration: it was not looked at`,
      hint: isPolicy ? 'Policies are checked by: cilium policy validate FILE' : undefined,
    }),
  ];
}

function lintConfigMap(given: readonly Given[], kind: Given, facts: Facts, minor: number): Lint[] {
  const name = find(given, 'metadata.name');
  const data = find(given, 'data');
  if (name?.value === CONFIG_MAP) return data ? lintKeys(data, facts, minor) : [];
  if (name?.value === 'cilium-metrics')
    return [
      lintAt(
        name,
        {
          severity: 'warning',
          code: 'not-configuration',
          message: 'no release of Cilium reads a ConfigMap cilium-metrics: these settings have no effect',
          hint: [
            'In Helm: prometheus.enabled=true and operator.prometheus.enabled=true; in cilium-config:',
            'prometheus-serve-addr: ":9962" for the agent, operator-prometheus-serve-addr: ":9963" and enable-metrics: "true" for',
            'the operator (9090 and 6942 were the defaults until 1.11). Metrics are chosen by the key metrics: "+NAME -NAME".',
          ].join(' '),
        },
        'value',
      ),
    ];
  return [
    lintAt(name ?? kind, {
      severity: 'warning',
      code: 'not-configuration',
      message: `the ConfigMap ${textOf(name?.value ?? 'without a name')} is not ${CONFIG_MAP}: it was not looked at`,
    }),
  ];
}

/** Which Helm value holds what a container of Cilium's own objects is given. */
const CONTAINERS: ReadonlyMap<unknown, string> = new Map([
  ['cilium-agent', ''],
  ['cilium-operator', 'operator.'],
  ['cilium-envoy', 'envoy.'],
  ['hubble-relay', 'hubble.relay.'],
]);
const OWNED = new Set(['resources', 'tolerations', 'nodeSelector', 'affinity', 'priorityClassName']);

/** The chart makes these objects: what is changed in them goes with its next upgrade. */
function lintWorkload(given: readonly Given[], kind: Given): Lint[] {
  const spec = find(given, 'spec.template.spec');
  const containers = find(spec?.children ?? [], 'containers');
  const found: Lint[] = [];
  const listed: unknown = containers?.value;
  for (const container of Array.isArray(listed) ? listed : []) {
    if (!isRecord(container) || !containers) continue;
    const prefix = CONTAINERS.get(textOf(container.name));
    if (prefix === undefined) continue;
    for (const [field, value] of Object.entries(container))
      if (OWNED.has(field))
        found.push(
          owned(
            containers,
            `${field} of the container ${textOf(container.name)}`,
            `${prefix}${field}`,
            value,
          ),
        );
    for (const one of spec?.children ?? []) {
      const field = one.path.at(-1) ?? '';
      if (OWNED.has(field)) found.push(owned(one, field, `${prefix}${field}`, one.value));
    }
  }
  if (found.length > 0) return found;
  return [
    lintAt(kind, {
      severity: 'warning',
      code: 'not-configuration',
      message: `a ${kind.value} is no configuration: it was not looked at`,
    }),
  ];
}

function owned(at: Given, what: string, path: string, value: unknown): Lint {
  return lintAt(at, {
    severity: 'warning',
    code: 'chart-owned',
    message: `${what}: the chart makes this object, and its next upgrade sets it back`,
    hint: `Write it in Helm's values: ${path}: ${formatJson(value)}`,
  });
}
