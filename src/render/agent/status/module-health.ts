import { compareBytes } from '../../../lib/order.ts';
import type { ModuleReport } from '../../../model/health.ts';
import { humanAge } from '../../text/duration.ts';
import { sanitize } from '../../text/sanitize.ts';

/** Column at which the report of a leaf starts, before what its depth adds. */
const LEAF_WIDTH = 40;

interface Node {
  name: string;
  report?: ModuleReport;
  children: Map<string, Node>;
}

/** `Stopped(19) Degraded(1) OK(87)` */
export function moduleHealthSummary(reports: readonly ModuleReport[]): string {
  const count = (level: string) => reports.filter((report) => report.level === level).length;
  return `Stopped(${count('Stopped')}) Degraded(${count('Degraded')}) OK(${count('OK')})`;
}

/** The same of 1.15, which counts whole modules, and those that have said nothing yet. */
export function moduleHealthSummary115(reports: readonly ModuleReport[]): string {
  const count = (level: string) => reports.filter(({ moduleLevel }) => moduleLevel === level).length;
  const levels = ['Stopped', 'Degraded', 'OK', 'Unknown'];
  return levels.map((level) => `${level}(${count(level)})`).join(' ');
}

/** The tree of 1.15: in the order of the reports, which also stand on inner nodes. */
export function moduleHealthTree115(reports: readonly ModuleReport[], nowMs: number): string {
  const root: Node = { name: 'agent', children: new Map() };
  for (const report of reports) insert(root, report);
  const children = (node: Node) => [...node.children.values()];
  // 1.15 counts the depth without the root.
  const depth = Math.max(0, depthOf(root, children) - 1);
  return ['agent', ...branchLines(root, '', 0, depth, { nowMs, children })].join('\n');
}

/**
 * The reports as a tree, a line each, without a newline at the end. As in the reference it is the tree of the first
 * root, which is `agent`: the summary may count a report or two more.
 */
export function moduleHealthTree(reports: readonly ModuleReport[], nowMs: number): string {
  const [top] = rootsOf(reports);
  return top ? treeOf(top, nowMs) : 'no reports';
}

/** The trees of all roots, one after another, as 1.20 shows them. */
export function moduleHealthTrees(reports: readonly ModuleReport[], nowMs: number): string[] {
  return rootsOf(reports).map((root) => treeOf(root, nowMs));
}

function rootsOf(reports: readonly ModuleReport[]): Node[] {
  const root: Node = { name: '', children: new Map() };
  for (const report of reports) insert(root, report);
  return childrenOf(root);
}

function treeOf(top: Node, nowMs: number): string {
  const drawing = { nowMs, children: childrenOf };
  const own = top.report ? ` ${reportText(top.report, nowMs)}` : '';
  return [`${oneLine(top.name)}${own}`, ...branchLines(top, '', 0, depthOf(top, childrenOf), drawing)].join(
    '\n',
  );
}

function insert(root: Node, report: ModuleReport): void {
  let here = root;
  for (const name of report.path) {
    let child = here.children.get(name);
    if (!child) {
      child = { name, children: new Map() };
      here.children.set(name, child);
    }
    here = child;
  }
  here.report = report;
}

/** Children by name. Reports stand on leaves only: an inner node's own moves to a child of that name. */
function childrenOf(node: Node): Node[] {
  return [...node.children.values()]
    .map((child): Node => {
      if (!child.report || child.children.size === 0) return child;
      const reporter: Node = { name: '[reporter]', report: child.report, children: new Map() };
      return { name: child.name, children: new Map([['[reporter]', reporter], ...child.children]) };
    })
    .toSorted(byName);
}

function byName(a: Node, b: Node): number {
  return compareBytes(a.name, b.name);
}

function depthOf(node: Node, childrenOf: Drawing['children']): number {
  const children = childrenOf(node);
  return children.length === 0 ? 0 : 1 + Math.max(...children.map((child) => depthOf(child, childrenOf)));
}

interface Drawing {
  nowMs: number;
  children: (node: Node) => Node[];
}

function branchLines(node: Node, indent: string, level: number, depth: number, drawing: Drawing): string[] {
  const children = drawing.children(node);
  return children.flatMap((child, i) => {
    const last = i === children.length - 1;
    const edge = `${indent}${last ? '└──' : '├──'} `;
    const spread = Math.max(0, depth - level);
    const line = child.report
      ? `${edge}${pad(oneLine(child.name), LEAF_WIDTH + 2 * spread)}${'  '.repeat(spread)}${reportText(child.report, drawing.nowMs)}`
      : `${edge}${oneLine(child.name)}`;
    return [line, ...branchLines(child, `${indent}${last ? ' ' : '│'}   `, level + 1, depth, drawing)];
  });
}

function reportText({ level, message, updated, count }: ModuleReport, nowMs: number): string {
  return `[${oneLine(level).toUpperCase()}] ${sanitize(message)} (${humanAge(updated, nowMs)}, x${count})`;
}

/** Pads to a width in code points, as Go's `%-*s`. */
function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - [...text].length));
}

function oneLine(name: string): string {
  return sanitize(name).replaceAll('\n', ' ');
}
