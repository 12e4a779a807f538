import { type ArchiveIndex, REDACTIONS, type TaskOutcome } from '../../archive/layout.ts';
import { type ClusterStatus, sortedEntries } from '../../cluster/status.ts';
import { GROUP_NAMES } from '../../cluster/sysdump/options.ts';
import type { NodeInfo } from '../../model/cluster.ts';
import type { Cell, Mark, Section } from '../../model/document.ts';
import type { Problem, ProblemLevel } from '../../model/problem.ts';
import type { Traffic } from '../../model/traffic.ts';
import { bytesText } from './sysdump.ts';

/** Something that was read, or why it could not be. */
export type Read<T> = { value: T } | { trouble: string };

/** What an archive tells of one agent. */
export interface AgentView {
  /** Its version as it names itself; undefined where it does not. */
  version: string | undefined;
  problems: readonly Problem[];
}

/** What an archive tells at a glance. */
export interface DumpView {
  label: string;
  /** Of archives of this program alone. */
  index: Partial<ArchiveIndex> | undefined;
  /** What a reader should know of the archive, a sentence each. */
  notes: readonly string[];
  files: readonly { name: string; bytes: number }[];
  /** Of Kubernetes. */
  version: Read<string>;
  nodes: Read<readonly NodeInfo[]>;
  status: Read<ClusterStatus>;
  /** The agents that the cluster should have; those that nothing was collected of say so. */
  agents: Read<readonly { node: string; pod: string; read: Read<AgentView> }[]>;
  traffic: Read<RecordedTraffic>;
}

/** The traffic of an archive, and what of it could not be read. */
export interface RecordedTraffic extends Traffic {
  damaged: { lines: number; why: string };
}

const MOST_FILES = 15;
const MOST_DROPS = 100;
const MOST_EDGES = 25;
const WORDS: Readonly<Record<ProblemLevel, Mark>> = {
  degraded: 'bad',
  warning: 'warning',
  unknown: 'unknown',
};

/** How bad the worst of all is. */
export function worst(problems: readonly Problem[]): Mark {
  const marks = problems.map(({ level }) => WORDS[level]);
  return (['bad', 'unknown', 'warning'] as const).find((mark) => marks.includes(mark)) ?? 'good';
}

/** Something that is wrong with a component. */
interface Trouble {
  component: string;
  pod: string;
  text: string;
}

/** What is wrong, apart from what the archive does not hold. */
export function troublesOf(
  status: ClusterStatus,
): Record<'errors' | 'warnings' | 'unread', readonly Trouble[]> {
  const all = (level: 'errors' | 'warnings') =>
    status
      .sorted()
      .flatMap(([component, pod, troubles]) =>
        troubles[level].map((text): Trouble => ({ component, pod, text })),
      );
  const noted = all('errors');
  const texts = new Set(noted.map(({ text }) => text));
  const others = [...status.collectionErrors, ...status.configErrors]
    .filter((text) => !texts.has(text))
    .map((text): Trouble => ({ component: '', pod: '', text }));
  const [unread = [], errors = []] = [true, false].map((isUnread) =>
    [...noted, ...others].filter(({ text }) => status.unread.has(text) === isUnread),
  );
  return { errors, warnings: all('warnings'), unread };
}

/** What is wrong with the components of Cilium, and what they are. */
export function clusterSections(status: Read<ClusterStatus>): Section[] {
  const title = 'Problems of components';
  const heads = ['', 'component', 'pod', 'what'];
  if ('trouble' in status) return [{ title, notes: [`Not known: ${status.trouble}`], heads, rows: [] }];
  const { value } = status;
  const { errors, warnings, unread } = troublesOf(value);
  const row = (level: string, mark: Mark) => (trouble: Trouble) => [
    { text: level, mark },
    trouble.component,
    trouble.pod === trouble.component ? '' : trouble.pod,
    lines(trouble.text),
  ];
  const rows = [
    ...errors.map(row('error', 'bad')),
    ...unread.map(row('not known', 'unknown')),
    ...warnings.map(row('warning', 'warning')),
  ];
  const found = [
    ...value.workloads.keys(),
    ...value.phases.keys().filter((name) => value.phases.get(name)?.size),
  ];
  const names = [...new Set(found)].toSorted();
  return [
    { title, heads, rows, empty: 'None was found.' },
    {
      title: 'Components',
      heads: ['component', 'kind', 'ready', 'pods', 'images'],
      rows: names.map((name) => {
        const workload = value.workloads.get(name);
        const counted = (counts: ReadonlyMap<string, number> | undefined) =>
          sortedEntries(counts ?? new Map()).map(([text, n]) => `${text}: ${n}`);
        return [
          name,
          workload?.type ?? '',
          workload
            ? {
                text: `${workload.ready} of ${workload.desired}`,
                mark: workload.ready < workload.desired ? 'bad' : 'good',
              }
            : '',
          counted(value.phases.get(name)).join(', '),
          counted(value.images.get(name)).join(', '),
        ];
      }),
      empty: 'None was found.',
    },
  ];
}

/** The first line, and the rest where there is one. */
function lines(text: string): Cell {
  const [first = '', ...more] = text.split('\n');
  return { text: first, more };
}

/** What is wrong with the agents, each as it tells of itself. */
export function agentProblems(agents: DumpView['agents']): Section {
  const title = 'Problems of agents';
  const heads = ['', 'node', 'part', 'what', 'what to do'];
  if ('trouble' in agents) return { title, notes: [`Not known: ${agents.trouble}`], heads, rows: [] };
  const rows = agents.value.flatMap(({ node, pod, read }) =>
    'value' in read
      ? read.value.problems.map(({ level, area, subject, message, next }) => [
          { text: level, mark: WORDS[level] },
          node || pod,
          [area, subject].filter((part) => part !== '').join(' '),
          lines(message),
          next,
        ])
      : [[{ text: 'not known', mark: 'unknown' as const }, node || pod, '', lines(read.trouble), '']],
  );
  return { title, heads, rows, empty: agents.value.length > 0 ? 'None was found.' : 'There are no agents.' };
}

/** The nodes with their agents. */
export function nodeSection({ nodes, agents }: DumpView): Section {
  const title = 'Nodes';
  const heads = ['node', 'ready', 'kubelet', 'kernel', 'agent', 'version of the agent'];
  const known = 'value' in agents ? agents.value : [];
  const byNode = new Map(known.map((agent) => [agent.node, agent]));
  const agentCells = (agent: (typeof known)[number] | undefined): Cell[] => {
    if (!agent) return [{ text: 'none is known', mark: 'unknown' }, { text: '' }];
    const { pod, read } = agent;
    if ('trouble' in read) return [{ text: pod, mark: 'unknown' }, { text: '' }];
    return [{ text: pod, mark: worst(read.value.problems) }, { text: read.value.version ?? 'not told' }];
  };
  if ('trouble' in nodes)
    return {
      title,
      notes: [`The list of nodes is not known: ${nodes.trouble}`],
      heads: ['node', 'agent', 'version of the agent'],
      rows: known.map((agent) => [agent.node, ...agentCells(agent)]),
    };
  return {
    title,
    heads,
    rows: nodes.value.map(({ name, ready, why, kubelet, kernel }) => [
      name,
      ready === 'True'
        ? { text: 'yes', mark: 'good' as const }
        : ready === 'False'
          ? { text: why ? `no: ${why}` : 'no', mark: 'bad' as const }
          : { text: 'not known', mark: 'unknown' as const },
      kubelet,
      kernel,
      ...agentCells(byNode.get(name)),
    ]),
    empty: 'There are none.',
  };
}

/** What was not read, by how it went; what failed comes first. */
export function taskSections(index: Partial<ArchiveIndex> | undefined): Section[] {
  const heads = ['task', 'node', 'why'];
  if (!index?.tasks)
    return [
      {
        title: 'What is missing',
        notes: [
          'Not known: the archive has no index, so that it does not tell what was asked for and not read.',
        ],
        heads,
        rows: [],
      },
    ];
  const { tasks } = index;
  const groups = new Set<string>(tasks.map(({ group }) => group));
  const others = GROUP_NAMES.filter((group) => !groups.has(group));
  const rows = (isMeant: (task: TaskOutcome) => boolean) =>
    tasks
      .filter(isMeant)
      .map(({ task, node = '', reason = 'no reason was noted' }) => [task, node, lines(reason)]);
  return [
    {
      title: 'What is missing',
      heads,
      rows: rows(({ status }) => status === 'failed'),
      empty: 'Nothing that was asked for.',
    },
    {
      title: 'What was not asked for',
      notes: others.length > 0 ? [`Nothing of these groups is in it: ${others.join(', ')}.`] : [],
      heads,
      rows: rows(({ status }) => status === 'skipped'),
    },
    { title: 'What the cluster does not have', heads, rows: rows(({ status }) => status === 'absent') },
    {
      title: 'What is there in part',
      heads,
      rows: rows(({ status, reason }) => status === 'ok' && reason !== undefined && reason !== ''),
    },
    ...(index.isRedacted === false
      ? [
          {
            title: 'Secrets',
            notes: ['None was replaced (--no-redact): the archive may hold passwords, tokens and keys.'],
            heads: [],
            rows: [],
          },
        ]
      : index.isRedacted
        ? [
            {
              title: 'Secrets',
              notes: [
                `Those that rules find were replaced; ${REDACTIONS} says which rule, in which file. Look through an archive before it is given to others.`,
              ],
              heads: [],
              rows: [],
            },
          ]
        : []),
  ];
}

/** What the flows show that agents remembered. */
export function trafficSections({ traffic }: DumpView): Section[] {
  if ('trouble' in traffic)
    return [{ title: 'Flows', notes: [`Not known: ${traffic.trouble}`], heads: [], rows: [] }];
  const { nodes, edges, flows, lost, damaged } = traffic.value;
  const names = new Map(
    nodes.map(({ id, namespace, name }) => [id, namespace === undefined ? name : `${namespace}/${name}`]),
  );
  const who = (edge: { client: string; server: string }) =>
    `${names.get(edge.client) ?? 'unknown'} → ${names.get(edge.server) ?? 'unknown'}`;
  const drops = edges
    .flatMap((edge) => edge.drops.map((drop) => ({ edge, drop })))
    .toSorted((a, b) => b.drop.flows - a.drop.flows);
  return [
    {
      title: 'Drops',
      notes: [
        `Of ${flows} flows that agents remembered.`,
        ...(damaged.lines > 0
          ? [
              `${damaged.lines} ${damaged.lines === 1 ? 'line' : 'lines'} could not be read, so that something may be missing (the first: ${damaged.why}).`,
            ]
          : []),
        ...(lost > 0 ? [`${lost} events were lost.`] : []),
      ],
      heads: ['flows', 'reason', 'who', 'port', 'policies'],
      rows: drops
        .slice(0, MOST_DROPS)
        .map(({ edge, drop }) => [
          drop.flows,
          { text: drop.reason, mark: 'bad' },
          who(edge),
          `${drop.port} ${drop.direction ?? ''}`,
          drop.policies.join(', '),
        ]),
      empty: damaged.lines > 0 ? 'Nothing was dropped in what could be read.' : 'Nothing was dropped.',
    },
    {
      title: 'Top talkers',
      heads: ['flows', 'who', 'ports', 'dropped'],
      rows: edges
        .toSorted((a, b) => b.flows - a.flows)
        .slice(0, MOST_EDGES)
        .map((edge) => [edge.flows, who(edge), edge.ports.map(({ name }) => name).join(' '), edge.dropped]),
    },
  ];
}

/** The largest files, and what all take. */
export function largest(files: DumpView['files']): Section {
  const sum = files.reduce((all, { bytes }) => all + bytes, 0);
  return {
    title: 'Largest files',
    notes: [`${files.length} files, ${bytesText(sum)} unpacked.`],
    heads: ['file', 'size'],
    rows: files
      .toSorted((a, b) => b.bytes - a.bytes)
      .slice(0, MOST_FILES)
      .map(({ name, bytes }) => [name, bytesText(bytes)]),
  };
}
