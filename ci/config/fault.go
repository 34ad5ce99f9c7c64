package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
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
	return fmt.Sprintf("%s:%d: %s", e.File, max(e.Line, 1), msg)
}

// A fault is an Error that does not yet know its place.
type fault struct {
	path string
	msg  string
	bare bool // msg names the place itself
}

// A place is where a value stands in the file; both count from 1.
type place struct{ line, column int }

// placed turns faults into one error, nil when there are none. places knows
// where the values are; the place of a value that is missing is that of what
// should hold it.
func placed(file string, places map[string]place, faults []fault) error {
	var all []*Error
	for _, f := range faults {
		at := places[nearest(places, f.path)]
		e := &Error{File: file, Line: at.line, Column: at.column, Path: f.path, Msg: f.msg}
		if f.bare {
			e.Path = ""
		}
		all = append(all, e)
	}
	slices.SortStableFunc(all, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	var errs []error
	for i, e := range all {
		if i == maxFaults {
			errs = append(errs, fmt.Errorf("and %d more", len(all)-maxFaults))
			break
		}
		errs = append(errs, e)
	}
	return errors.Join(errs...)
}

// nearest returns the longest beginning of path that has a place, "" if none.
func nearest(places map[string]place, path string) string {
	for path != "" {
		if _, ok := places[path]; ok {
			return path
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return ""
}

// within says whether path is outer or lies in it.
func within(path, outer string) bool {
	rest, ok := strings.CutPrefix(path, outer)
	return ok && (rest == "" || outer == "" || rest[0] == '.' || rest[0] == '[')
}
