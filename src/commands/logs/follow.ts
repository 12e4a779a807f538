import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { type KubeClient, KubeRefusal } from '../../kube/client.ts';
import { COMPONENTS, type Component, type ComponentLog, listLogs, logOf } from '../../kube/log-sources.ts';
import { type LogQuery, PodGone, readLog } from '../../kube/logs.ts';
import { type Pod, podsPath } from '../../kube/pods.ts';
import { watch } from '../../kube/watch.ts';
import type { Failures } from './failures.ts';
import type { Plan } from './plan.ts';
import { type LogPrinter, type PrintedLine, writeByTime } from './printer.ts';

/** What logs are followed with. */
export interface Following {
  client: KubeClient;
  namespace: string;
  plan: Plan;
  isMeant: (log: ComponentLog) => boolean;
  printer: LogPrinter;
  failures: Failures;
}

/** So long are lines kept in the beginning, when many that are old come at once, to be put in order. */
const GATHER_MS = 500;
const MAX_GATHERED = 64 * 1024 * 1024;
/** How often pods are looked for where they may not be watched. */
const LOOK_MS = 10_000;

/** Follows logs, and those of pods that come later, until it is stopped or none can be read. */
export async function followLogs(
  following: Following,
  logs: readonly ComponentLog[],
  ctx: Context,
): Promise<void> {
  const { client, namespace, plan, isMeant, printer, failures } = following;
  const over = Promise.withResolvers<void>();
  const known = new Set<string>();
  let active = 0;
  const output = new FollowedOutput(logs.length > 1, ctx);
  output.gathered.catch(over.reject);
  const begin = (log: ComponentLog, query: LogQuery) => {
    known.add(log.uid);
    printer.expect([log]);
    active++;
    followOne(following, log, query, output, ctx)
      .catch(async (error: unknown) => {
        if (!(error instanceof UserError)) throw error;
        await failures.add(printer.labelOf(log), error);
        if (active === 1 && failures.count >= known.size) over.resolve();
      })
      .catch(over.reject)
      .finally(() => {
        active--;
        printer.forget(log);
      });
  };
  const take = (log: ComponentLog | undefined) => {
    if (!log || known.has(log.uid) || !isMeant(log)) return;
    begin(log, { follow: true, previous: false });
    printer.sayOf(log)(`pod ${log.pod} is there; its log is followed from its beginning`);
  };
  printer.expect(logs);
  for (const log of logs) begin(log, plan.query);
  for (const component of plan.components)
    lookForPods(client, namespace, component, take, ctx).catch(over.reject);
  ctx.signal.addEventListener('abort', () => over.resolve(), { once: true });
  if (ctx.signal.aborted || logs.length === 0) over.resolve();
  await over.promise
    .then(() => output.gathered)
    .catch((error: unknown) => {
      if (!ctx.signal.aborted) throw error;
    });
}

/** Lines as they come; those of the first moment, of several logs, in the order of their times. */
class FollowedOutput {
  #kept: Map<string, PrintedLine[]> | undefined;
  #size = 0;
  /** Resolves when lines are no longer kept. */
  readonly gathered: Promise<void>;

  constructor(
    keeps: boolean,
    private readonly ctx: Context,
  ) {
    if (keeps) this.#kept = new Map();
    this.gathered = keeps ? this.#gather() : Promise.resolve();
  }

  async #gather(): Promise<void> {
    await this.ctx.clock.sleep(GATHER_MS, this.ctx.signal).catch(() => {});
    const kept = [...(this.#kept ?? new Map<string, PrintedLine[]>()).values()];
    this.#kept = undefined;
    await writeByTime(kept, this.ctx);
  }

  async write(log: string, lines: readonly PrintedLine[]): Promise<void> {
    if (lines.length === 0) return;
    if (this.#size > MAX_GATHERED) await this.gathered;
    if (this.#kept) {
      const own = this.#kept.get(log) ?? [];
      this.#kept.set(log, own);
      for (const line of lines) {
        own.push(line);
        this.#size += line.text.length;
      }
      return;
    }
    await this.gathered;
    await this.ctx.out.write(lines.map(({ text }) => text).join(''));
  }
}

/** One log, until its pod is gone. */
async function followOne(
  { client, printer }: Following,
  log: ComponentLog,
  query: LogQuery,
  output: FollowedOutput,
  ctx: Context,
): Promise<void> {
  const say = printer.sayOf(log);
  const sieve = printer.sieve();
  try {
    const options = { say, sleep: ctx.clock.sleep, timeoutMs: client.timeoutMs };
    for await (const records of readLog(client, log, query, options))
      await output.write(log.uid, printer.lines(log, sieve, records));
  } catch (error) {
    if (error instanceof PodGone) say(error.message);
    else if (!ctx.signal.aborted) throw error;
  }
}

/** Hands on every pod of a component that there is and that comes. */
async function lookForPods(
  client: KubeClient,
  namespace: string,
  component: Component,
  take: (log: ComponentLog | undefined) => void,
  ctx: Context,
): Promise<void> {
  try {
    const query = { labelSelector: COMPONENTS[component].label };
    for await (const event of watch<Pod>(client, podsPath(namespace), query))
      if ('object' in event && event.type !== 'DELETED') take(logOf(event.object, component));
  } catch (error) {
    if (ctx.signal.aborted) return;
    if (!(error instanceof KubeRefusal)) throw error;
    await ctx.err.write(`New pods are looked for every ${LOOK_MS / 1000} s: ${error.message}\n`);
    for (;;) {
      await ctx.clock.sleep(LOOK_MS, ctx.signal);
      for (const log of await listLogs(client, namespace, component).catch(() => [])) take(log);
    }
  }
}
