package github

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// A Marker is the hidden line that begins a comment of ours. It says whose the
// comment is and which run wrote it, so that a late finisher does not replace
// what a newer run found.
type Marker struct {
	Key     string // which configuration's comment this is: [a-z0-9_.]+
	Run     int64  // id of the workflow run that measured; grows with every run
	Attempt int    // of that run, from 1
	SHA     string // head commit that was measured, 40 hexadecimal digits
}

// keyPattern has no hyphen: two of them would end the hidden comment.
var (
	keyPattern    = regexp.MustCompile(`^[a-z0-9_.]{1,64}$`)
	markerPattern = regexp.MustCompile(`^<!-- llama-regress:v1:key=([a-z0-9_.]{1,64}) run=([0-9]{1,18}) attempt=([0-9]{1,9}) sha=([0-9a-f]{40}) -->(?:\r?\n|$)`)
)

func (m Marker) String() string {
	return fmt.Sprintf("<!-- llama-regress:v1:key=%s run=%d attempt=%d sha=%s -->", m.Key, m.Run, m.Attempt, m.SHA)
}

func (m Marker) check() error {
	switch {
	case !keyPattern.MatchString(m.Key):
		return fmt.Errorf("comment key %q: want at most 64 letters a-z, digits, dots and underscores", m.Key)
	case m.Run <= 0 || m.Attempt <= 0:
		return fmt.Errorf("run %d attempt %d: want the workflow run's own numbers, as GITHUB_RUN_ID and GITHUB_RUN_ATTEMPT give them", m.Run, m.Attempt)
	case !shaPattern.MatchString(m.SHA):
		return fmt.Errorf("head commit %q: want 40 hexadecimal digits", m.SHA)
	}
	return nil
}

// ParseMarker reads the marker that text begins with. One further down, such as
// in a quotation, is not a marker.
func ParseMarker(text string) (m Marker, ok bool) {
	found := markerPattern.FindStringSubmatch(strings.TrimPrefix(text, "\ufeff"))
	if found == nil {
		return Marker{}, false
	}
	run, _ := strconv.ParseInt(found[2], 10, 64) // 18 digits fit
	attempt, _ := strconv.Atoi(found[3])
	return Marker{Key: found[1], Run: run, Attempt: attempt, SHA: found[4]}, true
}

// newer reports whether m was written by a later run than other, or by a later
// attempt of the same one.
func (m Marker) newer(other Marker) bool {
	if m.Run != other.Run {
		return m.Run > other.Run
	}
	return m.Attempt > other.Attempt
}
