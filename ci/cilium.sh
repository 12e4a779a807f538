#!/usr/bin/env bash
# The cilium of this checkout. It is built when it is first asked for, which takes a minute and needs Node and npm.
set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
if ! compgen -G "$root/dist/cilium.*js" >/dev/null; then
  (cd -- "$root" && npm ci --no-audit --no-fund) >&2
fi
exec "$root/bin/cilium" "$@"
