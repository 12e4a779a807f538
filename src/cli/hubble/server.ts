import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { HubbleClient } from '../../hubble/client.ts';
import { checkServerFlags, serverSettings } from '../../hubble/grpc/target.ts';
import { compareReleases, NEWEST_RELEASE, parseRelease } from '../../model/release.ts';
import { VERSION } from '../../version.ts';
import { logLine } from './log.ts';
import type { Settings } from './settings.ts';

/** The release of the reference whose API and output this program speaks. */
const API_VERSION = `${NEWEST_RELEASE}.0`;

/** A client for the server that the settings name, closed at the end of the scope. */
export async function connectHubble(
  settings: Settings,
  ctx: Context,
): Promise<HubbleClient & AsyncDisposable> {
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
  checkServerFlags(flags);
  if (settings.flag('port-forward'))
    throw new UserError('--port-forward is not part of this release: it comes with the cluster verbs', {
      hint: 'Until then: kubectl -n kube-system port-forward service/hubble-relay 4245:80, and leave out --port-forward.',
    });
  const client = new HubbleClient(serverSettings(flags), {
    version: VERSION,
    requestTimeoutMs: settings.durationMs('request-timeout'),
    signal: ctx.signal,
    onVersions: (versions) => void warnOfSkew(versions, ctx),
  });
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() });
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
