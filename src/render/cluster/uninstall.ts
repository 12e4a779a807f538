import { type ManifestObject, shownObject } from '../../cluster/install/manifest.ts';
import { compareNatural } from '../../lib/order.ts';
import { heldNamespaces, type Leftovers } from '../../model/leftovers.ts';
import { sanitizeCell } from '../text/sanitize.ts';

/** How an uninstallation is meant. */
export interface UninstallPlan {
  release: string;
  namespace: string;
  context: string;
  /** Undefined: there is no release, and only what is left of one goes. */
  objects: readonly ManifestObject[] | undefined;
  left: Leftovers;
  testNamespaces: readonly string[];
  withCrds: boolean;
  /** The image that cleans nodes up; undefined: they are left as they are. */
  cleanupImage: string | undefined;
  nodes: number | undefined;
}

const NAMED = 8;

/** The first of some names, and how many more there are. */
function some(names: readonly string[]): string {
  const shown = names.slice(0, NAMED).map(sanitizeCell).join(', ');
  return names.length > NAMED ? `${shown} and ${names.length - NAMED} more` : shown;
}

function counted(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}

/** What goes, and what stays: before anything is done. */
export function renderUninstallPlan(plan: UninstallPlan): string {
  const { objects, left, testNamespaces, withCrds, cleanupImage } = plan;
  const gone = objects?.filter(({ isKept }) => !isKept) ?? [];
  const kept = objects?.filter(({ isKept }) => isKept) ?? [];
  const annotated = left.nodes.filter(({ annotations }) => annotations.length > 0);
  const goes = [
    ...(objects === undefined
      ? []
      : [
          `release ${plan.release} with ${counted(gone.length, 'object')}${gone.length > 0 ? `: ${some(kindsOf(gone))}` : ''}`,
        ]),
    ...testNamespaces.map((name) => `namespace ${name} with all that is in it`),
    ...(annotated.length > 0
      ? [
          `annotations of Cilium on ${counted(annotated.length, 'node')}: ${some(annotated.map(({ name }) => name))}`,
        ]
      : []),
    ...(withCrds ? crdLines(left, true) : []),
    ...(cleanupImage === undefined
      ? []
      : [
          `the state of Cilium on ${plan.nodes === undefined ? 'all nodes' : counted(plan.nodes, 'node')}, by a privileged pod on each (${cleanupImage})`,
        ]),
  ];
  const stays = [
    ...kept.map((object) => `${shownObject(object)} (the chart says so)`),
    ...(withCrds ? [] : crdLines(left)),
    ...(left.secrets.length > 0 ? [`secrets: ${some(left.secrets)}`] : []),
    ...namespaceLines(left, testNamespaces),
    ...taintLines(left),
    ...(cleanupImage === undefined
      ? ['the state of Cilium on the nodes: CNI configuration, BPF maps, routes, rules']
      : []),
  ];
  return [
    `Uninstalling from the namespace ${sanitizeCell(plan.namespace)} of the context ${sanitizeCell(plan.context)}.`,
    'This goes:',
    ...indented(goes),
    'This stays:',
    ...indented(stays),
    ...left.unseen.map((why) => `Not looked at: ${sanitizeCell(why)}`),
    '',
  ].join('\n');
}

function indented(lines: readonly string[]): string[] {
  return lines.length === 0 ? ['  nothing'] : lines.map((line) => `  ${sanitizeCell(line)}`);
}

function kindsOf(objects: readonly ManifestObject[]): string[] {
  const counts = Map.groupBy(objects, ({ kind }) => kind);
  return [...counts]
    .map(([kind, list]) => `${list.length} ${kind}`)
    .toSorted((a, b) => compareNatural(a.replace(/^\d+ /, ''), b.replace(/^\d+ /, '')));
}

function crdLines({ crds }: Leftovers, isTaken = false): string[] {
  if (crds.length === 0) return [];
  const full = crds.filter(({ objects }) => objects !== 0);
  const counts = full.map(({ name, objects }) => `${name} ${objects ?? '(not counted)'}`);
  const hung = [...heldNamespaces(crds)].map(
    ([namespace, n]) =>
      `finalizers on ${counted(n, 'object')} in the namespace ${namespace}${isTaken ? '' : ', which cannot be deleted while nobody takes them away'}`,
  );
  const alone = crds.flatMap(({ held }) => held).filter(({ namespace }) => namespace === undefined).length;
  return [
    `${counted(crds.length, 'definition')} (CRD) of Cilium with their objects: ${full.length === 0 ? 'none has any' : some(counts)}`,
    ...hung,
    ...(alone > 0 ? [`finalizers on ${counted(alone, 'object')} of the whole cluster`] : []),
  ];
}

/** Namespaces of tests, and those that may be of somebody else; without those that go. */
function namespaceLines(
  { testNamespaces, namedLikeTests }: Leftovers,
  going: readonly string[] = [],
): string[] {
  const stay = (names: readonly string[]) => names.filter((name) => !going.includes(name));
  return [
    ...stay(testNamespaces).map((name) => `namespace ${name}`),
    ...stay(namedLikeTests).map(
      (name) =>
        `namespace ${name}, which has the name of one of tests but not their label; it goes by: kubectl delete namespace ${name}`,
    ),
  ];
}

function taintLines({ nodes }: Leftovers): string[] {
  const tainted = nodes.filter(({ taints }) => taints.length > 0);
  if (tainted.length === 0) return [];
  const keys = [...new Set(tainted.flatMap(({ taints }) => taints))];
  return [
    `taint ${keys.join(', ')} on ${counted(tainted.length, 'node')}, which keeps pods away: ${some(tainted.map(({ name }) => name))}`,
  ];
}

/** What was found when it was looked again. */
export interface StillThere {
  /** Objects of the release that are there, and those that are on their way out. */
  there: readonly string[];
  going: readonly string[];
  left: Leftovers;
  /** What could not be done: one line each. */
  failures: readonly string[];
  withCrds: boolean;
  /** The nodes whose own state is still there; empty where it was cleaned up. */
  isNodeStateLeft: boolean;
}

/** What is still there, and how it goes. */
export function renderStillThere({
  there,
  going,
  left,
  failures,
  withCrds,
  isNodeStateLeft,
}: StillThere): string {
  const annotated = left.nodes.filter(({ annotations }) => annotations.length > 0);
  const tainted = left.nodes.filter(({ taints }) => taints.length > 0);
  const lines = [
    ...failures,
    ...(there.length > 0 ? [`objects of the release: ${some(there)}`] : []),
    ...(going.length > 0 ? [`being deleted: ${some(going)}`] : []),
    ...namespaceLines(left),
    ...(annotated.length > 0 ? [`annotations on nodes: ${some(annotated.map(({ name }) => name))}`] : []),
    ...crdLines(left),
    ...(left.crds.length > 0 && !withCrds ? ['  they go by: cilium uninstall --crds'] : []),
    ...(left.secrets.length > 0 ? [`secrets: ${some(left.secrets)}`] : []),
    ...taintLines(left),
    ...tainted
      .flatMap(({ name, taints }) => taints.map((key) => `  kubectl taint node ${name} ${key}-`))
      .slice(0, NAMED),
    ...(isNodeStateLeft
      ? [
          'what Cilium wrote on each node (CNI configuration, BPF maps, routes, rules); it goes there by: cilium cleanup --force',
        ]
      : []),
  ];
  if (lines.length === 0) return 'Nothing of Cilium is left.\n';
  return `Still there:\n${indented(lines).join('\n')}\n${left.unseen.map((why) => `Not looked at: ${sanitizeCell(why)}\n`).join('')}`;
}
