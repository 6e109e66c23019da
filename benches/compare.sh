#!/bin/sh
# Two versions of this crate on the same machine: their benchmarks take turns, so that what disturbs one disturbs both.
#
#   benches/compare.sh OLD_CHECKOUT            # whole path and calls, five rounds, about half an hour
#   ROUNDS=2 benches/compare.sh OLD_CHECKOUT   # fewer rounds
#
# Prints the medians of the old version and of this one, and the new divided by the old.
set -eu
old=${1:?which checkout is the old one?}
rounds=${ROUNDS:-5}
here=$(cd "$(dirname "$0")/.." && pwd)
results=$(mktemp)
trap 'rm -f "$results"' EXIT

# The program of the benchmark $2 in the checkout $1.
program() {
    (cd "$1" && cargo bench --bench "$2" --no-run --message-format=json 2>/dev/null) |
        sed -n 's/.*"name":"'"$2"'".*"executable":"\([^"]*\)".*/\1/p' | tail -n 1
}

for bench in whole_path calls; do
    for version in old new; do
        case $version in old) checkout=$old ;; *) checkout=$here ;; esac
        path=$(program "$checkout" $bench)
        if [ -z "$path" ]; then
            echo "the benchmark $bench cannot be built in $checkout" >&2
            exit 1
        fi
        eval "${bench}_$version=\$path"
    done
done

run() { # version program arguments…
    version=$1
    shift
    "$@" | sed "s/^/$version\t/" >>"$results"
}

round=0
while [ "$round" -lt "$rounds" ]; do
    round=$((round + 1))
    echo "round $round of $rounds" >&2
    run old "$whole_path_old" --quick path
    run new "$whole_path_new" --quick path
    run new "$calls_new" --quick
    run old "$calls_old" --quick
done

awk -F '\t' '
    function median(text, numbers, count, at, other, swap) {
        count = split(text, numbers, " ")
        for (at = 2; at <= count; at++)
            for (other = at; other > 1 && numbers[other - 1] + 0 > numbers[other] + 0; other--) {
                swap = numbers[other]; numbers[other] = numbers[other - 1]; numbers[other - 1] = swap
            }
        return numbers[int((count + 1) / 2)]
    }
    function note(version, what, value) {
        if (!(what in known)) { known[what] = 1; order[++rows] = what }
        seen[version, what] = seen[version, what] " " value
    }
    $2 ~ /^\|---/ { columns = split(before, header, /\|/); next }
    $2 ~ /^\|/ {
        before = $2
        count = split($2, cell, /\|/)
        for (at = 3; at < count && at <= columns; at++) {
            name = cell[2] "," header[at]
            gsub(/^ +| +$/, "", name); gsub(/ +,/, ",", name)
            whole_path = cell[2] ~ /^ *tracklane/ && header[at] ~ /events\/s|CPU/
            call = header[at] ~ /track\(\)/
            if (!whole_path && !call) continue
            if (split(cell[at], part, "/") == 2) {
                note($1, name ", p50 ns", part[1] + 0)
                note($1, name ", p99 ns", part[2] + 0)
            } else note($1, name, cell[at] + 0)
        }
        next
    }
    END {
        print "| what | old | new | new ÷ old |"
        print "|---|--:|--:|--:|"
        for (row = 1; row <= rows; row++) {
            what = order[row]
            before = median(seen["old", what]); after = median(seen["new", what])
            if (before == "" || after == "" || before + 0 == 0) continue
            printf "| %s | %s | %s | %.3f |\n", what, before, after, after / before
        }
    }' "$results"
