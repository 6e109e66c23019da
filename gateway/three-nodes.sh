#!/usr/bin/env bash
# Three NATS nodes, two gateways and two workers on this machine, to try what happens when one of them is killed:
#
#   gateway/three-nodes.sh [FOLDER]
#
# Needs `nats-server` (2.11 or later) and `tracklane` in PATH, or their paths in NATS_SERVER and TRACKLANE. Events that
# are sent to http://127.0.0.1:8081 or :8082 with the write key MY_KEY appear here, printed by a worker. Ctrl-C ends all.
# PORT sets the first of the gateways' ports, NATS_PORT the first of six for NATS. On three machines there is one of each on
# every machine, with the addresses of these.
set -euo pipefail

folder="${1:-$(mktemp -d)}"
nats="${NATS_SERVER:-nats-server}"
tracklane="${TRACKLANE:-tracklane}"
port="${PORT:-8081}"
nats_port="${NATS_PORT:-4231}"
mkdir -p "$folder"

children=()
trap 'kill "${children[@]}" 2>/dev/null; wait' EXIT

routes="nats://127.0.0.1:$((nats_port + 3)),nats://127.0.0.1:$((nats_port + 4)),nats://127.0.0.1:$((nats_port + 5))"
for node in 0 1 2; do
    "$nats" --jetstream --store_dir "$folder/nats-$node" --server_name "node-$node" --addr 127.0.0.1 \
        --port $((nats_port + node)) --cluster_name tracklane \
        --cluster "nats://127.0.0.1:$((nats_port + 3 + node))" --routes "$routes" --log "$folder/nats-$node.log" &
    children+=($!)
    echo "NATS node $node: process $!"
done

# Each gateway has a folder of its own for what it keeps while NATS is away.
for gateway in 0 1; do
    cat > "$folder/gateway-$gateway.toml" <<EOF
[server]
listen = ["127.0.0.1:$((port + gateway))"]
admin = "127.0.0.1:$((port + 10 + gateway))"

[worker]
admin = "127.0.0.1:$((port + 20 + gateway))"

[log.jetstream]
servers = ["nats://127.0.0.1:$nats_port", "nats://127.0.0.1:$((nats_port + 1))", "nats://127.0.0.1:$((nats_port + 2))"]
replicas = 3
partitions = 4
max_bytes = "256MB"
directory = "$folder/gateway-$gateway"

[sources.shop]
keys = ["MY_KEY"]
pipeline = "main"

[[pipelines.main.destinations]]
plugin = "console"
settings = { stream = "stdout" }
EOF
done

# The cluster needs some seconds to choose a leader.
for _ in $(seq 60); do
    "$tracklane" gateway --create-streams --config "$folder/gateway-0.toml" 2>"$folder/create.log" && break
    sleep 1
done

for number in 0 1; do
    "$tracklane" gateway --config "$folder/gateway-$number.toml" &
    children+=($!)
    echo "gateway $number: process $!"
    "$tracklane" worker --config "$folder/gateway-$number.toml" &
    children+=($!)
    echo "worker $number: process $!"
done
wait
