#!/bin/sh
# What the companions cost: nanoseconds and allocations of an event at each transform, and events per second and core at
# each destination, without its network. PostgreSQL where it is installed. Nothing else should run meanwhile.
#
#   benches/companions.sh
set -eu
cd "$(dirname "$0")/.."
set --
for name in redact sampling enrich plan posthog mixpanel amplitude ga4 clickhouse jsonl postgres; do
    set -- "$@" -p "tracklane-$name"
done
cargo bench "$@" --benches
