#!/usr/bin/env bash
# Measures what the command promises, in a release build, on a machine that does nothing else: docs/PERFORMANCE.md has the
# figures. `cli/goals.sh [EVENTS]`; a million events need some 3 GB of disk.
set -euo pipefail
cd "$(dirname "$0")/.."
events=${1:-300000}

cargo build --quiet --release --package tracklane-cli
target=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
tracklane=$target/release/tracklane
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
now() { date +%s%N; }
# Milliseconds with two digits, of nanoseconds.
ms() { awk -v ns="$1" 'BEGIN { printf "%.2f", ns / 1e6 }'; }
rss() { awk '/^VmRSS/ { printf "%.0f", $2 / 1024 }' "/proc/$server/status"; }

# Starts `tracklane dev`, with more options, and sets `url` and `ready`, in milliseconds.
dev() {
    rm -f "$work/ready"; mkfifo "$work/ready"
    local began; began=$(now)
    "$tracklane" dev --port 0 --json "$@" > "$work/ready" & server=$!
    exec 3< "$work/ready"
    local line; read -r line <&3
    ready=$(ms $(($(now) - began)))
    url=$(sed 's/.*"url":"\([^"]*\)".*/\1/' <<< "$line")
}
stop() { kill "$server"; wait "$server" 2>/dev/null || true; server=; exec 3<&-; }

strip -o "$work/stripped" "$tracklane"
echo "binary: $(($(stat -c %s "$tracklane") / 1024)) KiB ($(($(stat -c %s "$work/stripped") / 1024)) KiB stripped)"

best=999999
for _ in 1 2 3 4 5 6 7 8 9 10; do dev; stop; best=$(awk -v a="$best" -v b="$ready" 'BEGIN { print (b < a) ? b : a }'); done
echo "start to ready: $best ms, the best of ten"

dev --keep 1GB
echo "bare connections, as fast as they go: $("$tracklane" bench --host "$url" --for 5s | head -1)"
stop

dev
"$tracklane" bench --host "$url" --rate 20000 --for 5s > "$work/kept"
echo "100,000 events at 20,000 a second: $(tail -2 "$work/kept" | head -1)"
echo "100,000 events kept: $(rss) MB"
for query in 'o-5031' 'absent' 'kind:track' 'name:"Order *"' 'user:019mr8mf4r' 'properties.total>10' 'coupon:SUMMER' 'has:finding'; do
    best=999999
    for _ in 1 2 3 4 5; do
        took=$(curl -sG -o "$work/found" -w '%{time_total}' --data-urlencode "q=$query" "$url/__tracklane/events")
        best=$(awk -v a="$best" -v b="$took" 'BEGIN { t = b * 1e3; print (t < a) ? t : a }')
    done
    echo "search of $query: $best ms, $(grep -o '"matched":[0-9]*' "$work/found")"
done
stop

dev
port=${url##*:}
# A request over a connection of this shell: to start a program would take longer than the answer.
post() { printf 'POST %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nContent-Type: application/json\r\nContent-Length: %s\r\n\r\n%s' "$1" "$port" "${#2}" "$2"; }
took=()
for round in $(seq 1 101); do
    exec 5<> "/dev/tcp/127.0.0.1/$port" 6<> "/dev/tcp/127.0.0.1/$port"
    post /__tracklane/expect "{\"all\":[{\"event\":\"E$round\"}],\"withinMs\":5000}" >&5
    sleep 0.02
    request=$(post /v1/track "{\"event\":\"E$round\",\"userId\":\"u\"}")
    began=${EPOCHREALTIME/[.,]/}
    printf '%s' "$request" >&6
    read -r status <&5
    took+=($((${EPOCHREALTIME/[.,]/} - began)))
    [[ $status == *" 200 "* ]] || { echo "expect answered $status"; exit 1; }
    exec 5<&- 6<&-
done
sorted=$(printf '%s\n' "${took[@]}" | sort -n)
echo "expect, from before the event is sent to the answer: $(ms "$(sed -n 51p <<< "$sorted")000") ms, the median of 101; $(ms "$(sed -n 100p <<< "$sorted")000") ms, p99"

awk -v n="$events" 'BEGIN { for (i = 0; i < n; i++) printf "{\"type\":\"track\",\"event\":\"Order Completed\",\"userId\":\"019mr8mf4r\",\"timestamp\":\"2026-01-01T00:00:00.000Z\",\"context\":{\"app\":{\"name\":\"shop\",\"version\":\"4.1.2\"},\"ip\":\"203.0.113.7\",\"locale\":\"de-CH\"},\"properties\":{\"orderId\":\"o-%d\",\"total\":39.95,\"currency\":\"EUR\",\"coupon\":\"SUMMER\",\"products\":[{\"sku\":\"G-32\",\"name\":\"Monopoly\",\"price\":19,\"quantity\":1},{\"sku\":\"F-57\",\"name\":\"UNO\",\"price\":3,\"quantity\":2}]}}\n", i }' > "$work/events.jsonl"
awk -v n="$events" 'BEGIN { print "id,order,total,currency,coupon,when"; for (i = 0; i < n; i++) printf "019mr8mf4r,o-%d,39.95,EUR,SUMMER,2026-01-01T00:00:00.000Z\n", i }' > "$work/events.csv"
# Imports a file, with more options, and says how fast that went.
import() {
    local began took; began=$(now)
    /usr/bin/time -f '%M' -o "$work/memory" "$tracklane" import "$@" --host "$url" --rate 0 --quiet
    took=$(($(now) - began))
    echo "import of ${1##*.}: $(awk -v n="$events" -v ns="$took" 'BEGIN { printf "%.0f", n / ns * 1e9 }') events a second, $(($(cat "$work/memory") / 1024)) MB at most"
}
import "$work/events.jsonl"
import "$work/events.csv" --kind track --event "Order Completed" --map userId=id --map properties.orderId=order \
    --map properties.total:number=total --map properties.currency=currency --map properties.coupon=coupon --map timestamp=when
stop

began=$(now)
"$tracklane" check "$work/events.jsonl" > /dev/null || true
took=$(($(now) - began))
echo "check: $(awk -v n="$events" -v ns="$took" 'BEGIN { printf "%.0f", n / ns * 1e9 }') events a second"
