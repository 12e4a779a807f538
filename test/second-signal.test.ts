import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { labEnvironment } from '../src/lab/environment.ts';
import { builtCommand, type LabProcess, privateFolder, startLabProcess } from './helpers/lab-process.ts';
import { NO_PATIENCE } from './helpers/no-patience.ts';
import { until } from './helpers/until.ts';

let folder: ReturnType<typeof privateFolder>;
let lab: LabProcess;
/** Takes connections and says nothing. */
let silent: Server;
const env: Record<string, string> = {};

beforeAll(async () => {
  folder = privateFolder();
  silent = createServer(() => {});
  const port = await new Promise<number>((resolve) =>
    silent.listen(0, '127.0.0.1', () => resolve((silent.address() as AddressInfo).port)),
  );
  lab = await startLabProcess(['--kube', '--nodes', '2', '--dir', join(folder.path, 'lab')], {});
  const bin = join(folder.path, 'bin');
  mkdirSync(bin);
  // One that is busy and hears no signal.
  writeFileSync(
    join(bin, 'helm'),
    '#!/bin/sh\ntrap "" INT TERM\n[ "$1" = version ] && { echo v3.22.0; exit; }\necho helm works >&2\nexec sleep 60\n',
  );
  chmodSync(join(bin, 'helm'), 0o755);
  writeFileSync(
    join(folder.path, 'silent'),
    JSON.stringify({
      clusters: [{ name: 'c', cluster: { server: `https://127.0.0.1:${port}` } }],
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
      users: [{ name: 'u', user: {} }],
      'current-context': 'c',
    }),
  );
  Object.assign(env, labEnvironment(lab.info), {
    PATH: `${bin}:${process.env.PATH}`,
    HOME: folder.path,
    XDG_RUNTIME_DIR: folder.path,
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
  });
});
afterAll(async () => {
  await lab.end('SIGTERM');
  silent.close();
  folder[Symbol.dispose]();
});

describe('a second signal ends the process', () => {
  test.each<[kind: string, words: string, isThere: RegExp | undefined]>([
    ['a stream of Hubble', 'hubble observe -P --follow', / -> /],
    ['an export that nobody takes', 'hubble export otlp -P --last 5', /Sending to/],
    ['a stream of the monitor, through exec', 'monitor --node node2', /Press Ctrl-C/],
    ['logs that are followed', 'logs --follow --tail 1', /started/],
    ['a watch of an agent', 'endpoint list --node node2 --watch', /ENDPOINT/],
    ['a watch of a cluster', 'status --watch', /Operator/],
    ['a lab', 'lab start --foreground --dir {}/other', /export CILIUM_SOCK/],
    ['a program in a lab', `lab run -- sh -c 'trap "" INT TERM; echo here; exec sleep 60'`, /here/],
    ['a port-forward', 'hubble port-forward --port-forward 0', /available/],
    ['a wait', 'policy wait 999 --node node2', undefined],
    ['helm that does not end', 'upgrade --yes --version 1.18.0', undefined],
    ['a sysdump of a server that says nothing', 'sysdump --kubeconfig {}/silent', undefined],
    ['an installation in one', 'install --yes --version 1.18.0 --kubeconfig {}/silent', undefined],
    ['a question', 'encrypt flush', /\[y\/N\]/],
    ['the shell of an agent that is not there', 'shell help --shell-sock-path {}/none', /Trying again/],
  ])('%s', async (_, line, isThere) => {
    const { command, args } = builtCommand();
    const words = line.replaceAll('{}', folder.path).match(/'[^']*'|\S+/g) ?? [];
    const child = spawn(command, [NO_PATIENCE, ...args, ...words.map((word) => word.replaceAll("'", ''))], {
      env,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (part: Buffer) => {
        said += part.toString();
      });
    const ended = new Promise<NodeJS.Signals | null>((resolve) => child.on('exit', (_, by) => resolve(by)));
    const isUp = async () => child.exitCode !== null || isThere?.test(said);
    // What says nothing is given the time to begin.
    if (isThere) await until(isUp);
    else await new Promise((resolve) => setTimeout(resolve, 1500));
    expect([child.exitCode, said]).toEqual([null, said]);
    child.kill('SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 50));
    child.kill('SIGINT');
    const limit = setTimeout(() => child.kill('SIGKILL'), 20_000);
    expect(await ended).not.toBe('SIGKILL');
    clearTimeout(limit);
    expect(said).not.toContain('a fault in the toolkit');
  });
});
