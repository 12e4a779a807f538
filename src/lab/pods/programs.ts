import { AS_PROGRAM, inside } from '../../lib/inside.ts';
import { assetPath } from '../assets.ts';
import type { MachineCommand } from './sandbox.ts';

/** How to run one of the programs that pods of the lab have: as one file, from the bundle, or from the sources. */
export function programOf(name: 'serve' | 'nslookup' | 'dig' | 'proxy', ...args: string[]): MachineCommand {
  const one = inside();
  if (one) return { command: one.file, args: [`${AS_PROGRAM}${name}`, ...args] };
  const isBundle = !import.meta.url.endsWith('.ts');
  const file = assetPath(isBundle ? `dist/pods/${name}.js` : `src/lab/pods/programs/${name}.ts`);
  return { command: process.execPath, args: ['--disable-warning=ExperimentalWarning', file, ...args] };
}

/** Raw sockets are out of reach for Node: perl has them, and every Debian has perl. */
export const PING = `#!/usr/bin/perl
# A small ping for pods on machines that have none: ping [-4|-6] [-c N] [-W S] ADDRESS
use strict; use Socket qw(:all); use Time::HiRes qw(time sleep);
my ($count, $wait, $family, $host) = (-1, 10, 0);
while (@ARGV) { my $word = shift; if ($word =~ /^-c(\\d*)$/) { $count = $1 ne '' ? $1 : shift }
  elsif ($word =~ /^-W(.*)$/) { $wait = $1 ne '' ? $1 : shift } elsif ($word =~ /^-([46])$/) { $family = $1 }
  elsif ($word =~ /^-[sIMwi]$/) { shift } elsif ($word !~ /^-/) { $host = $word } }
$| = 1;
my ($bad, @found) = getaddrinfo($host, '', { family => $family == 6 || $host =~ /:/ ? AF_INET6 : AF_INET, socktype => SOCK_RAW });
if ($bad || !@found) { print STDERR "ping: $host: Name or service not known\\n"; exit 2 }
my $six = $found[0]{family} == AF_INET6;
socket(my $s, $found[0]{family}, SOCK_RAW, $six ? 58 : 1) or do { print STDERR "ping: socket: $!\\n"; exit 2 };
my (undef, $address) = getnameinfo($found[0]{addr}, NI_NUMERICHOST); $address = (getnameinfo($found[0]{addr}, NI_NUMERICHOST))[1];
print "PING $host ($address) 56(84) bytes of data.\\n";
my ($id, $sent, $got) = ($$ & 0xffff, 0, 0);
for (my $seq = 1; $count < 0 || $seq <= $count; $seq++) {
  my $data = 'cilium lab ' x 5 . ' ';
  my $packet = pack('C C n n n a*', $six ? 128 : 8, 0, 0, $id, $seq, $data);
  if (!$six) { my $sum = 0; $sum += $_ for unpack('n*', $packet); $sum = ($sum >> 16) + ($sum & 0xffff) while $sum >> 16;
    substr($packet, 2, 2) = pack('n', ~$sum & 0xffff) }
  my $began = time; $sent++; send($s, $packet, 0, $found[0]{addr});
  my $answered = 0;
  while ((my $left = $began + $wait - time) > 0) {
    my $bits = ''; vec($bits, fileno($s), 1) = 1;
    select($bits, undef, undef, $left) or last;
    recv($s, my $reply, 2048, 0);
    my $at = $six ? 0 : (unpack('C', $reply) & 15) * 4;
    my ($type, undef, undef, $its, $number) = unpack('C C n n n', substr($reply, $at));
    next if $type != ($six ? 129 : 0) || $its != $id || $number != $seq;
    printf "%d bytes from %s: icmp_seq=%d ttl=64 time=%.3f ms\\n", length($reply) - $at, $address, $seq, (time - $began) * 1000;
    $got++; $answered = 1; last;
  }
  sleep(1) if $answered && ($count < 0 || $seq < $count);
}
printf "\\n--- %s ping statistics ---\\n%d packets transmitted, %d received, %d%% packet loss, time 0ms\\n", $host, $sent, $got,
  $sent ? 100 * ($sent - $got) / $sent : 0;
exit($got ? 0 : 1);
`;
