import type { AgentClient } from './agent/client.ts';
import type { Recording } from './archive/recording.ts';
import type { Dial } from './lib/dial.ts';
import type { Release } from './model/release.ts';

/** A stream of ours: stdout or stderr. */
export interface Output {
  /**
   * Writes text, in which nothing but our own sequences (`render/text/sanitize.ts`) steers a terminal: whatever a
   * cluster or a file put into it is escaped here. Resolves when the consumer can take more. Rejects with ClosedPipe when
   * it has gone.
   */
  write(text: string): Promise<void>;
  /** Writes bytes as they are: what a program of the user's printed, or what is known to be plain. */
  pass(bytes: Uint8Array): Promise<void>;
  readonly isTTY: boolean;
  /** Width of the terminal in cells; undefined when it is not one. */
  readonly columns: number | undefined;
  /** The file that is written, where it is one and the system tells. */
  readonly file?: string | undefined;
  /** Its height; undefined when it is not one, or does not say. */
  readonly rows?: number | undefined;
  /** Calls the listener whenever the terminal has changed its size, until the function that it returns is called. */
  onResize?: ((listener: () => void) => () => void) | undefined;
}

/** Standard input. */
export interface Input extends AsyncIterable<Uint8Array> {
  readonly isTTY: boolean;
  /** Asks for lines at a terminal, with editing and history. Absent unless stdin and stdout are terminals. */
  prompt?: ((question: string) => Promise<LinePrompt>) | undefined;
}

/** A conversation by lines. While it is open it owns stdin. */
export interface LinePrompt {
  /**
   * Shows the question and resolves with what was typed; undefined once the user has ended it with Ctrl-D, or with a second
   * Ctrl-C where nothing is typed. The first clears the line.
   */
  next(): Promise<string | undefined>;
  /** Called for Ctrl-C instead, while it is set: for what runs between two questions. */
  onInterrupt: (() => void) | undefined;
  close(): void;
}

/** Time as commands see it, so that tests can hold it still. */
export interface Clock {
  /** Milliseconds since the epoch. */
  nowMs(): number;
  /** Milliseconds since boot, without the time asleep (CLOCK_MONOTONIC): what the datapath stamps entries with. */
  uptimeMs(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Which cluster is spoken to, and as whom. */
export interface Cluster {
  kubeconfig?: string | undefined;
  context?: string | undefined;
  /** Where Cilium is installed; looked for when absent. */
  namespace?: string | undefined;
  as?: string | undefined;
  asGroups?: readonly string[] | undefined;
  /** How its agents are reached. */
  transport?: AgentTransport;
}

/** An agent of a cluster that is asked instead of the one of this machine. */
export interface Elsewhere extends Cluster {
  /** Name of the node, or `namespace/name` of a pod that runs there. */
  target: { node: string } | { pod: string };
}

/** How an agent of a cluster is reached: through its socket, by its own command line, or as it is possible. */
export const AGENT_TRANSPORTS = ['auto', 'relay', 'cli'] as const;
export type AgentTransport = (typeof AGENT_TRANSPORTS)[number];

/** All agents of a cluster, or those of some nodes. */
export interface Everywhere extends Cluster {
  /** Labels of the nodes that are meant; all when absent. */
  selector?: string | undefined;
  /** How many are asked at once. */
  concurrency: number;
}

/** Flags that every command of a family takes, before or after the verb. */
export interface Globals {
  /** `unix://PATH` or `tcp://HOST:PORT`; empty means the environment, then the default socket. */
  host: string;
  debug: boolean;
  /** Errors alone are told on stderr. */
  quiet?: boolean | undefined;
  /** When text may be coloured. */
  color: 'auto' | 'always' | 'never';
  /** How long a request to the agent may take, in milliseconds, where `--timeout` says so. */
  timeoutMs?: number | undefined;
  /** The folder that Cilium's maps are pinned below. */
  bpfRoot: string;
  /** Which agent is asked, when it is not the one of this machine. */
  elsewhere?: Elsewhere | undefined;
  /**
   * What the flags, the environment and the profile say of the cluster, for verbs that ask its API server; `isNamed` by a flag or
   * the profile.
   */
  cluster?: (Cluster & { isNamed: boolean; isByFlag?: boolean }) | undefined;
  /** What is read instead of a cluster: an archive that was collected of one. */
  archive?: Recording | undefined;
  /** When the agent was asked whose answers are read from it, in ms since the epoch. */
  collectedMs?: number | undefined;
  /** The release of the agent that made the maps, where it was named. */
  agentRelease?: Release | undefined;
}

/** All that a command may touch of the outside world. Built once by main, faked by tests. */
export interface Context {
  readonly out: Output;
  readonly err: Output;
  readonly in: Input;
  /** The terminal itself, for live screens; undefined when stdin or stdout is none. */
  readonly tty?: { stdin: NodeJS.ReadStream; stdout: NodeJS.WriteStream } | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Effective user id; undefined where the system has none. */
  readonly uid: number | undefined;
  /** The operating system, as Node calls it: agents run on `linux` alone. */
  readonly platform: string;
  readonly clock: Clock;
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  /**
   * Does work that may compute for long in one go and changes nothing: a signal ends the process at once meanwhile, as no
   * handler could run.
   */
  computing<T>(work: () => Promise<T>): Promise<T>;
  /** Waits for a program that reads this terminal: until it ends, Ctrl-C is for it alone. */
  besideChild?<T>(work: () => Promise<T>): Promise<T>;
  /** Filled in by main as soon as the command line is parsed. */
  readonly globals: Globals;
  /** Opens a unix socket: of this machine, or with `globals.elsewhere` of the agent's container there. */
  readonly dial: Dial;
  /** The agent's REST API. Connects on the first call. */
  agent(): Promise<AgentClient>;
  /** The exit code when the command returns without an error. Default 0. */
  exitCode: number;
}
