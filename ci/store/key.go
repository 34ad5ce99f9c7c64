package store

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
)

// Runs and segments are two kinds of object in a store, by the folder they lie
// in; verdicts are the third.
const (
	runsFolder     = "runs/"
	segmentsFolder = "segments/"
)

const keyTime = "20060102T150405Z" // sorts as time does

// A Key says where the record of a session lies:
// runs/<machine>/<yyyy>/<mm>/<time>-<sha12>-<run>.<attempt>.json. Keys of one
// machine sort by time.
type Key struct {
	Machine string    // Slug of the runner's name
	Started time.Time // of the session, UTC, whole seconds
	Commit  string    // first 12 characters of the baseline arm's build commit, "unknown" without one
	Run     string    // the run's ID
	Attempt int       // from 1: of a run measured again under the same ID
}

// KeyOf returns the key of a run. machine "" stands for the host's name.
func KeyOf(run *record.Run, machine string, attempt int) Key {
	k := Key{
		Machine: Slug(cmp.Or(machine, run.Host.Name)),
		Started: run.Started.UTC().Truncate(time.Second),
		Commit:  "unknown",
		Run:     slug(run.ID, 80),
		Attempt: attempt,
	}
	for _, arm := range run.Arms {
		if arm.Name == run.Baseline && arm.Build.Commit != "" {
			k.Commit = strings.ReplaceAll(slug(arm.Build.Commit, 12), "-", "_")
		}
	}
	return k
}

func (k Key) String() string {
	return fmt.Sprintf("%s%s/%s/%s-%s-%s.%d.json", runsFolder, k.Machine,
		k.Started.Format("2006/01"), k.Started.Format(keyTime), k.Commit, k.Run, k.Attempt)
}

var keyForm = regexp.MustCompile(`^runs/([a-z0-9][a-z0-9._-]{0,63})/(\d{4}/\d{2})/(\d{8}T\d{6}Z)-([a-z0-9._]{1,12})-([a-z0-9][a-z0-9._-]{0,79})\.([1-9]\d{0,5})\.json$`)

// ParseKey reads a key as String writes it, and accepts no other.
func ParseKey(s string) (Key, error) {
	m := keyForm.FindStringSubmatch(s)
	if m == nil {
		return Key{}, fmt.Errorf("%q is not the key of a run record, which looks like runs/MACHINE/2026/03/20260309T211500Z-5aa1105d-RUN.1.json", short(s))
	}
	k := Key{Machine: m[1], Commit: m[4], Run: m[5]}
	k.Attempt, _ = strconv.Atoi(m[6]) // the form allows six digits
	var err error
	if k.Started, err = time.Parse(keyTime, m[3]); err != nil {
		return Key{}, fmt.Errorf("%q: %s is not a time", s, m[3])
	}
	if k.String() != s {
		return Key{}, fmt.Errorf("%q lies in the folder of another month", s)
	}
	return k, nil
}

// oldestFirst orders sessions in time, those of one second by key.
func oldestFirst(a, b Key) int {
	return cmp.Or(a.Started.Compare(b.Started), strings.Compare(a.String(), b.String()))
}

// Slug is a machine's name as it stands in keys: lower case, of letters,
// digits and ._- alone, at most 64 characters, "unnamed" when nothing is left.
func Slug(name string) string { return slug(name, 64) }

func slug(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '.', r == '_', r == '-':
			return r
		}
		return '-'
	}, s)
	s = strings.TrimLeft(s, "._-")
	return cmp.Or(s[:min(len(s), most)], "unnamed")
}

var plainKey = regexp.MustCompile(`^(runs|segments|verdicts)(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$`)

// checkKey refuses what could lead out of a store or be read as an option.
func checkKey(key string) error {
	if len(key) > 512 || !plainKey.MatchString(key) {
		return fmt.Errorf("%q is no key: want runs/..., segments/... or verdicts/... of letters, digits and ._-", short(key))
	}
	return nil
}

// short cuts what is too long for a message.
func short(s string) string { return s[:min(len(s), 160)] }
