//go:build linux

package sched

import (
	"fmt"
	"strings"
	"testing"
)

// Whatever of the kernel's state changes is a difference, and only that.
func TestDiffers(t *testing.T) {
	off := snapshot{state: disabled, seq: 3}
	on := snapshot{state: enabled, ops: "simple", seq: 4, all: true}
	change := func(s snapshot, f func(*snapshot)) snapshot { f(&s); return s }
	for _, c := range []struct {
		was, now snapshot
		says     string
	}{
		{off, off, ""},
		{off, change(off, func(s *snapshot) { s.rejected, s.state = 2, absent }), ""},
		{off, on, `a sched_ext scheduler was loaded meanwhile: "simple" (state enabled, 4 loads, before 3)`},
		{off, change(off, func(s *snapshot) { s.seq = 4 }), "a sched_ext scheduler was loaded meanwhile: the kernel's own scheduler (state disabled, 4 loads, before 3)"},
		{off, change(on, func(s *snapshot) { s.ops, s.seq = "", 3 }), "loaded meanwhile: a sched_ext scheduler ("},
		{on, on, ""},
		{on, change(on, func(s *snapshot) { s.rejected = 2 }), ""},
		{on, change(on, func(s *snapshot) { s.state = "disabling" }), "the kernel's state went from enabled to disabling"},
		{on, change(on, func(s *snapshot) { s.seq = 6 }), "it was loaded again: 6 loads, before 4"},
		{on, change(on, func(s *snapshot) { s.ops = "rogue" }), `the kernel runs "rogue", before "simple"`},
		{on, change(on, func(s *snapshot) { s.all = false }), "it no longer has every task (switch_all)"},
	} {
		if says := c.was.differs(c.now); (says == "") != (c.says == "") || !strings.Contains(says, c.says) {
			t.Errorf("%+v, then %+v: %q, want %q", c.was, c.now, says, c.says)
		}
	}
}

func TestSnapshot(t *testing.T) {
	root := fakeTree(t, map[string]string{
		schedExt + "state": "enabled\n", schedExt + "root/ops": "simple\n", schedExt + "enable_seq": "7\n",
		schedExt + "switch_all": "1\n", schedExt + "nr_rejected": "2\n",
	})
	if got, want := root.snapshot(), (snapshot{"enabled", "simple", 7, true, 2}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	put(t, root.path(schedExt+"switch_all"), "0\n")
	if root.snapshot().all {
		t.Error("switch_all is 0")
	}
	if !root.exists(schedExt+"state") || root.exists(schedExt+"other") || root.text("other") != "" || root.text("sys") != "" {
		t.Error("files that are there, and others")
	}
	if got := tree("").path("sys/x"); got != "/sys/x" {
		t.Errorf("without a root: %s", got)
	}
	put(t, root.path("long"), strings.Repeat("x", 1<<20+10))
	if n := len(root.text("long")); n != 1<<20 {
		t.Errorf("%d bytes of a file were read", n)
	}
}

// The kernel's messages are those of sched_ext, without the head of their line, one
// line each and no more than are kept.
func TestMessages(t *testing.T) {
	var log strings.Builder
	for i := range mostMessages + 5 {
		fmt.Fprintf(&log, "6,%d,1,-;sched_ext: message %d\n6,1,1,-;usb 1-1: new device\n", i, i)
	}
	root := fakeTree(t, map[string]string{"dev/kmsg": "6,1,1,-;sched_ext: before\n"})
	l := openKernelLog(root)
	defer l.close()
	put(t, root.path("dev/kmsg"), "6,1,1,-;sched_ext: before\n"+log.String())
	got := l.messages()
	if len(got) != mostMessages || got[0] != "sched_ext: message 0" || got[mostMessages-1] != fmt.Sprintf("sched_ext: message %d", mostMessages-1) {
		t.Errorf("%d messages: %q", len(got), got)
	}
	l.close()
	l.close() // twice is once
	if got := l.messages(); got != nil {
		t.Errorf("closed: %q", got)
	}
	none := openKernelLog(fakeTree(t, nil))
	if got := none.messages(); got != nil {
		t.Errorf("where no log is: %q", got)
	}
	none.close()
}

func TestReasonIn(t *testing.T) {
	for text, want := range map[string]string{
		"": "",
		`sched_ext: BPF scheduler "qmap" enabled`:                                             "",
		`sched_ext: BPF scheduler "qmap" disabled (unregistered from user space)`:             "",
		`sched_ext: BPF scheduler "qmap" disabled (runnable task stall)`:                      "runnable task stall",
		"sched_ext: BPF scheduler \"qmap\" disabled (stall)|sched_ext: qmap: x[165] failed":   "stall: x[165] failed",
		"sched_ext: BPF scheduler \"qmap\" disabled (stall)|sched_ext: no colon":              "stall",
		"sched_ext: BPF scheduler \"qmap\" disabled (stall)|other: qmap: x":                   "stall",
		"sched_ext: BPF scheduler \"qmap\" disabled (stall)|sched_ext: BPF scheduler: \"x\"":  "stall",
		"first|sched_ext: BPF scheduler \"qmap\" disabled (stall)|sched_ext: qmap: a: b|last": "stall: a: b",
	} {
		if got := reasonIn(strings.Split(text, "|")); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// What a scheduler wrote is told by its last words, its end or its error.
func TestOutput(t *testing.T) {
	for text, want := range map[string]struct{ last, reason, why string }{
		"":                                    {"", "", "it printed nothing"},
		"one\n two  three \n\n":               {"one\n two  three", "", "its last line: two three"},
		"a\n[SCX_BUG] x.c:1\nb\n":             {"a\n[SCX_BUG] x.c:1\nb", "", "[SCX_BUG] x.c:1"},
		"Error: no\nb":                        {"Error: no\nb", "", "Error: no"},
		"no Error: b":                         {"no Error: b", "", "its last line: no Error: b"},
		"EXIT: one\nx EXIT: two":              {"EXIT: one\nx EXIT: two", "two", "its last line: x EXIT: two"},
		strings.Repeat("x", 30):               {strings.Repeat("x", 28), "", "its last line: " + strings.Repeat("x", 30)},
		strings.Repeat("x", 28):               {strings.Repeat("x", 28), "", "its last line: " + strings.Repeat("x", 28)},
		strings.Repeat("ab\n", 9) + "abcdefg": {"ab\nab\nab\nab\nab\nab\nabcdefg", "", "its last line: abcdefg"},
	} {
		o := newOutput(nil)
		_, _ = o.Write([]byte(text))
		if last, reason, why := o.last(28), o.reason(), o.why(); last != want.last || reason != want.reason || why != want.why {
			t.Errorf("%q: last %q, reason %q, why %q; want %q", text, last, reason, why, want)
		}
	}
	var log strings.Builder
	o := newOutput(&log)
	for range 2*mostForwarded>>20 + 2 {
		_, _ = o.Write([]byte(strings.Repeat("x", 1<<19)))
	}
	if log.Len() < mostForwarded || log.Len() > mostForwarded+100 || len(o.String()) > 2*mostKept+100 {
		t.Errorf("%d bytes forwarded, %d kept", log.Len(), len(o.String()))
	}
}
