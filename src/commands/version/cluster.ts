import { PARTIAL } from '../../cli/exit-codes.ts';
import { writeStructured } from '../../cli/output.ts';
import { type RunningImage, type RunningPod, runningImages, unlikeChart } from '../../cluster/versions.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { type KubeClient, KubeRefusal, wordsOf } from '../../kube/client.ts';
import { ciliumNamespace } from '../../kube/install.ts';
import { listAll } from '../../kube/pages.ts';
import { type Pod, podsPath } from '../../kube/pods.ts';
import { findRelease } from '../../kube/release.ts';
import { openCluster } from '../../kube/road.ts';
import { sanitizeCell } from '../../render/text/sanitize.ts';
import { VERSION } from '../../version.ts';

/** Prints the version of this program, of the chart that is installed, and what runs that is of another one. */
export async function runClusterVersion(
  { client: isOnlyOwn, output }: { client?: boolean; output: string },
  platform: string,
  ctx: Context,
): Promise<void> {
  const own = {
    'cilium-cli': `${VERSION} compiled with node ${process.version} on ${platform}`,
    // No chart is part of this program, and it asks nobody on the Internet.
    'cilium image (default)': 'none',
    'cilium image (stable)': 'unknown',
  };
  const lines = Object.entries(own).map(([name, text]) => `${name}: ${text}`);
  if (isOnlyOwn) {
    if (output) return writeStructured(ctx, output, { client: VERSION });
    return ctx.out.write(`${lines.join('\n')}\n`);
  }
  await using client = await openCluster(ctx);
  const found = await whatRuns(client, ctx);
  const { chart, images, unread } = found;
  const why = unread.chart ?? 'release: not found';
  if (output)
    await writeStructured(ctx, output, {
      client: VERSION,
      chart: chart ?? null,
      images,
      unread: Object.values(unread),
    });
  else {
    const running = chart ?? `unknown. Unable to obtain cilium version. Reason: ${why}`;
    const others = unlikeChart(images, chart).map(lineOf);
    const text = [...lines, `cilium image (running): ${running}`, ...others].map(sanitizeCell).join('\n');
    await ctx.out.write(`${text}\n`);
  }
  const reasons = [...new Set(Object.values(unread))];
  if (chart === undefined && images.length === 0) {
    if (found.refusal) throw found.refusal;
    throw new UserError(`Cilium was not found in the namespace ${found.namespace}`, {
      hint: 'Another namespace: --namespace. The agent of this machine: --agent.',
    });
  }
  if (reasons.length === 0) return;
  await ctx.err.write(`Not all could be read: ${reasons.join('; ')}\n`);
  ctx.exitCode = PARTIAL;
}

function lineOf({ component, image, version, pods }: RunningImage): string {
  return `${component} (running): ${version || image} in ${pods === 1 ? '1 pod' : `${pods} pods`}`;
}

interface Runs {
  namespace: string;
  chart: string | undefined;
  images: RunningImage[];
  unread: { chart?: string; pods?: string };
  /** Why nothing could be read. */
  refusal: unknown;
}

async function whatRuns(client: KubeClient, ctx: Context): Promise<Runs> {
  const namespace = await ciliumNamespace(client, ctx.globals.cluster?.namespace);
  const unread: Runs['unread'] = {};
  let refusal: unknown;
  const unless =
    (part: keyof Runs['unread']) =>
    (error: unknown): undefined => {
      if (!(error instanceof KubeRefusal)) throw error;
      unread[part] = wordsOf(error);
      refusal ??= error;
    };
  const [release, pods] = await Promise.all([
    findRelease(client, namespace, 'cilium').catch(unless('chart')),
    listAll<Pod, RunningPod>(client, podsPath(namespace), {}, ({ metadata, spec }) => ({
      node: spec?.nodeName ?? '',
      labels: metadata?.labels ?? {},
      containers: spec?.containers ?? [],
    })).catch(unless('pods')),
  ]);
  return { namespace, chart: release?.chartVersion, images: runningImages(pods ?? []), unread, refusal };
}
