import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  ARCHIVE_FORMAT,
  type ArchiveIndex,
  fileTime,
  INDEX,
  LOG,
  REDACTIONS,
  SUMMARY,
  type TaskOutcome,
} from '../../archive/layout.ts';
import type { Item } from '../../cluster/sysdump/item.ts';
import { ITEMS, SERIAL_ITEMS } from '../../cluster/sysdump/items.ts';
import { type DumpOptions, isWanted } from '../../cluster/sysdump/options.ts';
import { Redactor } from '../../cluster/sysdump/redact/redactor.ts';
import type { Context } from '../../context.ts';
import { errorMessage, UserError } from '../../errors.ts';
import type { KubeClient } from '../../kube/client.ts';
import { keepHeapSmall } from '../../lib/small-heap.ts';
import { summaryText } from '../../render/cluster/sysdump.ts';
import { VERSION } from '../../version.ts';
import { ProgressLine } from '../progress.ts';
import { Dump } from './dump.ts';
import { estimate } from './estimate.ts';
import { Jobs } from './jobs.ts';
import { findPods, type Place } from './place.ts';
import { prepare } from './prepare.ts';
import { collectItem } from './special.ts';

/** Exit codes: something is missing, nothing was collected. */
const PARTIAL = 3;
const NOTHING = 1;

/** What a sysdump hands on is garbage at once. */
const HEAP_GROWTH_PERCENT = 20;

/**
 * Collects what the options ask for into an archive in the working directory; gives its name, and nothing where it was only
 * estimated.
 */
export async function collectDump(
  client: KubeClient,
  options: DumpOptions,
  ctx: Context,
  words: readonly string[],
): Promise<string | undefined> {
  keepHeapSmall(HEAP_GROWTH_PERCENT);
  const startedAt = new Date(ctx.clock.nowMs());
  const time = fileTime(startedAt);
  const top = options.outputFilename.replaceAll('<ts>', time);
  const talk = new Talk(ctx);
  talk.say(`🔍 Collecting sysdump with cilium-cli version: ${VERSION}, args: [${words.join(' ')}]`);
  const found = await prepare(client, options, talk.say, (ms) => ctx.clock.sleep(ms, ctx.signal)).catch(
    (error: unknown) => {
      ctx.signal.throwIfAborted();
      throw error instanceof UserError && !error.message.startsWith('failed to create')
        ? new UserError(`failed to create sysdump collector: ${error.message}`, {
            hint: error.hint,
            cause: error,
          })
        : error;
    },
  );
  const place: Omit<Place, 'dump'> = {
    ...found,
    ctx,
    client,
    options,
    logShare: undefined,
    say: talk.say,
  };
  if (options.estimate) {
    await talk.flush();
    await estimate(place, ctx);
    return undefined;
  }
  const ciliumNamespaces = new Set(Object.values(found.namespaces));
  const redactor = new Redactor({ ciliumNamespaces }, !options.redact);
  const file = `${top}.zip`;
  const path = resolve(ctx.cwd, file);
  const dump = await Dump.create(path, {
    top: top.split('/').at(-1) ?? top,
    time,
    redactor,
    now: () => new Date(ctx.clock.nowMs()),
  }).catch((error: unknown) => {
    throw new UserError(`failed to collect sysdump: ${file} cannot be made: ${errorMessage(error)}`, {
      cause: error,
    });
  });
  const outcomes = await runAll({ ...place, dump }, talk);
  const index: ArchiveIndex = {
    format: ARCHIVE_FORMAT,
    writer: `cilium-toolkit ${VERSION}`,
    timestamp: time,
    startedAt: startedAt.toISOString(),
    endedAt: new Date(ctx.clock.nowMs()).toISOString(),
    isComplete: outcomes.every(
      ({ status, reason }) =>
        status !== 'failed' && !(status === 'skipped' && reason?.startsWith('it was interrupted')),
    ),
    isRedacted: options.redact,
    server: redactor.text(INDEX, client.server),
    context: client.config.getCurrentContext(),
    namespace: found.namespaces.cilium ?? '',
    nodes: found.nodes.map(({ name }) => name).filter((name) => found.chosen?.has(name) ?? true),
    tasks: outcomes,
  };
  await tellFailures(outcomes, talk, options);
  await writeReports(dump, index, talk.text);
  const isNothing = outcomes.every(({ files }) => files.length === 0);
  talk.say('🗳 Compiling sysdump');
  await dump.close();
  if (isNothing) {
    await rm(path, { force: true });
    await talk.flush();
    ctx.exitCode = NOTHING;
    ctx.signal.throwIfAborted();
    throw new UserError('nothing was collected', { hint: 'The reasons are above.' });
  }
  talk.say(`✅ The sysdump has been saved to ${file}`);
  await talk.flush();
  ctx.signal.throwIfAborted();
  if (!index.isComplete) ctx.exitCode = PARTIAL;
  return file;
}

/** Lines of stdout, kept for the archive. */
class Talk {
  text = '';
  #writing: Promise<void> = Promise.resolve();
  readonly progress: ProgressLine;

  constructor(private readonly ctx: Context) {
    this.progress = new ProgressLine(ctx.err);
  }

  readonly say = (line: string): void => {
    this.text += `${line}\n`;
    this.#writing = this.#writing.then(async () => {
      await this.progress.clear();
      await this.ctx.out.write(`${line}\n`);
    });
    // Who reads it may have gone; the archive is finished all the same.
    this.#writing.catch(() => {});
  };

  flush(): Promise<void> {
    return this.#writing;
  }
}

/** What one task of the plan is called, with its number as cilium-cli counts. */
function itemsOf({ extraLabelSelectors }: DumpOptions): Item[] {
  const extra = extraLabelSelectors.map(
    (selector): Item => ({
      kind: 'special',
      about: `Collecting logs from extra pods ${JSON.stringify(selector)}`,
      group: 'logs',
      special: 'extra-logs',
      labels: selector,
      quick: false,
    }),
  );
  const at = ITEMS.findIndex(({ group }) => group === 'helm');
  return [...ITEMS.slice(0, at), ...extra, ...ITEMS.slice(at)];
}

async function runAll(place: Place, talk: Talk): Promise<TaskOutcome[]> {
  const { ctx, options, dump } = place;
  const serial = SERIAL_ITEMS.filter((item) => isWanted(options, item));
  const items = itemsOf(options);
  const planned = await logShare(place);
  const shared = { ...place, logShare: planned };
  const outcomes: TaskOutcome[] = [];
  const jobs = () =>
    new Jobs(
      Math.max(2, options.workerCount),
      ctx.signal,
      () => performance.now(),
      (done, all) =>
        void talk.progress
          .show(`${outcomes.length + done} of ${outcomes.length + all} tasks done`)
          .catch(() => {}),
      (text) => dump.redactor.text(INDEX, text),
    );
  const add = (to: Jobs, item: Item, number: number) => {
    const about = item.about.replace('{ns}', place.namespaces.cilium ?? '');
    to.add({
      task: `[${number}] ${about}`,
      stem: item.kind === 'special' ? undefined : item.stem,
      group: item.group,
      run: (work) => {
        talk.say(`🔍 ${about}`);
        return collectItem(shared, item, work);
      },
    });
  };
  for (const [i, item] of serial.entries()) {
    const alone = jobs();
    add(alone, item, items.length + i);
    await alone.idle();
    outcomes.push(...alone.outcomes);
  }
  const rest = jobs();
  for (const [i, item] of items.entries()) {
    if (!isWanted(options, item)) continue;
    if (item.feature !== undefined && !place.features.get(item.feature)?.isOn) continue;
    add(rest, item, i);
  }
  await rest.idle();
  await talk.progress.clear();
  return [...outcomes, ...rest.outcomes];
}

/** Bytes of each log, where a size was given: evenly over the pods, and over their containers. */
async function logShare(place: Place): Promise<number | undefined> {
  const {
    maxSize,
    ciliumLabelSelector,
    ciliumEnvoyLabelSelector,
    ciliumOperatorLabelSelector,
    hubbleRelayLabels,
  } = place.options;
  if (maxSize === undefined) return undefined;
  const { cilium } = place.namespaces;
  let logs = 0;
  for (const selector of [
    ciliumLabelSelector,
    ciliumEnvoyLabelSelector,
    ciliumOperatorLabelSelector,
    hubbleRelayLabels,
  ]) {
    const pods = cilium === undefined ? [] : await findPods(place, cilium, selector).catch(() => []);
    for (const pod of pods)
      if (place.chosen?.has(pod.node) ?? true)
        logs += pod.containers.reduce((sum, { restarts }) => sum + (restarts > 0 ? 2 : 1), 0);
  }
  return Math.max(1024, Math.floor(maxSize / Math.max(1, logs)));
}

async function tellFailures(
  outcomes: readonly TaskOutcome[],
  talk: Talk,
  options: DumpOptions,
): Promise<void> {
  const failed = outcomes.filter(({ status }) => status === 'failed');
  const interrupted = outcomes.filter(
    ({ status, reason }) => status === 'skipped' && reason?.startsWith('it was interrupted'),
  );
  if (interrupted.length > 0) talk.say(`⚠️ Interrupted: ${interrupted.length} tasks were not begun`);
  if (failed.length > 0) {
    talk.say('⚠️ The following tasks failed, the sysdump may be incomplete:');
    for (const { task, reason } of failed) talk.say(`⚠️ ${task}: ${reason}`);
    talk.say(
      '⚠️ Please note that depending on your Cilium version and installation options, this may be expected',
    );
  }
  if (!options.redact) talk.say('⚠️ Secrets were not replaced (--no-redact)');
}

async function writeReports(dump: Dump, index: ArchiveIndex, log: string): Promise<void> {
  const { redactor } = dump;
  await dump.file(LOG, (sink) => sink(log));
  const { redactions } = redactor;
  await dump.file(
    REDACTIONS,
    (sink) => sink(`${JSON.stringify({ isRedacted: index.isRedacted, redactions }, null, 2)}\n`),
    { isClean: true },
  );
  await dump.file(SUMMARY, (sink) => sink(summaryText(index, redactions)));
  await dump.file(INDEX, async (sink) => {
    const { tasks, ...head } = index;
    await sink(`${JSON.stringify(head, null, 2).slice(0, -2)},\n  "tasks": [`);
    // One after the other: together they are many megabytes of text.
    for (const [i, task] of tasks.entries()) await sink(`${i === 0 ? '' : ','}\n    ${JSON.stringify(task)}`);
    await sink('\n  ]\n}\n');
  });
}
