#!/bin/sh
# Instructions per call of track(), the event built before, counted by valgrind: nearly the same on every run.
#
#   benches/instructions.sh            # prints the count; fails if it is above the recorded bound
set -eu
bound=1000
events=20000
cd "$(dirname "$0")/.."
cargo build --quiet --release --package tracklane-instructions
program="${CARGO_TARGET_DIR:-target}/release/instructions"
counts=$(mktemp)
trap 'rm -f "$counts"' EXIT
collected=$(valgrind --tool=callgrind --callgrind-out-file="$counts" --toggle-collect='*Intake*push*' "$program" $events \
    2>&1 | sed -n 's/.*Collected : //p')
per_call=$((collected / events))
echo "$per_call instructions per call (bound: $bound)"
if [ "$per_call" -eq 0 ]; then
    echo "no call was seen: the compiler has taken the function into another" >&2
    exit 1
fi
test "$per_call" -le "$bound"
