#!/usr/bin/env bash
# Has the reference tools judge what seedbed measures: promtool reads metrics, rules and their tests, and a
# real Prometheus scrapes a run and is asked for its numbers. With CI=1 it installs what it needs, and
# fails without it; elsewhere it says that there is none, and skips.
set -euo pipefail
cd "$(dirname "$0")/../.."

if ! command -v promtool >/dev/null || ! command -v prometheus >/dev/null; then
    if [ "${CI:-}" != 1 ]; then
        echo "prometheus tests skipped: there is no prometheus and promtool"
        exit 0
    fi
    # Debian would start a service of its own: nobody here may.
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d
    apt-get update && apt-get install -y --no-install-recommends prometheus
    rm /usr/sbin/policy-rc.d
fi
if [ -z "${SEEDBED:-}" ]; then
    for build in release debug; do
        found=${CARGO_TARGET_DIR:-target}/$build/seedbed
        if [ -z "${SEEDBED:-}" ] && [ -x "$found" ]; then SEEDBED=$found; fi
    done
fi
[ -n "${SEEDBED:-}" ] || { echo "build seedbed first: cargo build --release" >&2; exit 1; }

work=$(mktemp -d)
started=()
end() {
    for process in "${started[@]}"; do kill "$process" 2>/dev/null || true; done
    wait
    rm -rf "$work"
}
trap end EXIT
fail() { echo "prometheus: $1" >&2; exit 1; }

echo "rules, and their tests"
rules=deploy/prometheus
promtool check config $rules/prometheus.yml
promtool test rules $rules/alerts_test.yml

echo "each rule is tested at its threshold: a looser one is noticed"
cp $rules/alerts_test.yml "$work/"
changed=0
while IFS=: read -r line _; do
    sed -E "${line}s/ ([<>]) ([0-9.]+)\$/ \\1= \\2/; ${line}s/ == ([0-9])\$/ >= 0/" $rules/alerts.yml >"$work/alerts.yml"
    if cmp -s "$work/alerts.yml" $rules/alerts.yml; then fail "line $line of the rules was not changed"; fi
    if promtool test rules "$work/alerts_test.yml" >/dev/null 2>&1; then
        fail "nothing fails if line $line of the rules is looser"
    fi
    changed=$((changed + 1))
done < <(grep -nE ' ([<>]|==) [0-9.]+$' $rules/alerts.yml)
[ "$changed" -ge 9 ] || fail "only $changed thresholds were tried"

echo "the text of one run, twice the same"
"$SEEDBED" run sims/quickstart.toml --seed 1 --metrics "$work/one.prom" >/dev/null
"$SEEDBED" replay sims/quickstart.toml --seed 1 --metrics "$work/again.prom" >/dev/null 2>&1
cmp "$work/one.prom" "$work/again.prom"
promtool check metrics <"$work/one.prom"

echo "the text of many runs"
"$SEEDBED" run sims/ccr sims/healing sims/sidecar/auth.toml sims/sidecar/rate_limit.toml --metrics "$work/many.prom" >/dev/null
promtool check metrics <"$work/many.prom"

echo "what promtool refuses is refused"
if sed 's/^# HELP a2a_requests_total.*//' "$work/one.prom" | promtool check metrics >/dev/null 2>&1; then
    fail "promtool found nothing wrong with a text without a help"
fi

echo "a real Prometheus scrapes a run"
"$SEEDBED" run sims/ccr/chain_fails.toml --seed 1 --serve-metrics 127.0.0.1:0 --serve-for 120s --format json >"$work/report.json" 2>"$work/served" &
started+=($!)
said() { sed -nE "$1" "$2" | head -n 1; }
for _ in $(seq 100); do
    served=$(said 's#^metrics at http://([^/]+)/metrics$#\1#p' "$work/served")
    [ -z "$served" ] || break
    sleep 0.1
done
[ -n "$served" ] || fail "seedbed did not say where the metrics are"
cp $rules/alerts.yml "$work/alerts.yml"
sed -e "s/127.0.0.1:9464/$served/" -e 's/: 5s/: 1s/' $rules/prometheus.yml >"$work/prometheus.yml"
prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/data" \
    --web.listen-address=127.0.0.1:0 2>"$work/prometheus.log" &
started+=($!)
for _ in $(seq 300); do
    listens=$(said 's/.*msg="Listening on" address=([0-9.:]+).*/\1/p' "$work/prometheus.log")
    [ -z "$listens" ] || break
    sleep 0.1
done
[ -n "$listens" ] || { cat "$work/prometheus.log" >&2; fail "prometheus does not listen"; }
ask() { promtool query instant "http://$listens" "$1" | sed -nE 's/.*=> ([^ ]+) .*/\1/p'; }
until_said() {
    [ -n "$2" ] || fail "the report does not say what $1 must be"
    for _ in $(seq 60); do
        answer=$(ask "$1" || true)
        [ "$answer" = "$2" ] && return
        sleep 0.5
    done
    fail "$1 is ${answer:-nothing}, and the report says $2"
}
number() { grep -oE "\"$1\": *[0-9]+" "$work/report.json" | head -n 1 | grep -oE '[0-9]+$'; }
until_said 'up' 1
until_said 'sum(a2a_requests_total)' "$(number requests.total)"
until_said 'sum(ccr_attempts_total)' "$(number requests.attempts)"
until_said 'sum(a2a_requests_total{status="failed"})' "$(number requests.failed)"
until_said 'count(ALERTS{alertname="RouterAvailabilityLow",alertstate="firing"})' 1

echo "a port in use is said, and nothing runs"
status=0
"$SEEDBED" run sims/quickstart.toml --serve-metrics "$served" >"$work/out" 2>"$work/err" || status=$?
[ "$status" -eq 2 ] && grep -q "cannot serve metrics" "$work/err" && [ ! -s "$work/out" ] || fail "a port in use: exit $status"

echo "prometheus agrees"
