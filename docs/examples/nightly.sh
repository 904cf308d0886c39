#!/usr/bin/env bash
# One incremental run without Meltano, into target-jsonl. If anything fails, the next run
# goes on from the last state that the target confirmed.
set -uo pipefail
cd "${1:-.}" || exit 1

[ -s catalog.json ] || tap-drchrono --config ENV --discover > catalog.json || exit 1
if [ -s state.json ]
then
  tap-drchrono --config ENV --catalog catalog.json --state state.json
else
  tap-drchrono --config ENV --catalog catalog.json
fi | target-jsonl > states.jsonl
status=$?

# Only a whole line, and only once it is there: a state file is never half written.
if [ -s states.jsonl ] && tail -n 1 states.jsonl > state.json.new
then
  mv state.json.new state.json
fi
exit "$status"
