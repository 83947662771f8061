#!/usr/bin/env bash
# Runs what others wrote for Spark and for Delta Lake against a cluster; fails when fewer cases pass than e2e/conformance.txt records.
# Runners and tables are kept outside of this repository: in $CONFORMANCE, by default ../shared/conformance.
#   conformance.sh [--record]    --record writes what passes now to e2e/conformance.txt
set -euo pipefail
cd "$(dirname "$0")/.."
suite=$(realpath -m "${CONFORMANCE:-../shared/conformance}")
python=$PWD/.cache/venv-4.2.0/bin/python
baseline=e2e/conformance.txt

if [ ! -d "$suite" ]; then
  echo "conformance: skipped, there is no $suite"
  exit 0
fi

dir=$(mktemp -d)
coproc up { exec bin/millrace up --dir "$dir/cluster" --port 0 --ui-port 0 2>"$dir/log"; }
pid=$up_PID
trap 'kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; rm -rf "$dir"' EXIT
if ! read -r _ remote _ <&"${up[0]}"; then
  cat "$dir/log" >&2
  exit 1
fi

# passed NAME COMMAND… runs a runner, whose last lines are "N passed, M failed …", and notes N.
counts=
passed() {
  local name=$1 out
  out=$(cd "$suite" && timeout 240 nice "$python" "${@:2}" 2>&1) || true
  local line
  line=$(grep -E '^[0-9]+ passed' <<<"$out" | tail -1) || { tail -20 <<<"$out" >&2; line="0 passed: the runner did not end"; }
  echo "conformance: $name: $line"
  counts+="$name ${line%% *}"$'\n'
}

passed delta check_delta.py --remote "$remote" --manifest delta/delta_cases.dev.json --timeout 60
passed sql sqltests.py --remote "$remote" --root sqltests --data sqltests-data --timeout 30 --file-timeout 40 --total-timeout 200 \
  --only '^[^/]*$'

if [ "${1:-}" = --record ]; then
  printf '%s' "$counts" >$baseline
  exit
fi
worse=0
while read -r name want; do
  got=$(awk -v n="$name" '$1 == n { print $2 }' <<<"$counts")
  if [ "${got:-0}" -lt "$want" ]; then
    echo "conformance: $name: ${got:-0} pass, $baseline asks for $want" >&2
    worse=1
  fi
done <$baseline
exit $worse
