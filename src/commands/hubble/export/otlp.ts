import { type Command, Option } from 'commander';
import { durationOption, examples, stringArray, stringSlice } from '../../../cli/flags.ts';
import { redactOption, redactorOf } from '../../../cli/hubble/redact.ts';
import { withProgress } from '../../../cli/progress.ts';
import type { Context } from '../../../context.ts';
import { inBatches } from '../../../hubble/otlp/batches.ts';
import type { SizedRecord } from '../../../hubble/otlp/log-records.ts';
import type { OtlpFlags, OtlpSettings } from '../../../hubble/otlp/settings.ts';
import type { Flow } from '../../../model/hubble.gen.ts';
import { FlowRenderer } from '../../../render/hubble/flow-renderer.ts';
import { timeFormat } from '../../../render/hubble/flow-time.ts';
import { VERSION } from '../../../version.ts';
import type { FilterWord } from '../observe/filter-tracker.ts';
import { countLoss, LossCounter } from '../observe/loss.ts';
import type { Messages } from '../observe/messages.ts';
import { fieldHelp } from '../observe/where.ts';
import { addTrafficOptions, openTraffic, type TrafficFlags } from '../traffic/source.ts';

interface ExportFlags extends TrafficFlags, OtlpFlags {
  retryFor?: number;
  body: 'line' | 'flow';
  redact: string[];
}

/** Of a request; collectors take 20 MiB unless they are told otherwise. */
const BATCH = { most: 2000, mostBytes: 4 * 1024 * 1024, waitMs: 1000 };
/** How long after a signal what is on its way may take; the process ends after three seconds. */
const FLUSH_MS = 2000;

/** Declares `hubble export otlp`. */
export function addHubbleExportOtlpCommand(command: Command, ctx: Context): void {
  command
    .option(
      '--endpoint <url>',
      'Address of the collector, to which v1/logs is added (default: OTEL_EXPORTER_OTLP_ENDPOINT, then http://localhost:4318)',
    )
    .addOption(stringArray('--header <key=value>', 'Header for the collector; may be repeated'))
    .addOption(
      new Option('--otlp-protocol <protocol>', 'Encoding (default http/protobuf)').choices([
        'http/protobuf',
        'http/json',
      ]),
    )
    .addOption(
      new Option('--compression <name>', 'Compression of requests (default none)').choices(['gzip', 'none']),
    )
    .addOption(
      new Option(
        '--body <what>',
        'Text of a record: line, as observe prints it, or flow, with all that is known',
      )
        .choices(['line', 'flow'])
        .default('line'),
    )
    .addOption(redactOption())
    .addOption(
      durationOption(
        '--retry-for <duration>',
        'How long records are tried again before the export ends (default: 1m until the collector has taken some, then for ever)',
      ),
    )
    .addOption(
      stringSlice(
        '--endpoint-tls-ca-cert-files <files>',
        'Authorities that may have signed the certificate of the collector',
      ),
    )
    .option('--endpoint-tls-client-cert-file <file>', 'Certificate that is shown to the collector')
    .option('--endpoint-tls-client-key-file <file>', 'Private key of that certificate')
    .option('--endpoint-tls-server-name <name>', 'Name that the certificate of the collector has to have')
    .option('--endpoint-tls-allow-insecure', 'Do not verify the certificate of the collector');
  const words = addTrafficOptions(command.optionsGroup('Options:'));
  command.addHelpText(
    'after',
    examples(
      'hubble export otlp --endpoint http://localhost:4318 --follow',
      'hubble export otlp --endpoint https://otlp.example.com --header x-tenant=shop --follow --verdict DROPPED',
      'hubble export otlp --input-file capture.jsonl.gz --compression gzip',
      "hubble export otlp --follow --where 'latency > 100ms' --otlp-protocol http/json",
    ),
  );
  command.action((flags: ExportFlags) => runHubbleExportOtlp(command, flags, words, ctx));
}

/** Sends flows until they end or a signal comes. The stream is read no faster than the collector takes them. */
export async function runHubbleExportOtlp(
  command: Command,
  flags: ExportFlags,
  words: readonly FilterWord[],
  ctx: Context,
): Promise<void> {
  if (flags.where === 'help') return ctx.out.write(fieldHelp());
  const redact = redactorOf(flags.redact);
  const { otlpSettings } = await import('../../../hubble/otlp/settings.ts');
  const settings = await otlpSettings(flags, ctx.env);
  const source = await openTraffic(command, flags, words, ctx);
  const { Delivery } = await import('../../../hubble/otlp/delivery.ts');
  const { RecordMaker } = await import('../../../hubble/otlp/log-records.ts');
  await ctx.err.write(targetText(settings));

  const stop = new AbortController();
  const hard = new AbortController();
  const end = () => {
    stop.abort();
    setTimeout(() => hard.abort(), FLUSH_MS).unref();
  };
  ctx.signal.addEventListener('abort', end, { once: true });
  if (ctx.signal.aborted) end();
  const { nowMs, sleep } = ctx.clock;
  const tally: Tally = { read: 0, loss: new LossCounter(), isLive: source.follow };
  let counts = { sent: 0, refused: 0 };
  const work = async (told: Context) => {
    await using delivery = new Delivery(settings, {
      ...{ nowMs, sleep, signal: ctx.signal, hard: hard.signal },
      tell: (text) => told.err.write(text),
      retryForMs: flags.retryFor,
      userAgent: `cilium-toolkit/${VERSION}`,
    });
    counts = delivery.counts;
    const maker = new RecordMaker({ resource: settings.resource, version: VERSION, nowMs });
    const messages = countLoss(source.read(stop.signal, told), tally.loss);
    const records = recordsOf(messages, { maker, body: flags.body, redact }, tally, told);
    let sending: Promise<void> | undefined;
    try {
      for await (const batch of inBatches(records, BATCH, sleep)) {
        await sending;
        sending = delivery.send(batch.map(({ record }) => record));
        // What follows is not read for nothing; the failure itself is met above or below.
        sending.catch(() => stop.abort());
      }
    } finally {
      // Of a capture that is cut short it is told to the context that was given.
      ctx.exitCode ||= told.exitCode;
      await sending;
    }
  };
  try {
    await withProgress(ctx, () => `${counts.sent} records sent`, work);
  } finally {
    ctx.signal.removeEventListener('abort', end);
    const unsent = tally.read - counts.sent - counts.refused;
    if (unsent > 0 || counts.refused > 0) ctx.exitCode = 1;
    await ctx.err.write(
      `${counts.sent} records sent to ${settings.shown}, ${counts.refused} refused, ${unsent} not sent.\n`,
    );
    if (tally.loss.line !== '') await ctx.err.write(`${tally.loss.line}\n`);
  }
}

/** What was read. */
interface Tally {
  read: number;
  loss: LossCounter;
  /** Losses are told when they begin, not at an end alone. */
  isLive: boolean;
}

/** How records are made of flows. */
interface Making {
  maker: InstanceType<typeof import('../../../hubble/otlp/log-records.ts').RecordMaker>;
  body: ExportFlags['body'];
  redact: ((flow: Flow) => Flow) | undefined;
}

async function* recordsOf(
  messages: Messages,
  { maker, body, redact }: Making,
  tally: Tally,
  told: Context,
): AsyncGenerator<SizedRecord[]> {
  const style = {
    ...{ time: timeFormat(''), color: false, nodeName: false },
    ...{ translateIps: true, policyNames: false },
  };
  const renderer = new FlowRenderer('compact', style, 'problems');
  let isLossTold = false;
  for await (const batch of messages) {
    const records: SizedRecord[] = [];
    for (const whole of batch) {
      const message = redact && whole.flow ? { ...whole, flow: redact(whole.flow) } : whole;
      const line = renderer.response(message).trimEnd();
      const made = maker.make(message, (body === 'flow' && message.flow) || line);
      if (made) records.push(made);
    }
    const news = renderer.takeStatus();
    if (news !== '') await told.err.write(news);
    if (tally.isLive && !isLossTold && tally.loss.line !== '') {
      isLossTold = true;
      await told.err.write(`${tally.loss.line}. The end tells all.\n`);
    }
    tally.read += records.length;
    yield records;
  }
}

function targetText(settings: OtlpSettings): string {
  const { shown, protocol, compression, used, overridden, isExposed, proxy } = settings;
  const via = proxy ? ` through the proxy ${proxy.url.host} (${proxy.variable})` : '';
  const packed = compression === 'none' ? '' : `, ${compression}`;
  const of = used.length === 0 ? '' : ` Of the environment: ${used.join(', ')}.`;
  const without =
    overridden.length === 0
      ? ''
      : ` Not used, since a flag or a variable for logs says it: ${overridden.join(', ')}.`;
  const exposed = isExposed
    ? 'Your credentials cross the network readable: the address is one without TLS.\n'
    : '';
  return `Sending to ${shown} as ${protocol}${packed}${via}.${of}${without}\n${exposed}`;
}
