import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { type KubeClient, KubeRefusal } from '../../kube/client.ts';
import { COMPONENTS, type Component, type ComponentLog, listLogs, logOf } from '../../kube/log-sources.ts';
import { type LogQuery, PodGone, readLog } from '../../kube/logs.ts';
import { type Pod, podsPath } from '../../kube/pods.ts';
import { watch } from '../../kube/watch.ts';
import type { Failures } from './failures.ts';
import type { Plan } from './plan.ts';
import type { LogPrinter } from './printer.ts';

/** What logs are followed with. */
export interface Following {
  client: KubeClient;
  namespace: string;
  plan: Plan;
  isMeant: (log: ComponentLog) => boolean;
  printer: LogPrinter;
  failures: Failures;
}

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
  const begin = (log: ComponentLog, query: LogQuery) => {
    known.add(log.uid);
    printer.expect([log]);
    active++;
    followOne(following, log, query, ctx)
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
  await over.promise.catch((error: unknown) => {
    if (!ctx.signal.aborted) throw error;
  });
}

/** One log, until its pod is gone. */
async function followOne(
  { client, printer }: Following,
  log: ComponentLog,
  query: LogQuery,
  ctx: Context,
): Promise<void> {
  const say = printer.sayOf(log);
  const sieve = printer.sieve();
  try {
    const options = { say, sleep: ctx.clock.sleep, timeoutMs: client.timeoutMs };
    for await (const records of readLog(client, log, query, options)) {
      const text = printer.lines(log, sieve, records).map((line) => line.text);
      if (text.length > 0) await ctx.out.write(text.join(''));
    }
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
