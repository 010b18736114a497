#!/bin/sh
# run.sh - every libFuzzer target for a while, from seeds made of the
# conformance cases.
#
#   tests/fuzz/run.sh SECONDS [TARGET...]
#
# Builds the preset `fuzz` (clang, ASan, UBSan) and runs each target, or those
# named (fuzz_json ...), for SECONDS, $JOBS at a time (default: 2). What is
# found, the grown corpora and the logs lie in build-fuzz/found,
# build-fuzz/corpus and build-fuzz/logs; corpora are used again by the next
# run. Ends with 1 when a target failed.
#
# $FUZZ_BUILD names a folder that is already configured, in place of
# build-fuzz.
set -eu

case "${1:-}" in
'' | *[!0-9]*)
    sed -n '2,15s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac
seconds=$1
shift
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${FUZZ_BUILD:-$root/build-fuzz}
cd "$root"

if [ -z "${FUZZ_BUILD:-}" ]; then
    cmake --preset fuzz >/dev/null
fi
[ $# -gt 0 ] || set -- $(cd tests/fuzz && ls fuzz_*.c | sed 's/\.c$//')
cmake --build "$build" --target "$@" >/dev/null
mkdir -p "$build/found" "$build/corpus" "$build/logs"
python3 tests/fuzz/seeds.py "$build/seeds"

# One target; prints a line with its verdict.
one() {
    mkdir -p "$build/corpus/$1" "$build/seeds/$1"
    if nice -n 19 "$build/bin/$1" -max_total_time="$seconds" -timeout=20 \
        -rss_limit_mb=3000 -max_len=8192 -print_final_stats=1 \
        -artifact_prefix="$build/found/$1-" \
        "$build/corpus/$1" "$build/seeds/$1" >"$build/logs/$1.log" 2>&1; then
        echo "ok      $1: $(sed -n 's/stat::number_of_executed_units: *//p' \
            "$build/logs/$1.log") runs"
    else
        echo "FAILED  $1: see $build/logs/$1.log"
        touch "$build/failed"
    fi
}

rm -f "$build/failed"
jobs=${JOBS:-2}
running=0
for target; do
    if [ "$running" -eq "$jobs" ]; then
        wait
        running=0
    fi
    one "$target" &
    running=$((running + 1))
done
wait
[ ! -e "$build/failed" ]
