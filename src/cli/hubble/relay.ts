import type { Duplex } from 'node:stream';
import type { Context } from '../../context.ts';
import { errorMessage, UserError } from '../../errors.ts';
import { type ServerFlags, type ServerSettings, tlsSettings, usesTls } from '../../hubble/grpc/target.ts';
import { KubeClient } from '../../kube/client.ts';
import { RELAY, readRelayCredentials } from '../../kube/hubble-relay.ts';
import { ciliumNamespace } from '../../kube/install.ts';
import { type LocalPort, listenLocally } from '../../kube/local-port.ts';
import { NoService, ServiceRoad } from '../../kube/service-road.ts';
import { speaksTls } from '../../lib/speaks-tls.ts';
import { logLine } from './log.ts';
import type { Settings } from './settings.ts';

/** The relay of a cluster, reached through its API server until it is disposed of. */
export interface RelayServer extends AsyncDisposable {
  settings: ServerSettings;
}

/** A name that the chart's certificates of the relay are for. */
const SERVER_NAME = 'instance.hubble-relay.cilium.io';

/**
 * The relay of the cluster that the settings name. It is asked in TLS where the flags or the relay itself ask for that, with
 * the cluster's own certificates where the flags name none.
 */
export async function openRelay(settings: Settings, flags: ServerFlags, ctx: Context): Promise<RelayServer> {
  const client = await KubeClient.open({
    env: ctx.env,
    signal: ctx.signal,
    kubeconfig: settings.text('kubeconfig') || undefined,
    context: settings.text('kube-context') || undefined,
  });
  let port: LocalPort | undefined;
  const close = async () => {
    await port?.[Symbol.asyncDispose]();
    await client[Symbol.asyncDispose]();
  };
  try {
    const road = await roadTo(client, settings);
    const at = await road.find();
    const pod = `${at.namespace}/${at.pod}`;
    await logLine(ctx, 'DEBUG', 'found a pod of hubble-relay', { pod, port: at.port });
    const dial = () => road.dial();
    const isTls = usesTls(flags) || (await asksForTls(await dial(), pod, flags.timeoutMs));
    // A port of this machine is opened only where one is asked for: others could use it too.
    if (settings.has('port-forward-port')) {
      port = await listenLocally(localPort(settings), dial, () => {});
      await logLine(ctx, 'DEBUG', 'port-forward to hubble-relay pod running', {
        addr: `127.0.0.1:${port.port}`,
      });
    }
    return {
      settings: {
        address: flags.server,
        target: { network: 'tcp', host: at.pod, port: at.port },
        dialTimeoutMs: flags.timeoutMs,
        dial,
        ...(isTls && { tls: await relayTls(client, at.namespace, flags) }),
        ...(flags.basicAuthUsername !== '' && {
          basicAuth: { username: flags.basicAuthUsername, password: flags.basicAuthPassword },
        }),
      },
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`failed to port forward: ${error.message}`, { hint: error.hint, cause: error });
  }
}

/** To the relay of the namespace of the flags, else of the usual one, else of the one that Cilium is installed in. */
async function roadTo(client: KubeClient, settings: Settings): Promise<ServiceRoad> {
  const road = new ServiceRoad(client, settings.text('kube-namespace'), RELAY);
  try {
    await road.find();
  } catch (error) {
    if (settings.has('kube-namespace') || !(error instanceof NoService)) throw error;
    const namespace = await ciliumNamespace(client, undefined).catch(() => settings.text('kube-namespace'));
    if (namespace === settings.text('kube-namespace')) throw error;
    return new ServiceRoad(client, namespace, RELAY);
  }
  return road;
}

async function asksForTls(connection: Duplex, pod: string, timeoutMs: number): Promise<boolean> {
  try {
    return await speaksTls(connection, timeoutMs);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`Hubble Relay (pod ${pod}): ${errorMessage(error)}`, { cause: error });
  }
}

function localPort(settings: Settings): number {
  const text = settings.text('port-forward-port');
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new UserError(
    `invalid argument "${text}" for "--port-forward-port" flag: expected a port from 0 to 65535`,
  );
}

/** What the flags say of TLS, completed by the secrets of the cluster. */
async function relayTls(client: KubeClient, namespace: string, flags: ServerFlags) {
  const given = await tlsSettings(flags);
  const tls = { serverName: SERVER_NAME, ...given };
  const needsCa = !given.ca && !given.allowInsecure;
  if (!needsCa && given.cert) return tls;
  const { ca, cert, key, trouble } = await readRelayCredentials(client, namespace);
  return {
    ...tls,
    ...(needsCa && ca !== undefined && { ca: [ca] }),
    ...(!given.cert && cert && key && { cert, key }),
    ...(trouble !== undefined && {
      missing: `Of the cluster's own certificates not all could be read: ${trouble}.`,
    }),
  };
}
