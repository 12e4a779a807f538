import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { type HubbleCalls, HubbleClient } from '../../hubble/client.ts';
import { NoWay, RpcError } from '../../hubble/grpc/status.ts';
import {
  checkServerFlags,
  type ServerFlags,
  type ServerSettings,
  serverSettings,
  usesTls,
} from '../../hubble/grpc/target.ts';
import { compareReleases, NEWEST_RELEASE, parseRelease } from '../../model/release.ts';
import { VERSION } from '../../version.ts';
import { agentServer } from './agent-server.ts';
import { logLine } from './log.ts';
import { requireOneContext, type Settings } from './settings.ts';

/** The release of the reference whose API and output this program speaks. */
const API_VERSION = `${NEWEST_RELEASE}.0`;

/** A client for the server that the settings name, or what an archive has of one, closed at the end of the scope. */
export async function connectHubble(
  settings: Settings,
  ctx: Context,
): Promise<HubbleCalls & AsyncDisposable> {
  if (ctx.globals.archive) {
    const { RecordedHubble } = await import('./recorded-server.ts');
    return new RecordedHubble(agentServer(0, ctx.dial), ctx);
  }
  requireOneContext(settings);
  const flags = {
    server: settings.text('server'),
    timeoutMs: settings.durationMs('timeout'),
    tls: settings.flag('tls'),
    tlsAllowInsecure: settings.flag('tls-allow-insecure'),
    tlsCaCertFiles: settings.list('tls-ca-cert-files'),
    tlsClientCertFile: settings.text('tls-client-cert-file'),
    tlsClientKeyFile: settings.text('tls-client-key-file'),
    tlsServerName: settings.text('tls-server-name'),
    basicAuthUsername: settings.text('basic-auth-username'),
    basicAuthPassword: settings.text('basic-auth-password'),
  };
  if (!ctx.globals.elsewhere) checkServerFlags(flags);
  const server = await openServer(settings, flags, ctx);
  const client = new HubbleClient(server.settings, {
    version: VERSION,
    requestTimeoutMs: settings.durationMs('request-timeout'),
    signal: ctx.signal,
    onVersions: (versions) => void warnOfSkew(versions, ctx),
  });
  const dispose = async () => {
    await client.close();
    await server[Symbol.asyncDispose]?.();
  };
  return Object.assign(client, { [Symbol.asyncDispose]: dispose });
}

/** The server that is meant: that of an agent of a cluster, its relay, or the one of the address. */
async function openServer(
  settings: Settings,
  flags: ServerFlags,
  ctx: Context,
): Promise<{ settings: ServerSettings } & Partial<AsyncDisposable>> {
  if (ctx.globals.elsewhere) return { settings: agentServer(flags.timeoutMs, ctx.dial, ctx.signal) };
  if (!settings.flag('port-forward')) return { settings: await serverSettings(flags) };
  // The same refusals as without it, but of an address that does not count.
  await serverSettings({ ...flags, server: usesTls(flags) ? 'tls://localhost' : 'localhost' });
  try {
    const { openRelay } = await import('./relay.ts');
    return await openRelay(settings, flags, ctx);
  } catch (error) {
    if (ctx.signal.aborted) throw error;
    throw error instanceof UserError && !(error instanceof RpcError) ? new NoWay(error) : error;
  }
}

/** A newer server may send what this program does not know. */
async function warnOfSkew(versions: { server?: string; relay?: string }, ctx: Context): Promise<void> {
  for (const [name, key] of [
    ['Relay', 'relay'],
    ['Server', 'server'],
  ] as const) {
    const version = versions[key];
    if (version === undefined || !isNewer(version)) continue;
    await logLine(
      ctx,
      'WARN',
      `Hubble CLI version is lower than Hubble ${name}, API compatibility is not guaranteed, updating to a matching or higher version is recommended`,
      { 'hubble-cli-version': API_VERSION, [`hubble-${key}-version`]: version },
    );
  }
}

function isNewer(version: string): boolean {
  const release = parseRelease(version);
  return release !== undefined && compareReleases(release, NEWEST_RELEASE) > 0;
}
