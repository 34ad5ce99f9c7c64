#!/usr/bin/env bash
# Checks on a machine with a GPU what llama-regress records of it, in 8 minutes at most.
#
#   .github/examples/gpu-check.sh [--out DIR] [--bench LLAMA_BENCH --model FILE.gguf] [LLAMA_REGRESS]
#
# Nothing of the machine's settings is changed. In DIR (default: gpu-check-out) it leaves
#   doctor.txt, doctor.json  what the machine is, what is wrong with it, and what mends it
#   query.csv, pmon.txt,     what nvidia-smi prints, as it prints it
#   q.txt, list.txt
#   reader.txt               share of a core that reading 4 times a second takes
#   run/                     a run of two arms of one build on the device (with --bench)
#   summary.txt              what was found, a sentence each
# Exit status: 0 all was read; 1 something was not, which summary.txt says; 2 how it was
# called; 4 there is no device.
set -uo pipefail
began=$SECONDS
out=gpu-check-out bench='' model=''
while [ $# -gt 0 ]; do
	case $1 in
	--out) out=${2:?--out DIR}; shift 2 ;;
	--bench) bench=${2:?--bench LLAMA_BENCH}; shift 2 ;;
	--model) model=${2:?--model FILE}; shift 2 ;;
	-h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
	-*) echo "gpu-check: unknown flag $1; see --help" >&2; exit 2 ;;
	*) break ;;
	esac
done
tool=${1:-llama-regress}
if ! command -v "$tool" > /dev/null; then
	echo "gpu-check: $tool is no program: give the path of llama-regress as the last argument" >&2
	exit 2
fi
if [ -n "$bench$model" ] && { [ -z "$bench" ] || [ -z "$model" ]; }; then
	echo "gpu-check: --bench and --model belong together" >&2
	exit 2
fi
mkdir -p "$out" || exit 2
: > "$out/summary.txt"
missing=0
say() { echo "$1" | tee -a "$out/summary.txt"; }
lacks() { missing=1; say "NOT READ: $1"; }
left() { echo $((480 - SECONDS + began)); } # seconds
within() { # seconds, command...: bounded by what is left
	local most=$1 rest
	shift
	rest=$(left)
	[ "$rest" -gt 5 ] || { lacks "no time was left for: $*"; return 1; }
	timeout -k 5 $((most < rest ? most : rest)) "$@"
}

# What this machine has, as llama-regress sees it.
within 60 "$tool" doctor --watch 3s > "$out/doctor.txt" 2> "$out/doctor.err"
within 60 "$tool" doctor --watch 1s --json > "$out/doctor.json" 2>> "$out/doctor.err"
if ! grep -q '"gpu_programs"' "$out/doctor.json"; then
	say "There is no device here that llama-regress can read: no GPU of NVIDIA (by nvidia-smi), AMD or Intel (by /sys). Nothing was measured."
	exit 4
fi
say "doctor: $(grep -o '"gpu": *"[^"]*"' "$out/doctor.json" | head -n 1); findings in doctor.txt."

# What nvidia-smi prints, kept as it is.
if command -v nvidia-smi > /dev/null; then
	fields=index,uuid,clocks.sm,clocks.mem,temperature.gpu,power.draw,utilization.gpu,memory.used,pcie.link.gen.current,clocks_throttle_reasons.active
	within 20 nvidia-smi -q > "$out/q.txt" 2>&1
	within 20 nvidia-smi -L > "$out/list.txt" 2>&1
	timeout -k 2 6 nvidia-smi --query-gpu=$fields --format=csv --loop-ms=250 > "$out/query.csv" 2>&1
	timeout -k 2 6 nvidia-smi pmon -s um -d 1 > "$out/pmon.txt" 2>&1
	lines=$(grep -c 'GPU-' "$out/query.csv")
	[ "$lines" -ge 8 ] && say "nvidia-smi: $lines rows in 6 s." || lacks "nvidia-smi printed $lines rows in 6 s, of 24 for each device"

	# What reading costs: processor time of the reader in 20 s.
	nvidia-smi --query-gpu=$fields --format=csv,noheader,nounits --loop-ms=250 > /dev/null 2>&1 &
	reader=$!
	sleep 2
	ticks() { awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$reader/stat" 2> /dev/null || echo 0; }
	before=$(ticks)
	sleep 20
	after=$(ticks)
	kill "$reader" 2> /dev/null
	wait "$reader" 2> /dev/null
	awk -v t=$((after - before)) -v hz="$(getconf CLK_TCK)" 'BEGIN { printf "reader: %.2f%% of a core (budget 0.5%%)\n", 100 * t / hz / 20 }' | tee "$out/reader.txt" >> "$out/summary.txt"
	cat "$out/reader.txt"
fi

# One gate of a build against itself, watched.
if [ -n "$bench" ]; then
	bin=$(cd "$(dirname "$bench")" && pwd)
	cat > "$out/llama-regress.yaml" << YAML
version: 1
arms:
  - {name: base, bin: $bin}
  - {name: head, bin: $bin}
baseline: base
models:
  - {name: model, path: $model}
matrix: {gpu_layers: 99}
bench: {tests: [pp512, tg128], repetitions: 5}
sampling: {blocks: 6, budget: 4m}
YAML
	within 300 "$tool" gate --config "$out/llama-regress.yaml" --dir "$out/run" > "$out/gate.txt" 2>&1
	say "gate: exit status $?; see gate.txt and run/."
	for series in clock_mhz temp_c power_w busy memory_bytes throttle_power throttle_thermal; do
		grep -q "\"gpu[0-9]*\.$series\"" "$out/run/run.json" 2> /dev/null || lacks "the series $series is in no trial of run/run.json"
	done
fi
say "Done in $((SECONDS - began)) s; everything is in $out."
exit $missing
