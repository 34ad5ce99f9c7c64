// Package sched puts the operating system's scheduler, and the placement, that a
// trial asks for in force, proves that they stayed so until it ended, and leaves
// the machine as it found it.
//
// A scheduler is the kernel's own ("default") or one of sched_ext: a program that
// loads its rules into the kernel and keeps them there while it lives. The kernel
// may throw such a scheduler out at any time, and then all tasks go on under its
// own; neither the benchmark nor the scheduler's exit status tells. So state,
// name and count of loads in /sys/kernel/sched_ext are read before, during and
// after each trial.
package sched

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/llama-regress/llama-regress/ci/record"
)

// Default is the kernel's own scheduler: no sched_ext scheduler is loaded.
const Default = "default"

// A spec is a sched_ext scheduler that is to be loaded.
type spec struct {
	program string // name, or path when it has a slash
	args    []string
	known   Scheduler // zero when the catalogue does not have it
}

// parse reads "scx_rusty", "scx_layered --run-example" or
// "/opt/scx/scx_mine --slice 5": a program and its arguments, separated by
// blanks. A program of the catalogue without arguments gets its default ones.
func parse(text string) (spec, error) {
	fields := strings.Fields(text)
	if len(fields) == 0 || strings.HasPrefix(fields[0], "-") {
		return spec{}, fmt.Errorf("%q: want %s, the name of a sched_ext scheduler such as scx_rusty, or a program's path; arguments may follow", text, Default)
	}
	s := spec{program: fields[0], args: fields[1:]}
	s.known, _ = ByName(filepath.Base(s.program))
	bare := !strings.Contains(s.program, "/")
	if bare && !strings.HasPrefix(s.program, "scx_") {
		hint := ""
		if _, ok := ByName("scx_" + s.program); ok {
			hint = fmt.Sprintf("; did you mean scx_%s?", s.program)
		}
		return spec{}, fmt.Errorf("%q: want %s, a name that begins with scx_, or a path%s", s.program, Default, hint)
	}
	if len(s.args) == 0 {
		s.args = s.known.Args
	}
	return s, nil
}

// CheckScheduler says what is wrong with the name of a scheduler as a
// configuration writes it, nil when nothing is. That it can be loaded here is
// for Manager.Check to say.
func CheckScheduler(text string) error {
	if text == Default {
		return nil
	}
	_, err := parse(text)
	return err
}

// CheckParam says what is wrong with the value of a parameter of the operating
// system, as a configuration writes it; nil for one that is not known here.
func CheckParam(name, value string) error {
	if name == record.SchedulerParam {
		return CheckScheduler(value)
	}
	_, err := NewPlacement(map[string]string{name: value})
	if err != nil {
		return errors.Unwrap(err)
	}
	return nil
}

// ops is what the kernel will call the scheduler, up to a version, "" when
// nobody can know: programs of sched_ext drop their prefix, scx_.
func (s spec) ops() string {
	name, ok := strings.CutPrefix(filepath.Base(s.program), "scx_")
	if !ok {
		return ""
	}
	return name
}

// is says whether the kernel's name for a scheduler, such as
// "lavd_1.0.14_x86_64_unknown_linux_gnu", is that of s.
func (s spec) is(ops string) bool {
	want := s.ops()
	rest, ok := strings.CutPrefix(ops, want)
	return ok && ops != "" && (want == "" || rest == "" || !letterOrDigit(rune(rest[0])))
}

func letterOrDigit(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

func (s spec) String() string { return strings.Join(append([]string{s.program}, s.args...), " ") }
