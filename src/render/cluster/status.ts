import { type ClusterStatus, COMPONENT, sortedEntries } from '../../cluster/status.ts';
import { PackedText } from '../../lib/packed-text.ts';
import type { Workload } from '../../model/cluster.ts';
import { goJson } from '../text/json.ts';
import { COLOR_CODES, type Codes, NO_CODES } from '../text/palette.ts';
import { sanitizeCell } from '../text/sanitize.ts';
import { tabulate } from '../text/table.ts';

/** Geometry of the reference's writer for this text. */
const STOP = { minWidth: 0, padding: 4 };

/** The state of Cilium in a cluster, as text: the components at a glance, then what they consist of and what is wrong. */
export function renderClusterStatus(status: ClusterStatus, isColoured: boolean): string {
  const c = isColoured ? COLOR_CODES : NO_CODES;
  const rows = [...glance(status, c)];
  for (const [name, workload] of sortedEntries(status.workloads))
    rows.push([workload.type, name, workloadText(workload, c)].join('\t'));
  rows.push(
    ...labelled(
      'Containers:',
      sortedEntries(status.phases).map(([name, phases]) => `${name}\t${phasesText(phases, c)}`),
    ),
  );
  const { pods } = status;
  rows.push(`Cluster Pods:\t${pods ? `${pods.managed}/${pods.all} managed by Cilium` : 'not counted'}`);
  rows.push(`Helm chart version:\t${sanitizeCell(status.chartVersion)}`);
  rows.push(
    ...labelled(
      'Image versions',
      sortedEntries(status.images).flatMap(([name, images]) =>
        sortedEntries(images).map(([image, n]) => `${name}\t${sanitizeCell(image)}: ${n}`),
      ),
    ),
  );
  for (const [label, level] of [
    ['Errors:', 'errors'],
    ['Warnings:', 'warnings'],
  ] as const)
    rows.push(
      ...labelled(
        label,
        status
          .sorted()
          .flatMap(([component, pod, troubles]) =>
            troubles[level].map((text) => `${component}\t${sanitizeCell(pod)}\t${text}`),
          ),
      ),
    );
  rows.push(
    ...labelled(
      'Configuration:',
      status.configErrors.flatMap((text) => text.split('\n').map((line) => ` \t${line}`)),
    ),
  );
  return tabulate(`${rows.join('\n')}\n`, STOP);
}

/** The components, beside the logo. */
function* glance(status: ClusterStatus, c: Codes): Generator<string> {
  const of = (component: string) => stateText(status, component, c);
  const envoy = of(COMPONENT.envoy).replace('disabled', 'disabled (using embedded mode)');
  yield `${c.yellow}    /¯¯\\`;
  yield `${c.cyan} /¯¯${c.yellow}\\__/${c.green}¯¯\\${c.reset}\tCilium:\t${of(COMPONENT.agent)}`;
  yield `${c.cyan} \\__${c.red}/¯¯\\${c.green}__/${c.reset}\tOperator:\t${of(COMPONENT.operator)}`;
  yield `${c.green} /¯¯${c.red}\\__/${c.magenta}¯¯\\${c.reset}\tEnvoy DaemonSet:\t${envoy}`;
  yield `${c.green} \\__${c.blue}/¯¯\\${c.magenta}__/${c.reset}\tHubble Relay:\t${of(COMPONENT.relay)}`;
  // Sequences count as width: each row has as many.
  yield `${c.blue}${c.blue}${c.blue}    \\__/${c.reset}\tClusterMesh:\t${of(COMPONENT.clusterMesh)}`;
  yield '';
}

function stateText(status: ClusterStatus, component: string, c: Codes): string {
  const { errors, warnings } = status.count(component);
  const parts = [
    ...(errors > 0 ? [`${c.red}${errors} errors${c.reset}`] : []),
    ...(warnings > 0 ? [`${c.yellow}${warnings} warnings${c.reset}`] : []),
    ...(status.isDisabled(component) ? [`${c.cyan}disabled${c.reset}`] : []),
  ];
  return parts.length > 0 ? parts.join(', ') : `${c.green}OK${c.reset}`;
}

function workloadText({ desired, ready, available, unavailable }: Workload, c: Codes): string {
  const colour = ready < desired ? c.yellow : c.green;
  const parts = [
    ...(desired > 0 ? [`Desired: ${desired}`] : []),
    ...(ready > 0 ? [`Ready: ${colour}${ready}/${desired}${c.reset}`] : []),
    ...(available > 0 ? [`Available: ${colour}${available}/${desired}${c.reset}`] : []),
    ...(unavailable > 0 ? [`Unavailable: ${c.red}${unavailable}/${desired}${c.reset}`] : []),
  ];
  return parts.join(', ');
}

function phasesText(phases: ReadonlyMap<string, number>, c: Codes): string {
  const colourOf = (phase: string) =>
    ['Failed', 'Unknown'].includes(phase)
      ? c.red
      : ['Running', 'Pending', 'Succeeded'].includes(phase)
        ? c.green
        : '';
  return sortedEntries(phases)
    .map(([phase, n]) => `${sanitizeCell(phase)}: ${colourOf(phase)}${n}${c.reset}`)
    .join(', ');
}

/** Rows of which the first has a label. */
function labelled(label: string, rows: readonly string[]): string[] {
  return rows.map((row, i) => `${i === 0 ? label : ''}\t${row}`);
}

/** An agent's answer as it stands in the JSON of a status. */
export function answerText(document: unknown): PackedText {
  return new PackedText(deeper(deeper(goJson(document, 1))));
}

function deeper(json: string): string {
  return json.replaceAll('\n', '\n ');
}

/** The same as JSON in parts, with the names that the reference gives its fields. */
export function* clusterStatusJson(status: ClusterStatus): Generator<string> {
  let separator = '{';
  for (const [name, value] of Object.entries(documentOf(status))) {
    if (isEmpty(value)) continue;
    yield `${separator}\n ${goJson(name)}: `;
    separator = ',';
    if (!(value instanceof Map)) {
      yield deeper(goJson(value, 1));
      continue;
    }
    let inner = '{';
    for (const [pod, answer] of sortedEntries(value as ReadonlyMap<string, PackedText | null>)) {
      yield `${inner}\n  ${goJson(pod)}: ${answer}`;
      inner = ',';
    }
    yield '\n }';
  }
  yield separator === '{' ? '{}\n' : '\n}\n';
}

/** The fields in their order; answers of agents are Maps of JSON. */
function documentOf(status: ClusterStatus): Record<string, unknown> {
  const counts = (of: ReadonlyMap<string, ReadonlyMap<string, number>>) =>
    objectOf(of, (inner) => objectOf(inner, (n) => n));
  return {
    image_count: counts(status.images),
    phase_count: counts(status.phases),
    pod_state: objectOf(status.workloads, ({ type, desired, ready, available, unavailable }) => ({
      Type: type,
      Desired: desired,
      Ready: ready,
      Available: available,
      Unavailable: unavailable,
    })),
    pods_count: status.pods ? { all: status.pods.all, by_cilium: status.pods.managed } : {},
    cilium_status: answersOf(status, 'status'),
    cilium_endpoints: answersOf(status, 'endpoints'),
    errors: objectOf(status.troubles, (pods) =>
      objectOf(pods, ({ errors, warnings, disabled }) => ({
        Errors: errors,
        Warnings: warnings,
        Disabled: disabled,
      })),
    ),
    collection_errors: status.collectionErrors,
    helm_chart_version: status.chartVersion,
    config_errors: status.configErrors,
  };
}

function answersOf(
  status: ClusterStatus,
  of: 'status' | 'endpoints',
): ReadonlyMap<string, PackedText | null> {
  return new Map([...status.agents].map(([pod, answers]) => [pod, answers[of] ?? null]));
}

function objectOf<V, R>(map: ReadonlyMap<string, V>, value: (of: V) => R): Record<string, R> {
  return Object.fromEntries(sortedEntries(map).map(([key, of]) => [key, value(of)]));
}

function isEmpty(value: unknown): boolean {
  if (value instanceof Map) return value.size === 0;
  return value === '' || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
}
