#!/usr/bin/env bash
# Checks policies in CI: validates them, runs their tests, replays recorded flows. Needs no cluster.
#
# All that it is told comes from the environment; nothing of it is ever part of a script. Lists have one entry a line.
#
#   CHECK_POLICIES   files and folders of policies
#   CHECK_TESTS      files for "cilium policy test"; may be empty
#   CHECK_FLOWS      flows for "cilium policy replay": a file, a folder or a glob; empty: no replay
#   CHECK_STATE      state for the replay; empty: the identities in the flows
#   CHECK_FAIL_ON    what a replay fails for: newly-denied (default), newly-allowed, or never
#   CHECK_TARGET     the release of Cilium that policies are validated for; empty: the newest
#   CHECK_REPORTS    folder for the reports, default cilium-reports
#   CILIUM           the program, default cilium
#
# Writes, for each check, NAME.sarif and NAME.xml (JUnit), and comment.md of all of them. In a workflow of GitHub it also
# prints annotations, adds to the summary of the step and sets the outputs sarif, junit, comment and failed.
# Exit code: 0 when all passed, 1 when something failed, 2 when there was nothing to check.
set -uo pipefail

cilium=${CILIUM:-cilium}
reports=${CHECK_REPORTS:-cilium-reports}
fail_on=${CHECK_FAIL_ON:-newly-denied}
log=text
[ "${GITHUB_ACTIONS:-}" = true ] && log=github

# list TEXT: its lines that are not empty, as the array "listed".
list() {
  listed=()
  local line
  while IFS= read -r line || [ -n "$line" ]; do
    line=${line%$'\r'}
    [ -z "$line" ] || listed+=("$line")
  done <<<"$1"
}

failed=false
# check NAME WORDS... [-- FILES...]: runs a verb in each form. Its exit code is the same in all of them.
check() {
  local name=$1 form=$log words=() files=()
  shift
  while [ $# -gt 0 ] && [ "$1" != -- ]; do words+=("$1") && shift; done
  files=("$@")
  # A replay has text when no form is named.
  [ "$form" = text ] && [ "${words[1]}" = replay ] && form=
  "$cilium" "${words[@]}" ${form:+-o "$form"} ${files[@]+"${files[@]}"} || failed=true
  local pair file
  for pair in "sarif $name.sarif" "junit $name.xml" "markdown $name.md"; do
    file=$reports/${pair#* }
    # What is wrong with the command itself was said above.
    "$cilium" "${words[@]}" -o "${pair%% *}" ${files[@]+"${files[@]}"} >"$file" 2>/dev/null
    [ -s "$file" ] || rm -f -- "$file"
  done
  if [ -f "$reports/$name.md" ]; then
    cat -- "$reports/$name.md" >>"$comment" && rm -f -- "$reports/$name.md"
  else
    printf '### cilium %s %s could not be run: the log says why\n' "${words[0]}" "${words[1]}" >>"$comment"
  fi
  printf '\n' >>"$comment"
}

# output NAME VALUE: an output of the step, whatever the value holds.
output() {
  local mark
  mark=end-$RANDOM$RANDOM$RANDOM$RANDOM
  printf '%s<<%s\n%s\n%s\n' "$1" "$mark" "$2" "$mark" >>"$GITHUB_OUTPUT"
}

list "${CHECK_POLICIES:-}"
policies=(${listed[@]+"${listed[@]}"})
list "${CHECK_TESTS:-}"
tests=(${listed[@]+"${listed[@]}"})
if [ ${#policies[@]} -eq 0 ] && [ ${#tests[@]} -eq 0 ]; then
  echo "Nothing to check: CHECK_POLICIES names no file or folder of policies, and CHECK_TESTS no tests." >&2
  exit 2
fi
case $fail_on in
newly-denied | newly-allowed | never) ;;
*)
  echo "CHECK_FAIL_ON is newly-denied, newly-allowed or never, not \"$fail_on\"." >&2
  exit 2
  ;;
esac
case $reports in -*) reports=./$reports ;; esac
# Whoever wrote what is checked out may have put a link there, to have a file elsewhere written.
if [ -L "${reports%/}" ]; then
  echo "CHECK_REPORTS is a link: $reports. Name a folder." >&2
  exit 2
fi
mkdir -p -- "$reports" || exit 2
comment=$reports/comment.md
rm -f -- "$reports"/{validate,test,replay}.{sarif,xml,md} "$comment"
: >"$comment" || exit 2

if [ ${#policies[@]} -gt 0 ]; then
  check validate policy validate ${CHECK_TARGET:+--target "$CHECK_TARGET"} -- "${policies[@]}"
fi
[ ${#tests[@]} -eq 0 ] || check test policy test -- "${tests[@]}"
if [ -n "${CHECK_FLOWS:-}" ]; then
  words=(policy replay --flows "$CHECK_FLOWS")
  for path in ${policies[@]+"${policies[@]}"}; do words+=(--candidate "$path"); done
  [ -z "${CHECK_STATE:-}" ] || words+=(--state "$CHECK_STATE")
  [ "$fail_on" = never ] || words+=(--fail-on "$fail_on")
  check replay "${words[@]}"
fi

[ -z "${GITHUB_STEP_SUMMARY:-}" ] || cat -- "$comment" >>"$GITHUB_STEP_SUMMARY"
if [ -n "${GITHUB_OUTPUT:-}" ]; then
  output sarif "$reports"
  output junit "$reports"
  output comment "$comment"
  output failed "$failed"
fi
[ "$failed" = false ]
