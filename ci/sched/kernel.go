package sched

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A tree is where the kernel's files are: below a root, which is another one in
// tests.
type tree string

// path is the place of a file, such as "sys/kernel/sched_ext/state".
func (t tree) path(name string) string {
	if t == "" {
		t = "/"
	}
	return filepath.Join(string(t), filepath.FromSlash(name))
}

// text is a file's content without blanks around it, "" when it cannot be read.
func (t tree) text(name string) string {
	f, err := os.Open(t.path(name))
	if err != nil {
		return ""
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, 1<<20))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

func (t tree) exists(name string) bool {
	_, err := os.Stat(t.path(name))
	return err == nil
}

const schedExt = "sys/kernel/sched_ext/"

// States of sched_ext, as the kernel names them. absent is a kernel without it.
const (
	absent   = ""
	disabled = "disabled"
	enabled  = "enabled"
)

// A snapshot is what the kernel says of its scheduler.
type snapshot struct {
	state    string // disabled, enabling, enabled, disabling
	ops      string // name of the loaded scheduler, "" for none
	seq      int    // loads since the machine started
	all      bool   // the scheduler has every task, not only those that asked for it
	rejected int    // tasks that were refused to it
}

func (t tree) snapshot() snapshot {
	number := func(name string) int {
		n, _ := strconv.Atoi(t.text(schedExt + name))
		return n
	}
	return snapshot{
		state: t.text(schedExt + "state"), ops: t.text(schedExt + "root/ops"), seq: number("enable_seq"),
		all: number("switch_all") == 1, rejected: number("nr_rejected"),
	}
}

// off says whether the kernel's own scheduler runs everything.
func (s snapshot) off() bool { return s.state == absent || s.state == disabled }

// name is that of the loaded scheduler for people.
func (s snapshot) name() string {
	switch {
	case s.off():
		return "the kernel's own scheduler"
	case s.ops == "":
		return "a sched_ext scheduler"
	}
	return strconv.Quote(s.ops)
}

// differs says how now is no longer what s was, "" when it is the same
// scheduler, loaded once, all the time.
func (s snapshot) differs(now snapshot) string {
	switch {
	case s.off() && now.off() && s.seq != now.seq, s.off() && !now.off():
		return fmt.Sprintf("a sched_ext scheduler was loaded meanwhile: %s (state %s, %d loads, before %d)", now.name(), now.state, now.seq, s.seq)
	case s.off():
		return ""
	case now.state != s.state:
		return fmt.Sprintf("the kernel's state went from %s to %s", s.state, now.state)
	case now.seq != s.seq:
		return fmt.Sprintf("it was loaded again: %d loads, before %d", now.seq, s.seq)
	case now.ops != s.ops:
		return fmt.Sprintf("the kernel runs %s, before %s", now.name(), s.name())
	case now.all != s.all:
		return "it no longer has every task (switch_all)"
	}
	return ""
}
