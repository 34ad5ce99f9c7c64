package bisect

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/bits"
	"os"
	"path/filepath"
	"time"

	"github.com/llama-regress/llama-regress/ci/bisect"
	"github.com/llama-regress/llama-regress/ci/build"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/compare"
)

// bisectSchema names the format of a bisection's log.
const bisectSchema = "llama-regress/bisect/v1"

// bisectFile is the log's name in the output folder.
const bisectFile = "bisect.json"

// A bisectLog is all that a bisection found out, step by step. It is written
// anew after each of them; one that was interrupted goes on from it.
type bisectLog struct {
	Schema string       `json:"schema"` // always bisectSchema
	Good   build.Commit `json:"good"`
	Bad    build.Commit `json:"bad"`
	Build  string       `json:"build"` // the command

	// Split is what tells good commits from bad ones; null until both ends are
	// measured, and where they do not differ.
	Split *compare.Split `json:"split"`
	Ends  *bisectStep    `json:"ends"`            // the bad end against the good one
	Count *countedEnds   `json:"count,omitempty"` // of the ends, where instructions are counted and nothing is timed
	Steps []bisectStep   `json:"steps"`

	First      *build.Commit  `json:"first"`                // the first bad commit; null while it is not known
	Candidates []build.Commit `json:"candidates,omitempty"` // where only skipped commits are left: all that it could be
	Effect     *bisectStep    `json:"effect"`               // of the first bad commit, against its parent
}

// A bisectStep is one commit measured in turns with another.
type bisectStep struct {
	build.Commit
	Against  string            `json:"against"` // commit of the baseline
	Mark     bisect.Mark       `json:"mark,omitempty"`
	Why      string            `json:"why,omitempty"`    // of a skip
	Change   *float64          `json:"change,omitempty"` // of the metric, commit/against - 1
	Interval *compare.Interval `json:"interval,omitempty"`
	Blocks   int               `json:"blocks,omitempty"`
	Count    float64           `json:"count,omitempty"` // instructions a token; 0 where time was measured
	Seconds  float64           `json:"seconds"`         // building included
	Run      string            `json:"run,omitempty"`   // folder of the measurement, relative to the log

	Functions []bisectFunction `json:"functions,omitempty"` // of the effect: those whose counts changed most
}

// A bisectFunction is a part of a change of counted instructions. All texts are
// foreign; the name is "" where functions of a file were renamed or inlined.
type bisectFunction struct {
	Name   string  `json:"name"`
	File   string  `json:"file,omitempty"`
	Object string  `json:"object,omitempty"`
	Share  float64 `json:"share"` // of its change in all work of the parent
}

func (l *bisectLog) write(dir string) error {
	data, err := json.MarshalIndent(l, "", " ")
	if err != nil {
		return err
	}
	return record.WriteAtomically(filepath.Join(dir, bisectFile), append(data, '\n'))
}

// readBisectLog reads the log of a folder, nil when it has none.
func readBisectLog(dir string) (*bisectLog, error) {
	path := filepath.Join(dir, bisectFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	l := new(bisectLog)
	if err := json.Unmarshal(data, l); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if l.Schema != bisectSchema {
		return nil, fmt.Errorf("%s: schema is %q, this version reads %q", path, l.Schema, bisectSchema)
	}
	return l, nil
}

// fits says why a log is not of this bisection, nil when it is.
func (l *bisectLog) fits(good, bad build.Commit, build string) error {
	switch {
	case l.Good.SHA != good.SHA || l.Bad.SHA != bad.SHA:
		return fmt.Errorf("it is of %s to %s", l.Good.Short(), l.Bad.Short())
	case l.Build != build:
		return fmt.Errorf("its build command is another: %s", cli.Printable(l.Build))
	}
	return nil
}

// spent is the time of all steps.
func (l *bisectLog) spent() time.Duration {
	seconds := 0.0
	for _, s := range l.Steps {
		seconds += s.Seconds
	}
	for _, s := range []*bisectStep{l.Ends, l.Effect} {
		if s != nil {
			seconds += s.Seconds
		}
	}
	return time.Duration(seconds * float64(time.Second)).Round(time.Second)
}

// ahead says what is left to do when so many commits may still be the first bad one:
// half of them with each step, and the measurement of the effect at the end. The
// time is that of the steps so far; those of the ends, which were built from
// nothing, say nothing about it.
func (l *bisectLog) ahead(left int) string {
	steps := bits.Len(uint(left - 1))
	text := fmt.Sprintf("step %d of about %d: %d commits left", len(l.Steps)+1, len(l.Steps)+steps, left)
	if n := len(l.Steps); n > 0 {
		seconds := 0.0
		for _, s := range l.Steps {
			seconds += s.Seconds
		}
		each := time.Duration(seconds / float64(n) * float64(time.Second))
		text += fmt.Sprintf(", about %v", (each * time.Duration(steps+1)).Round(time.Second))
	}
	return text
}
