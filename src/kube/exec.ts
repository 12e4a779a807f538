import type { Duplex } from 'node:stream';
import { UserError } from '../errors.ts';
import { AGENT_PROGRAMS } from '../model/agent-program.ts';
import { ChannelStream, Channels, exitCodeOf } from './channels.ts';
import { type KubeClient, KubeUnreachable } from './client.ts';
import { podPath } from './pods.ts';

/** Where a command runs, and which. */
export interface ExecTarget {
  namespace: string;
  pod: string;
  container: string;
  command: readonly string[];
}

/** A command that ran to its end. */
export interface ExecResult {
  exitCode: number;
  stdout: Buffer;
  stderr: string;
}

/** v5 can end stdin alone; servers before 1.30 speak v4. */
const PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];
const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const STATUS = 3;
/** So much of what a command says on stderr is kept. */
const MAX_STDERR_BYTES = 64 * 1024;

/** The command could not be started in the container: there is no such program, or no such container. */
export class ExecNotStarted extends UserError {
  override name = 'ExecNotStarted';
}

/** Runs something by the agent's own program, under the name that its container has it. */
export async function byAgentProgram<T>(run: (program: string) => Promise<T>): Promise<T> {
  const [newer, older] = AGENT_PROGRAMS;
  try {
    return await run(newer);
  } catch (error) {
    if (!(error instanceof ExecNotStarted)) throw error;
    return await run(older);
  }
}

/** Path and query of an exec. */
function address(
  { namespace, pod, container, command }: ExecTarget,
  stdin: boolean,
): [string, URLSearchParams] {
  const query = new URLSearchParams({
    container,
    stdout: 'true',
    stderr: 'true',
    ...(stdin && { stdin: 'true' }),
  });
  for (const word of command) query.append('command', word);
  return [`${podPath(namespace, pod)}/exec`, query];
}

function nameOf({ namespace, pod, container, command }: ExecTarget): string {
  return `exec of ${command[0] ?? ''} in ${namespace}/${pod} (${container})`;
}

/**
 * Runs a command in a container and hands on what it prints; resolves with its exit code. A promise of `onStdout` holds
 * the command back. Throws ExecNotStarted, or as `KubeClient.open` does; an end without a status is a break.
 */
export async function execStream(
  client: KubeClient,
  target: ExecTarget,
  onStdout: (bytes: Buffer) => Promise<void> | undefined,
  signal: AbortSignal = client.signal,
): Promise<Omit<ExecResult, 'stdout'>> {
  if (client.recorded) {
    const { stdout, ...run } = await client.recorded.run(target);
    await onStdout(stdout);
    return run;
  }
  const name = nameOf(target);
  const stderr = new Tail();
  let status: Buffer | undefined;
  const take = (channel: number, bytes: Buffer) => {
    if (channel === STDOUT) return onStdout(bytes);
    if (channel === STDERR) stderr.push(bytes);
    else if (channel === STATUS) status = Buffer.concat([status ?? Buffer.alloc(0), bytes]);
    return undefined;
  };
  const channels = await Channels.open(client, ...address(target, false), PROTOCOLS, take, signal);
  try {
    await channels.closed;
  } catch (error) {
    signal.throwIfAborted();
    // The status is the last word; how the connection went after it does not matter.
    if (!status) throw error;
  } finally {
    channels.close();
  }
  signal.throwIfAborted();
  return { exitCode: outcome(status, name), stderr: stderr.text };
}

function outcome(status: Buffer | undefined, name: string): number {
  if (!status || status.length === 0)
    throw new KubeUnreachable(`${name}: the connection ended before the command did`);
  try {
    return exitCodeOf(status, name);
  } catch (error) {
    if (
      error instanceof UserError &&
      /executable file not found|no such file|not found in \$PATH/i.test(error.message)
    )
      throw new ExecNotStarted(error.message, { cause: error });
    throw error;
  }
}

/** Runs a command in a container to its end. Refuses more than `maxBytes` on stdout. */
export async function exec(
  client: KubeClient,
  target: ExecTarget,
  maxBytes = 256 * 1024 * 1024,
  signal: AbortSignal = client.signal,
): Promise<ExecResult> {
  const parts: Buffer[] = [];
  let size = 0;
  const take = (bytes: Buffer) => {
    size += bytes.length;
    if (size > maxBytes)
      return Promise.reject(
        new UserError(`${nameOf(target)}: prints more than ${maxBytes / 1024 / 1024} MiB`),
      );
    parts.push(bytes);
    return undefined;
  };
  const result = await execStream(client, target, take, signal);
  return { ...result, stdout: Buffer.concat(parts, size) };
}

/**
 * A command in a container as a stream in both directions: what is written goes to its stdin, what it prints is read.
 * Errors of the stream are as of `execStream`; a command that fails is one, which `failed` may put in other words.
 */
export async function execDuplex(
  client: KubeClient,
  target: ExecTarget,
  failed: (error: CommandFailed) => Error = (error) => error,
  signal: AbortSignal = client.signal,
): Promise<Duplex> {
  const name = nameOf(target);
  const stderr = new Tail();
  let status: Buffer | undefined;
  const stream = new ChannelStream(STDIN);
  const channels = await Channels.open(
    client,
    ...address(target, true),
    PROTOCOLS,
    (channel, bytes) => {
      if (channel === STDOUT) return stream.receive(bytes);
      if (channel === STDERR) stderr.push(bytes);
      else if (channel === STATUS) status = Buffer.concat([status ?? Buffer.alloc(0), bytes]);
      return undefined;
    },
    signal,
  );
  stream.connect(channels);
  channels.closed
    // The status is the last word; how the connection went after it does not matter.
    .catch((error: unknown) => {
      if (!status) throw error;
    })
    .then(() => {
      const code = outcome(status, name);
      if (code !== 0) throw failed(new CommandFailed(name, code, stderr.text));
      stream.push(null);
    })
    .catch((error: Error) => stream.destroy(error));
  return stream;
}

/** A command in a container ended with an exit code other than 0. */
export class CommandFailed extends UserError {
  override name = 'CommandFailed';
  constructor(
    what: string,
    readonly code: number,
    readonly stderr: string,
  ) {
    super(`${what}: exit code ${code}${stderr.trim() && `: ${stderr.trim().split('\n').at(-1)}`}`);
  }
}

/** The last bytes of a text. */
class Tail {
  #bytes = Buffer.alloc(0);

  push(bytes: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    if (this.#bytes.length > MAX_STDERR_BYTES) this.#bytes = this.#bytes.subarray(-MAX_STDERR_BYTES);
  }

  get text(): string {
    return this.#bytes.toString('utf8');
  }
}
