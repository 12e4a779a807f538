import type { Context } from '../../context.ts';
import { errorCode, errorMessage, UserError } from '../../errors.ts';
import { type EtcdConfig, readEtcdConfig } from '../../kvstore/config.ts';
import { EtcdClient } from '../../kvstore/etcd.ts';
import { type CertificateFacts, type Finding, probeEndpoint, readCertificates } from '../../kvstore/probe.ts';
import { sanitizeCell } from '../../render/text/sanitize.ts';

const ICONS: Readonly<Record<Finding['level'], string>> = { ok: '✅', bad: '❌', warn: '⚠️', info: 'ℹ️ ' };

/** Checks one etcd configuration and prints what is found as it is found. */
export async function reportEtcd(ctx: Context, path: string, timeoutMs: number): Promise<void> {
  const print = (indent: number, text: string) =>
    ctx.out.write(`${' '.repeat(indent)}${sanitizeCell(text)}\n`);
  const tell = (indent: number, { level, text }: Finding) => print(indent, `${ICONS[level]} ${text}`);
  const signal = AbortSignal.any([ctx.signal, AbortSignal.timeout(timeoutMs)]);

  await print(0, `📄 Configuration path: ${path}`);
  let config: EtcdConfig;
  try {
    config = await readEtcdConfig(path);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return tell(0, { level: 'bad', text: `Cannot parse etcd configuration: ${error.message}` });
  }
  await ctx.out.write('\n');
  if (config.endpoints.length === 0) await tell(0, { level: 'bad', text: 'No available endpoints' });
  else {
    await print(0, '🔌 Endpoints:');
    for (const endpoint of config.endpoints) {
      await print(3, `- ${endpoint}`);
      for (const finding of await probeEndpoint(endpoint, config, signal)) await tell(5, finding);
    }
  }
  await print(0, '');
  await print(0, '🔑 Digital certificates:');
  await reportCertificates(config, print, tell);
  await print(0, '');
  await print(0, '⚙️ Etcd client:');
  await reportClient(config, timeoutMs, signal, tell);
}

type Print = (indent: number, text: string) => Promise<void>;
type Tell = (indent: number, finding: Finding) => Promise<void>;

async function reportCertificates(config: EtcdConfig, print: Print, tell: Tell): Promise<void> {
  const show = async (indent: number, facts: CertificateFacts) => {
    await print(indent, `- Serial number:       ${facts.serial}`);
    await print(indent, `  Subject:             ${facts.subject}`);
    await print(indent, `  Issuer:              ${facts.issuer}`);
    await print(indent, '  Validity:');
    await print(indent, `    Not before:  ${facts.notBefore}`);
    await print(indent, `    Not after:   ${facts.notAfter}`);
  };
  const roots = await certificatesOf(config.caFile);
  if (roots === undefined) await tell(3, { level: 'warn', text: 'Root CA unset: using system pool' });
  else if (roots instanceof Error)
    await tell(3, { level: 'bad', text: `Failed to retrieve Root CA: ${describe(roots)}` });
  else {
    await tell(3, { level: 'ok', text: 'TLS Root CA certificates:' });
    for (const { facts } of roots) await show(6, facts);
  }
  const chain = await certificatesOf(config.certFile);
  if (chain === undefined) await tell(3, { level: 'warn', text: 'No available TLS client certificates' });
  else if (chain instanceof Error)
    await tell(3, { level: 'bad', text: `Failed to read the client certificate: ${describe(chain)}` });
  else {
    await tell(3, { level: 'ok', text: 'TLS client certificates:' });
    const [leaf, ...intermediates] = chain;
    if (leaf) await show(6, leaf.facts);
    for (const { facts } of intermediates) {
      await print(8, 'Intermediates:');
      await show(8, facts);
    }
    const signers = [...intermediates, ...(Array.isArray(roots) ? roots : [])];
    if (leaf && !signers.some(({ certificate }) => leaf.certificate.checkIssued(certificate)))
      await tell(8, {
        level: 'warn',
        text: 'Cannot verify certificate with the configured root CAs',
      });
  }
  if (config.username)
    await tell(3, {
      level: 'ok',
      text: `Username set to ${config.username}, password is ${config.password ? 'set' : 'unset'}`,
    });
}

function describe(error: Error): string {
  return errorCode(error) === 'ENOENT' ? 'no such file' : errorMessage(error);
}

async function certificatesOf(path: string | undefined) {
  if (!path) return undefined;
  try {
    return await readCertificates(path);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

async function reportClient(
  config: EtcdConfig,
  timeoutMs: number,
  signal: AbortSignal,
  tell: Tell,
): Promise<void> {
  const etcd = new EtcdClient(config, { timeoutMs, signal });
  try {
    // Whether the key is there does not matter: being allowed to ask for it does.
    await etcd.get('cilium/.heartbeat');
    await tell(3, { level: 'ok', text: 'Etcd connection successfully established' });
    const status = await etcd.status().catch(() => undefined);
    if (status) await tell(3, { level: 'info', text: `Etcd cluster ID: ${status.clusterId}` });
  } catch (error) {
    await tell(3, { level: 'bad', text: `Failed to establish connection: ${errorMessage(error)}` });
  } finally {
    await etcd.close();
  }
}
