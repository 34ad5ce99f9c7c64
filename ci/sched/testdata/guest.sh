# What the scripts of the guest share. Every wait is bounded: 5 minutes.
S=/sys/kernel/sched_ext

# measure NAME CONFIG: starts a run in the background; all of it goes to /out/NAME.
measure() {
  mkdir -p /out/$1
  llama-regress run -c $2 --dir /out/$1 --ignore-doctor >/out/$1/log 2>&1 &
  pid=$!
}

# ended NAME: waits for it and says how it ended.
ended() {
  wait $pid
  echo "$1: exit $?"
}

loaded() { [ "$(cat $S/root/ops 2>/dev/null)" = "$1" ] && [ "$(cat $S/state)" = enabled ]; }
unloaded() { [ "$(cat $S/state)" = disabled ]; }
gone() { [ -z "$(processes)" ]; }

# during: a trial is under way under a scheduler. (llama-bench runs by its own
# loader, whose name the process has; [h] keeps grep from finding itself.)
during() { [ "$(cat $S/state)" = enabled ] && grep -q 'bin/llama-benc[h]' /proc/[0-9]*/cmdline 2>/dev/null; }

wait_until() {
  for i in $(seq 3000); do
    if "$@"; then return; fi
    sleep 0.1
  done
  echo "waited in vain for: $*"
  exit 1
}

# processes of schedulers. The kernel's thread scx_enable_helper has no command line.
processes() {
  for p in /proc/[0-9]*; do
    grep -q '^scx_' $p/comm 2>/dev/null && [ -n "$(head -c 1 $p/cmdline)" ] && echo $p
  done
}

# state NAME: what the kernel says.
state() { echo "$1: $(cat $S/state)$(sed 's/^/ /' $S/root/ops 2>/dev/null), load $(cat $S/enable_seq), processes $(processes | wc -l)"; }
