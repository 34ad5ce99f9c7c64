package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// maxFaults is how many errors are listed before the rest is only counted.
const maxFaults = 20

// An Error is one fault of a configuration. Several come joined, in the order
// of their lines, so errors.As finds the first.
type Error struct {
	File   string // "" when the configuration was built in Go
	Line   int    // from 1; 0 without a file
	Column int    // from 1, in characters; 0 when not known
	Path   string // of the value: "arms[1].name"; "" when Msg names the place itself
	Msg    string
}

func (e *Error) Error() string {
	msg := e.Msg
	if e.Path != "" {
		msg = e.Path + ": " + msg
	}
	if e.File == "" {
		return "configuration: " + msg
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, msg)
}

// A fault is an Error of a file whose name does not matter yet.
type fault struct {
	path  string
	msg   string
	bare  bool // msg names the value itself
	place place
}

// in makes the fault an Error of a file. Keys and values are foreign text: what
// does not print, such as a line break or an escape, must not reach a terminal.
func (f fault) in(file string) *Error {
	e := &Error{File: file, Line: f.place.line, Column: f.place.column, Msg: printed(f.msg)}
	if !f.bare {
		e.Path = printed(short(f.path))
	}
	return e
}

// printed writes what does not print as Go would: a tab as \t.
func printed(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}

// A place is where a value stands in the file; both count from 1, 0 is unknown.
type place struct{ line, column int }

// join turns faults into one error, in the order of their places, nil when
// there are none. file is "" for a configuration built in Go.
func join(file string, faults []fault) error {
	faults = slices.Clone(faults)
	slices.SortStableFunc(faults, func(a, b fault) int {
		return cmp.Or(cmp.Compare(a.place.line, b.place.line), cmp.Compare(a.place.column, b.place.column))
	})
	var errs []error
	for i, f := range faults {
		if i == maxFaults {
			errs = append(errs, fmt.Errorf("and %d more", len(faults)-maxFaults))
			break
		}
		errs = append(errs, f.in(file))
	}
	return errors.Join(errs...)
}

// nearest returns the place of path or, when that is missing in the file, of
// what should hold it.
func nearest(places map[string]place, path string) place {
	for {
		if at, ok := places[path]; ok || path == "" {
			return at
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
}

// within says whether path is outer or lies in it.
func within(path, outer string) bool {
	rest, ok := strings.CutPrefix(path, outer)
	return ok && (rest == "" || outer == "" || rest[0] == '.' || rest[0] == '[')
}
