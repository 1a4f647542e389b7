#!/usr/bin/env bash
# Runs the Slurm template for real, on this machine alone: a controller and a node on loopback, an
# array of 4 tasks, one of which is killed on the way and resumed. The merged results must be those
# of a sweep in one process, byte for byte.
#
#   deploy/slurm/try.sh [SEEDBED]     as root, on Debian or Ubuntu; SEEDBED is the binary;
#                                     SIMS and SEEDS say what to sweep, KEEP=1 keeps the folder
#
# Everything it makes is in a folder of its own and goes with it, and so do the daemons; the packages
# slurm-wlm and munge stay.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
repository=$(cd "$here/../.." && pwd)
seedbed=${1:-$repository/target/release/seedbed}
seeds=${SEEDS:-8000}
read -ra sims <<<"${SIMS:-sims/ccr/chain_fails.toml sims/canary/broken_expectation.toml}"

say() { printf '== %s\n' "$1"; }
fail() { printf 'FAILED: %s\n' "$1" >&2; exit 1; }

[ "$(id -u)" -eq 0 ] || fail "it installs packages and starts daemons: run it as root"
[ -x "$seedbed" ] || fail "no seedbed at $seedbed: cargo build --release, or name it"

if ! command -v slurmctld >/dev/null || ! command -v munged >/dev/null; then
    say "installing slurm-wlm and munge"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends slurm-wlm munge
fi

work=$(mktemp -d)
chmod 755 "$work"
pids=()
clean_up() {
    for name in slurmd slurmctld munged; do
        [ ! -s "$work/$name.pid" ] || kill "$(cat "$work/$name.pid")" 2>/dev/null || true
    done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    if [ -n "${KEEP:-}" ]; then say "kept: $work"; else rm -rf "$work"; fi
}
trap clean_up EXIT

say "munged, slurmctld, slurmd on loopback"
mkdir "$work/state" "$work/spool" "$work/results"
dd if=/dev/urandom of="$work/munge.key" bs=1024 count=1 status=none
chmod 600 "$work/munge.key"
node=$(hostname -s)
cat >"$work/slurm.conf" <<CONF
ClusterName=try
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# A job that is requeued waits until its old credentials have expired, two minutes if nothing is said.
AuthInfo=socket=$work/munge.socket,cred_expire=5
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobRequeue=1
KillWait=5
ReturnToService=2
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
NodeName=$node NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=$node Default=YES MaxTime=INFINITE State=UP
CONF
# Control groups are not used, and may not be there; before Slurm 23 they cannot be switched off.
case "$(slurmd -V)" in
    "slurm-wlm 2"[012].*) echo "CgroupPlugin=cgroup/v1" ;;
    *) echo "CgroupPlugin=disabled" ;;
esac >"$work/cgroup.conf"
export SLURM_CONF=$work/slurm.conf

munged --force --foreground --key-file="$work/munge.key" --socket="$work/munge.socket" \
    --pid-file="$work/munged.pid" --log-file="$work/munged.log" --seed-file="$work/munged.seed" \
    >"$work/munged.out" 2>&1 &
pids+=($!)
slurmctld -D -f "$SLURM_CONF" >"$work/slurmctld.out" 2>&1 &
pids+=($!)
slurmd -D -f "$SLURM_CONF" >"$work/slurmd.out" 2>&1 &
pids+=($!)

# Waits until a command succeeds.
until_it() {
    local what=$1 tries=$2
    shift 2
    for _ in $(seq "$tries"); do
        if "$@" >/dev/null 2>&1; then return 0; fi
        sleep 0.2
    done
    tail -n 20 "$work"/*.log "$work"/*.out >&2 || true
    fail "$what"
}
is_up() { sinfo -h -o %t | grep -Eq '^(idle|mix|alloc)'; }
until_it "the node did not come up" 300 is_up

cd "$repository"
say "one process, $seeds seeds"
status=0
"$seedbed" sweep "${sims[@]}" --seeds "$seeds" --shard 1/1 --results "$work/whole.jsonl" >"$work/whole.txt" ||
    status=$?
[ "$status" -eq 0 ] || fail "the sweep in one process exited with $status"

say "an array of 4 tasks"
job=$(SEEDBED=$seedbed RESULTS=$work/results sbatch --parsable --array=1-4 \
    --output="$work/task-%a.out" "$here/sweep.sbatch" "${sims[@]}" --seeds "$seeds")

say "task 2 is killed on the way"
is_on_its_way() { [ "$(grep -c finished "$work/results/shard-2.jsonl")" -ge 100 ]; }
until_it "task 2 wrote no results" 1500 is_on_its_way
raw=$(squeue -h -j "${job}_2" -o %A)
# A kill that nothing can catch, as when memory runs out.
scontrol listpids "$raw" | awk 'NR > 1 && $1 > 1 { print $1 }' | xargs kill -KILL
state_is() { scontrol show job -o "${job}_$1" | grep -q "JobState=$2 "; }
until_it "task 2 was not killed" 300 state_is 2 FAILED
for task in 1 3 4; do until_it "task $task did not end well" 3000 state_is "$task" COMPLETED; done

say "without it something is missing"
status=0
"$seedbed" merge "$work"/results/shard-*.jsonl >"$work/missing.txt" || status=$?
[ "$status" -eq 4 ] || { cat "$work/missing.txt"; fail "merge exited with $status instead of 4"; }
grep missing "$work/missing.txt"

say "task 2 is resumed"
scontrol requeue "${job}_2"
until_it "task 2 did not end well" 3000 state_is 2 COMPLETED
grep -h "going on after" "$work/task-2.out"

say "merged, it is the sweep of one process"
"$seedbed" merge "$work"/results/shard-*.jsonl -o "$work/array-merged.jsonl"
"$seedbed" merge "$work/whole.jsonl" -o "$work/whole-merged.jsonl" >/dev/null
cmp "$work/array-merged.jsonl" "$work/whole-merged.jsonl" || fail "the results differ"
say "all is well"
