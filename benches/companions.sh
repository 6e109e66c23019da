#!/bin/sh
# What the companions cost. A destination: events per second and core, without its lane and its network. A transform: the
# nanoseconds and allocations that it adds to an event's way through the pipeline, in blocks that take turns with those of
# a plugin that does nothing. PostgreSQL where it is installed. Nothing else should run meanwhile.
#
#   benches/companions.sh
set -eu
cd "$(dirname "$0")/.."
set --
for name in redact sampling enrich plan posthog mixpanel amplitude ga4 clickhouse jsonl postgres; do
    set -- "$@" -p "tracklane-$name"
done
cargo bench "$@" --benches
