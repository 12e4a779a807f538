#!/bin/bash
# Kills cleanup and undo at random moments, runs each again, and compares the node with the one before. Runs on a node
# that build.sh has made. usage: kills.sh ROUNDS COMMAND…, prints a line for each round that went wrong and a sum.
here=$(cd "$(dirname "$0")" && pwd)
rounds=$1; shift
cilium=("$@")
records=/var/lib/cilium-toolkit
wrong=0 partly_cleaned=0 partly_restored=0
now() { echo $((${EPOCHREALTIME/./} / 1000)); }
snapshot() { "$here/snapshot.sh" >"$1" 2>/dev/null; }
complain() { wrong=$((wrong + 1)); echo "round $round: $1"; shift; "$@" | head -20; }
# Whether the node is in between: cheap, for the counts only.
glance() { { ip -o link; ip -o route show table all; ip rule; find /etc/cni /run/cilium /var/lib/cilium; } 2>/dev/null | wc -l; }
same() { cmp -s "$1" "$2" || complain "$3" diff "$1" "$2"; }
# Starts a command in a process group of its own and kills it, every other time with all that it started.
killed() {
  setsid "${cilium[@]}" "${@:2}" >/run/killed.out 2>&1 & local pid=$!
  sleep "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))"
  if [ $((RANDOM % 2)) = 0 ]; then kill -9 -- -$pid; else kill -9 $pid; fi 2>/dev/null
  wait $pid 2>/dev/null
  # What the group's leader leaves behind still runs to its end.
  while pgrep -g $pid >/dev/null; do sleep 0.01; done
}
undo_all() { # newest first, as somebody would who had to run cleanup twice
  for record in $(ls -t $records/*.json); do
    "${cilium[@]}" cleanup undo --force "$record" >/run/undo.out 2>&1 || complain "undo failed" grep -v '^[ rt]' /run/undo.out
  done
}
round=0
snapshot /run/before; full=$(glance)
start=$(now); "${cilium[@]}" cleanup --force >/run/cleanup.out 2>&1 || complain "the first cleanup failed" tail -3 /run/cleanup.out
cleanup_ms=$(($(now) - start))
snapshot /run/clean; bare=$(glance)
start=$(now); undo_all; undo_ms=$(($(now) - start))
sleep 0.2; snapshot /run/after; same /run/before /run/after "not as before"; rm -rf $records
for round in $(seq "$rounds"); do
  [ $wrong -gt 5 ] && break
  killed $((RANDOM % (cleanup_ms + 50))) cleanup --force
  [ "$(glance)" = "$full" ] || partly_cleaned=$((partly_cleaned + 1))
  "${cilium[@]}" cleanup --force >/run/cleanup.out 2>&1 || complain "cleanup failed" tail -3 /run/cleanup.out
  snapshot /run/after; same /run/clean /run/after "not clean"
  killed $((RANDOM % (undo_ms + 50))) cleanup undo --force "$(ls -tS $records/*.json | tail -1)"
  largest=$(ls -S $records/*.json | head -1)
  killed $((RANDOM % (undo_ms + 50))) cleanup undo --force "$largest"
  [ "$(glance)" = "$bare" ] || partly_restored=$((partly_restored + 1))
  undo_all
  sleep 0.1; snapshot /run/after; same /run/before /run/after "not as before"
  rm -rf $records
  [ $((round % 10)) = 0 ] && echo "round $round: wrong $wrong" >&2
done
junk=$(find /run /etc /var/lib -name '*.tmp' -o -name '*cilium-und?' | wc -l)
echo "rounds $round: cleanup killed $round ($partly_cleaned times halfway), undo killed $((2 * round)) ($partly_restored times halfway), wrong $wrong, leftovers $junk"
[ $wrong = 0 ]
