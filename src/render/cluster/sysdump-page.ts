import type { Cell, Fact, PageDocument } from '../../model/document.ts';
import {
  agentProblems,
  clusterSections,
  type DumpView,
  largest,
  nodeSection,
  type Read,
  taskSections,
  trafficSections,
  troublesOf,
  worst,
} from './sysdump-sections.ts';

/** An archive at a glance, as a page: what it is of, what is wrong, what is missing, and what its flows show. */
export function dumpDocument(
  dump: DumpView,
  { made, version }: { made: string; version: string },
): PageDocument {
  const { label, index, notes } = dump;
  const of = index?.server ? `Of ${index.server}` : 'Of a cluster whose address it does not tell';
  const times = index?.startedAt ? [`Collected from ${index.startedAt} to ${index.endedAt ?? '?'}.`] : [];
  const [problems, ...components] = clusterSections(dump.status);
  const [missed, ...rest] = taskSections(index);
  return {
    title: `Sysdump ${label}`,
    about: [
      `${of}${index?.context ? `, context ${index.context}` : ''}${index?.writer ? `, by ${index.writer}` : ''}.`,
      ...times,
      ...notes,
    ],
    facts: factsOf(dump),
    sections: [
      ...(problems ? [problems] : []),
      agentProblems(dump.agents),
      nodeSection(dump),
      ...components,
      ...(missed ? [missed] : []),
      ...trafficSections(dump),
      ...rest,
      largest(dump.files),
    ],
    made,
    version,
  };
}

function factsOf({ index, version, nodes, agents, status, traffic }: DumpView): Fact[] {
  const unknown = (name: string, trouble: string): Fact => ({
    name,
    text: 'not known',
    mark: 'unknown',
    more: [trouble],
  });
  const fact = <T>(name: string, read: Read<T>, show: (value: T) => Cell): Fact =>
    'value' in read ? { name, ...show(read.value) } : unknown(name, read.trouble);
  const isWhole: Cell =
    index === undefined
      ? { text: 'not told', mark: 'unknown' }
      : index.isComplete
        ? { text: 'yes', mark: 'good' }
        : { text: 'no', mark: 'bad' };
  const isRedacted: Cell =
    index?.isRedacted === undefined
      ? { text: 'not told', mark: 'unknown' }
      : index.isRedacted
        ? { text: 'replaced' }
        : { text: 'not replaced', mark: 'warning' };
  return [
    { name: 'complete', ...isWhole },
    { name: 'secrets', ...isRedacted },
    fact('Kubernetes', version, (text) => ({ text })),
    fact('nodes', nodes, (all) => {
      const of = (state: string) => all.filter(({ ready }) => ready === state).length;
      const unknown = all.length - of('True') - of('False');
      return {
        text: `${of('True')} of ${all.length} ready${unknown > 0 ? `, ${unknown} not known` : ''}`,
        mark: of('False') > 0 ? 'bad' : unknown > 0 ? 'unknown' : 'good',
      };
    }),
    fact('agents', agents, (all) => {
      const states = all.map(({ read }) => ('value' in read ? worst(read.value.problems) : 'unknown'));
      const well = states.filter((state) => state === 'good').length;
      return {
        text: `${well} of ${all.length} without a problem`,
        mark: well === all.length && all.length > 0 ? 'good' : states.includes('bad') ? 'bad' : 'unknown',
      };
    }),
    fact('components', status, (cluster) => {
      const { errors, warnings, unread } = troublesOf(cluster);
      const [bad, odd, open] = [errors.length, warnings.length, unread.length];
      const parts = [`${bad} errors`, `${odd} warnings`, ...(open > 0 ? [`${open} not known`] : [])];
      const mark = bad > 0 ? 'bad' : open > 0 ? 'unknown' : odd > 0 ? 'warning' : 'good';
      return { text: parts.join(', '), mark };
    }),
    fact('flows', traffic, ({ flows, edges, damaged: { lines } }) => {
      const dropped = edges.reduce((sum, edge) => sum + edge.dropped, 0);
      const rest = lines > 0 ? `, ${lines} ${lines === 1 ? 'line' : 'lines'} not read` : '';
      const mark = dropped > 0 ? 'warning' : lines > 0 ? 'unknown' : undefined;
      return { text: `${flows}, ${dropped} dropped${rest}`, ...(mark && { mark }) };
    }),
  ];
}
