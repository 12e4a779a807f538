import type { CommandFailed } from './exec.ts';

/**
 * Joins stdin and stdout to a unix socket. Perl's base is part of every official image of the agent, where no other
 * program can do this (docs/decisions/kube-road.md). Its end is the end of the socket; exit code 69 means that the
 * socket is not there or does not answer.
 */
const RELAY = `
use strict; use IO::Select; use IO::Socket::UNIX; $SIG{PIPE} = 'IGNORE';
my $s = IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $ARGV[0]) or do { print STDERR "connect $ARGV[0]: $!\\n"; exit 69 };
sub put { my ($to, $bytes) = @_; while (length $bytes) { my $n = syswrite($to, $bytes); return 0 unless defined $n; substr($bytes, 0, $n, '') } 1 }
my $wait = IO::Select->new($s, \\*STDIN);
while (my @ready = $wait->can_read) { for my $from (@ready) {
  my $n = sysread($from, my $bytes, 65536);
  if ($from == $s) { exit 0 unless $n; exit 0 unless put(\\*STDOUT, $bytes) }
  elsif ($n) { exit 0 unless put($s, $bytes) }
  else { $wait->remove(\\*STDIN); shutdown($s, 1) }
} }
`;

/** The command that reaches the socket at `path` from within a container. */
export function relayCommand(path: string): string[] {
  return ['perl', '-e', RELAY, path];
}

/** What perl says of a socket that does not answer, as the system's error of a socket here. */
const CODES: readonly [RegExp, string][] = [
  [/No such file or directory/, 'ENOENT'],
  [/Connection refused/, 'ECONNREFUSED'],
  [/Permission denied/, 'EACCES'],
];
const NO_SOCKET = 69;

/** The error of a relay that ended, as one of a socket of this machine where its socket does not answer. */
export function relayFault(error: CommandFailed): Error {
  const code = CODES.find(([text]) => text.test(error.stderr))?.[1];
  return error.code === NO_SOCKET && code ? Object.assign(new Error(error.message), { code }) : error;
}
