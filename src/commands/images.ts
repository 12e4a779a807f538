import { type Command, Option } from 'commander';
import { examples } from '../cli/flags.ts';
import { type ChartFlags, chartFlags, openChart } from '../cli/helm/chart.ts';
import { type HelmFlags, helmFlags } from '../cli/helm/flags.ts';
import { asFailure } from '../cli/helm/told.ts';
import { readValues, type ValueFlags, valueFlags } from '../cli/helm/values.ts';
import { imagesIn, imagesOf, type UsedImage } from '../cluster/install/images.ts';
import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import { findHelm, helmFault, runHelm } from '../kube/helm.ts';
import { ciliumNamespace } from '../kube/install.ts';
import { findRelease } from '../kube/release.ts';
import { openCluster } from '../kube/road.ts';
import { listRunningObjects } from '../kube/running-objects.ts';
import { renderOutput } from '../render/text/output.ts';
import { sanitize, sanitizeCell } from '../render/text/sanitize.ts';

const FORMATS = ['text', 'json'] as const;

interface ImagesFlags extends ChartFlags, ValueFlags, HelmFlags {
  output: (typeof FORMATS)[number];
}

/** Declares `images`. */
export function addImagesCommand(command: Command, ctx: Context): void {
  chartFlags(command);
  valueFlags(command);
  helmFlags(command);
  command
    .addOption(new Option('-o, --output <format>', 'Output format').choices(FORMATS).default('text'))
    .addHelpText(
      'after',
      examples(
        'cilium images',
        'cilium images --version 1.20.0 --set hubble.relay.enabled=true,hubble.ui.enabled=true',
        'cilium images --chart ./cilium-1.20.0.tgz -f values.yaml -o json',
      ),
    )
    .action((flags: ImagesFlags) => runImages(flags, ctx));
}

/** Lists the images that Cilium runs: of the release in the cluster, or of a chart with values. */
export async function runImages(flags: ImagesFlags, ctx: Context): Promise<void> {
  const isOfChart =
    flags.chart !== undefined || flags.chartDirectory !== undefined || flags.version !== undefined;
  try {
    const images = isOfChart ? await ofChart(flags, ctx) : await ofCluster(flags, ctx);
    if (images.length === 0) await ctx.err.write('Note: what was rendered names no images.\n');
    await ctx.out.write(
      flags.output === 'json'
        ? await renderOutput(images, 'json')
        : images.map(({ image }) => `${sanitizeCell(image)}\n`).join(''),
    );
  } catch (error) {
    throw asFailure('Unable to list images', error);
  }
}

async function ofChart(flags: ImagesFlags, ctx: Context): Promise<UsedImage[]> {
  const given = await readValues(flags, [], ctx);
  const helm = await findHelm(flags.helm, ctx);
  await using chart = await openChart(helm, flags, ctx);
  const ran = await runHelm(
    helm,
    {
      words: ['template', flags.helmReleaseName, chart.path],
      namespace: ctx.globals.cluster?.namespace ?? 'kube-system',
      values: given.sources,
    },
    ctx,
  );
  if (ran.code !== 0) throw new UserError(sanitize(helmFault(ran)));
  return await imagesIn(ran.stdout);
}

async function ofCluster(flags: ImagesFlags, ctx: Context): Promise<UsedImage[]> {
  const [given] = [flags.values, flags.set, flags.setString, flags.setFile].flat();
  if (given !== undefined)
    throw new UserError('values are of a chart: name one by --version or --chart', {
      hint: 'Without a chart the images of the release in the cluster are listed.',
    });
  await using client = await openCluster(ctx);
  const namespace = await ciliumNamespace(client, ctx.globals.cluster?.namespace);
  const release = await findRelease(client, namespace, flags.helmReleaseName);
  if (release) {
    const hooks = release.hooks.map(({ manifest }) => manifest);
    return await imagesIn([release.manifest, ...hooks].join('\n---\n'));
  }
  const running = await listRunningObjects(client, namespace);
  if (running.length === 0)
    throw new UserError(
      `there is no Helm release ${flags.helmReleaseName} and no workload of Cilium in the namespace ${namespace}`,
      { hint: 'Of a chart: cilium images --version 1.20.0' },
    );
  await ctx.err.write(
    `Note: there is no Helm release ${flags.helmReleaseName} in the namespace ${namespace}: these are the images of the workloads that are there.\n`,
  );
  const images = imagesOf(running);
  return images;
}
