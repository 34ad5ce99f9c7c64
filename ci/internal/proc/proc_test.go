package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"
)

func TestExcerpt(t *testing.T) {
	const head, tail = 1 << 10, 4 << 10
	e := &Excerpt{Head: head, Tail: tail}
	end := &Excerpt{Tail: tail}
	var want strings.Builder
	for i := range 10_000 {
		line := fmt.Sprintf("line %d\n", i)
		want.WriteString(line)
		for _, x := range []*Excerpt{e, end} {
			if n, err := x.Write([]byte(line)); n != len(line) || err != nil {
				t.Fatal(n, err)
			}
		}
	}
	all := want.String()
	middle := fmt.Sprintf("\n[... %d bytes left out ...]\n", len(all)-head-tail)
	if got := e.String(); got != all[:head]+middle+all[len(all)-tail:] {
		t.Errorf("%d bytes, starting %.20q, ending %q", len(got), got, got[len(got)-20:])
	}
	if got := end.String(); got != all[len(all)-tail:] {
		t.Errorf("the end alone: %d bytes, starting %.20q", len(got), got)
	}
	if cap(e.tail) > 8*tail {
		t.Errorf("holds %d bytes", cap(e.tail))
	}
	small := &Excerpt{Head: head, Tail: tail}
	_, _ = small.Write([]byte(all[:head+10]))
	if small.String() != all[:head+10] {
		t.Error("a short text is not kept whole")
	}
}

func TestHead(t *testing.T) {
	full := 0
	h := &Head{Max: 10, Full: func() { full++ }}
	for range 3 {
		if n, err := h.Write([]byte("12345678")); n != 8 || err != nil {
			t.Fatal(n, err)
		}
	}
	if h.String() != "1234567812" || !h.Over || full != 1 {
		t.Errorf("%q, over %t, said %d times", h, h.Over, full)
	}
}

func TestLog(t *testing.T) {
	var text strings.Builder
	l := &Log{W: &text, Room: 10}
	for i := range 5 {
		if n, err := fmt.Fprintf(l, "line%d", i); n != 5 || err != nil {
			t.Fatal(n, err)
		}
	}
	if got := text.String(); got != "line0line1\n[log ends here: it has reached its limit]\n" {
		t.Errorf("%q", got)
	}
}

func TestReadAll(t *testing.T) {
	if data, err := ReadAll(strings.NewReader("12345"), 5); string(data) != "12345" || err != nil {
		t.Errorf("%q, %v", data, err)
	}
	if data, err := ReadAll(strings.NewReader("123456"), 5); string(data) != "12345" || !errors.Is(err, ErrTooLarge) {
		t.Errorf("%q, %v", data, err)
	}
}

func TestText(t *testing.T) {
	for _, c := range []struct {
		have string
		most int
		want string
	}{
		{"a\x1b[31mb\r\n\tc \u202edexe\x00 \xff", 100, "a[31mb c dexe"},
		{"   ", 100, ""},
		{"an exact ten", 10, "an exact t..."},
		{"ends in äöü", 11, "ends in ä..."},
	} {
		if got := OneLine(c.have, c.most); got != c.want {
			t.Errorf("%q: %q, want %q", c.have, got, c.want)
		}
	}
	long := strings.Repeat("\x1b[31mline \xff of noise\x1b[0m\r\n", 2000) + "error: the cause\n"
	got := LastLines(long, 8<<10)
	if len(got) > 8<<10 || !strings.HasSuffix(got, "error: the cause") || strings.ContainsAny(got, "\x1b\r") || !utf8.ValidString(got) || !strings.HasPrefix(got, "[31mline") {
		t.Errorf("%d bytes: %.40q", len(got), got)
	}
	if got := LastLines(strings.Repeat("x", 100), 10); got != "xxxxxxxxxx" {
		t.Errorf("one long line: %q", got)
	}
}

// What a command started ends with its context.
func TestEndTogether(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, "sh", "-c", "sleep 600 & echo $!; wait")
	EndTogether(cmd)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var grandchild int
	if _, err := fmt.Fscan(out, &grandchild); err != nil {
		t.Fatal(err)
	}
	stop()
	_ = cmd.Wait()
	for !gone(grandchild) {
		time.Sleep(time.Millisecond) // the test's own time limit ends this
	}
}

// gone says whether a process has ended; one that nobody has collected has.
func gone(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return syscall.Kill(pid, 0) != nil
	}
	return strings.Contains(string(stat), ") Z ")
}

func TestTryLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	var files [2]*os.File
	for i := range files {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files[i] = f
	}
	if err := TryLock(files[0]); err != nil {
		t.Fatal(err)
	}
	if err := TryLock(files[1]); !errors.Is(err, ErrLocked) {
		t.Errorf("a lock that is held: %v", err)
	}
	files[0].Close()
	if err := TryLock(files[1]); err != nil {
		t.Errorf("a lock that was given back: %v", err)
	}
}
