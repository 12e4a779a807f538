import type { Duplex } from 'node:stream';
import { Deadline } from '../lib/deadline.ts';
import { type KubeClient, KubeUnreachable } from './client.ts';
import { type CommandFailed, type ExecTarget, execDuplex } from './exec.ts';

/**
 * Joins stdin and stdout to a unix socket. Perl's base is part of every official image of the agent, where no other
 * program can do this (docs/decisions/kube-road.md). It prints a byte once it is connected. Its end is the end of the
 * socket, or a minute of silence after the end of stdin: nobody else ends it when its client is gone. Exit code 69 means
 * that the socket is not there or does not answer.
 */
const RELAY = `
use strict; use IO::Select; use IO::Socket::UNIX; $SIG{PIPE} = 'IGNORE';
my $s = IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $ARGV[0]) or do { print STDERR "connect $ARGV[0]: $!\\n"; exit 69 };
syswrite(STDOUT, '+');
sub put { my ($to, $bytes) = @_; while (length $bytes) { my $n = syswrite($to, $bytes); return 0 unless defined $n; substr($bytes, 0, $n, '') } 1 }
my $wait = IO::Select->new($s, \\*STDIN); my $limit;
while (my @ready = $wait->can_read($limit)) { for my $from (@ready) {
  my $n = sysread($from, my $bytes, 65536);
  if ($from == $s) { exit 0 unless $n; exit 0 unless put(\\*STDOUT, $bytes) }
  elsif ($n) { exit 0 unless put($s, $bytes) }
  else { $wait->remove(\\*STDIN); shutdown($s, 1); $limit = 60 }
} }
`;

/**
 * Opens the unix socket at `path` within a container. Rejects as a socket of this machine does where it is not there or
 * does not answer, and otherwise as `execDuplex` does.
 */
export async function dialWithin(
  client: KubeClient,
  container: Omit<ExecTarget, 'command'>,
  path: string,
  signal?: AbortSignal,
): Promise<Duplex> {
  const target = { ...container, command: ['perl', '-e', RELAY, path] };
  const either = new Deadline(undefined, client.signal, signal);
  const letGo = () => either[Symbol.dispose]();
  const stream = await execDuplex(client, target, relayFault, either.signal).catch((error: unknown) => {
    letGo();
    throw error;
  });
  const stop = () => void stream.destroy(signal?.reason);
  if (signal?.aborted) stop();
  signal?.addEventListener('abort', stop, { once: true });
  stream.once('close', () => {
    signal?.removeEventListener('abort', stop);
    letGo();
  });
  await connected(stream);
  return stream;
}

/** Takes the byte that the relay prints first. */
function connected(stream: Duplex): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const take = () => {
    if (stream.read(1) !== null) resolve();
  };
  const ended = () => reject(new KubeUnreachable('the relay in the container ended before it was connected'));
  stream.on('readable', take).on('error', reject).on('end', ended).on('close', ended);
  return promise.finally(() => {
    stream.off('readable', take).off('error', reject).off('end', ended).off('close', ended);
  });
}

/** What perl says of a socket that does not answer, as the system's error of a socket here. */
const CODES: readonly [RegExp, string][] = [
  [/No such file or directory/, 'ENOENT'],
  [/Connection refused/, 'ECONNREFUSED'],
  [/Permission denied/, 'EACCES'],
];
const NO_SOCKET = 69;

/** The error of a relay that ended, as one of a socket of this machine where its socket does not answer. */
function relayFault(error: CommandFailed): Error {
  const code = CODES.find(([text]) => text.test(error.stderr))?.[1];
  return error.code === NO_SOCKET && code ? Object.assign(new Error(error.message), { code }) : error;
}
