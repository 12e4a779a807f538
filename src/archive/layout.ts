/**
 * The names of what an archive holds. Those that cilium-cli has too are written as it writes them, so that tools which
 * read its archives read ours. Everything lies below one folder, the top, named like the archive.
 */

/** Raised when a reader of an older version could not read what is written. */
export const ARCHIVE_FORMAT = 1;

/** What was asked and how it went. Ours alone. */
export const INDEX = 'index.json';
/** The same for people. Ours alone. */
export const SUMMARY = 'SUMMARY.md';
/** Which rule replaced how much in which file. Ours alone. */
export const REDACTIONS = 'redactions.json';
/** What was printed. */
export const LOG = 'cilium-sysdump.log';
/** A folder for each agent. Ours alone. */
export const AGENTS = 'agents';
/** In the folder of an agent. */
export const AGENT_INDEX = 'agent.json';

/**
 * `ok`: read in whole. `absent`: the cluster does not have it (no such kind, no such object). `failed`: it may be there
 * and was not read, or not in whole. `skipped`: not asked, for a flag or because it was interrupted.
 */
export type TaskStatus = 'ok' | 'absent' | 'failed' | 'skipped';

/** One file of a task. */
export interface TaskFile {
  /** Below the top. */
  file: string;
  bytes: number;
}

/** How a task went. */
export interface TaskOutcome {
  task: string;
  /** What stands before the time in the name of its file, also where none was written. */
  stem?: string;
  group: string;
  node?: string;
  pod?: string;
  status: TaskStatus;
  /** Why it is not `ok`; with `ok`, what is worth knowing, such as a limit that was reached. */
  reason?: string;
  seconds: number;
  files: readonly TaskFile[];
}

/** Contents of `index.json`. */
export interface ArchiveIndex {
  format: typeof ARCHIVE_FORMAT;
  /** Version of the program that wrote the archive. */
  writer: string;
  /** What the names of files have; local time of the machine that collected. */
  timestamp: string;
  /** RFC 3339. */
  startedAt: string;
  /** Absent while the archive is written. */
  endedAt?: string;
  isComplete: boolean;
  /** Whether secrets were replaced. */
  isRedacted: boolean;
  server: string;
  /** The kubeconfig's. */
  context?: string;
  /** Where Cilium is installed. */
  namespace: string;
  nodes: readonly string[];
  tasks: readonly TaskOutcome[];
}

/** One request to an agent and the file that holds its answer as it came. */
export interface Exchange {
  /** With its query: `/v1/endpoint/12/log`. */
  path: string;
  /** Absent: GET. */
  method?: string;
  /** Path of the socket, where it is another one than that of the agent's API. */
  socket?: string;
  /** What was asked, where that is more than the path says. */
  body?: string;
  status: number;
  /** Content type of the answer. */
  type: string;
  /** Below the folder of the agent; absent where the answer is empty. */
  file?: string;
  /** The answer ended before it was whole. */
  isCut?: true;
}

/** One command that ran in the container of an agent. */
export interface CommandRun {
  argv: readonly string[];
  exitCode: number;
  /** Below the folder of the agent; absent where nothing was printed. */
  stdout?: string;
  stderr?: string;
  /** The output ended before it was whole. */
  isCut?: true;
}

/** One call to the Hubble server of an agent. */
export interface HubbleCall {
  /** `/observer.Observer/ServerStatus` */
  method: string;
  /** Below the folder of the agent: the answers, a JSON value a line; absent where none came. */
  file?: string;
  /** No more answers than these were asked for: there may have been older ones. */
  limit?: number;
  /** What the server refused it with. */
  error?: { code: string; desc: string };
  /** The answers ended before they were whole. */
  isCut?: true;
}

/** Contents of `agents/<node>/agent.json`. */
export interface ArchivedAgent {
  format: typeof ARCHIVE_FORMAT;
  node: string;
  pod: string;
  namespace: string;
  image?: string;
  /** As the agent gives it: `1.18.2`; absent where it did not answer. */
  version?: string;
  /** RFC 3339. */
  collectedAt: string;
  exchanges: readonly Exchange[];
  commands: readonly CommandRun[];
  /** Absent where no Hubble answered. */
  hubble?: readonly HubbleCall[];
}

/** Makes a name that is one part of a path everywhere. Names of Kubernetes stay as they are. */
export function fileSafe(name: string): string {
  const safe = name.replace(/[^A-Za-z0-9._=@+-]/g, '_').slice(0, 200);
  return safe === '' || safe === '.' || safe === '..' ? '_' : safe;
}

/** Folder of an agent, below the top. */
export function agentFolder(node: string): string {
  return `${AGENTS}/${fileSafe(node)}`;
}

/** The part of a file's name that says when: YYYYMMDD-hhmmss. */
export function fileTime(at: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${at.getFullYear()}${two(at.getMonth() + 1)}${two(at.getDate())}`;
  return `${day}-${two(at.getHours())}${two(at.getMinutes())}${two(at.getSeconds())}`;
}

/** `k8s-nodes`, `20261129-101500`, `yaml` → `k8s-nodes-20261129-101500.yaml`. */
export function timedFile(stem: string, time: string, extension: string): string {
  return `${fileSafe(stem)}-${time}.${extension}`;
}

/** A name of `timedFile`, also with what cilium-cli puts after the time, as in `logs-P-C-<ts>-prev.log`. */
export function parseTimedFile(
  name: string,
): { stem: string; time: string; rest: string; extension: string } | undefined {
  const parts = /^(.+)-(\d{8}-\d{6})(-[a-z]+)?\.([a-z]+)$/.exec(name);
  if (!parts) return undefined;
  const [, stem = '', time = '', rest = '', extension = ''] = parts;
  return { stem, time, rest: rest.slice(1), extension };
}

/** Name of the log of a container; of its run before the last restart where `isPrevious`. */
export function logFile(pod: string, container: string, time: string, isPrevious = false): string {
  return `logs-${fileSafe(pod)}-${fileSafe(container)}-${time}${isPrevious ? '-prev' : ''}.log`;
}

/** Flows of an agent, a JSON value a line. */
export function flowsFile(pod: string, time: string): string {
  return timedFile(`hubble-flows-${pod}`, time, 'json');
}
