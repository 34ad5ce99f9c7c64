package proc

import (
	"os"
	"testing"
)

// The name of a program may look like the fields behind it, and what has ended
// between the list and the look is no process.
func TestParseStat(t *testing.T) {
	for text, want := range map[string]process{
		"42 (a) S 7 8 9 0 -1\n":          {pid: 42, parent: 7, group: 8},
		"42 (a b) S 1 2 (c) Z 7 8 9\n":   {pid: 42, parent: 7, group: 8, ended: true},
		"42 () X 0 0 0\n":                {pid: 42, ended: true},
		"":                               {},
		"42 (a) S 7":                     {},
		"nothing that has such a fields": {},
	} {
		got, ok := parseStat(42, []byte(text))
		if ok != (want.pid != 0) || ok && got != want {
			t.Errorf("%q: %+v, %t; want %+v", text, got, ok, want)
		}
	}
	if p, ok := processAt(os.Getpid()); !ok || p.parent != os.Getppid() || p.ended {
		t.Errorf("this process: %+v, %t", p, ok)
	}
}

// A long environment is read to its end.
func TestAppendFile(t *testing.T) {
	want, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	got := appendFile([]byte("x"), os.Getpid(), "status") // its last lines count switches
	if len(got) < len(want)/2 || got[0] != 'x' || string(got[1:20]) != string(want[:19]) {
		t.Errorf("got %q, want x and %q", got, want)
	}
	if got := appendFile(nil, os.Getpid(), "nothing"); got != nil {
		t.Errorf("got %q of no file", got)
	}
}
