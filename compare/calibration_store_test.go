package compare_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"go/scanner"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// A section is what one part of the gates found when it was last run in full.
// It is kept, so that the document can be written although only some were run
// anew.
type section struct {
	Name     string
	Day      string // UTC, as 2006-01-02
	With     string // Go, gonum and platform
	Code     string // hash of the code that was judged
	Findings []finding
	Tables   []table
}

func (s section) file() string {
	return filepath.Join("testdata", "calibration", strings.ReplaceAll(strings.ToLower(s.Name), " ", "-")+".json")
}

func newSection(t *testing.T, name string, findings []finding, tables []table) section {
	return section{
		Name: name, Day: time.Now().UTC().Format(time.DateOnly), Code: judgedCode(t), Findings: findings, Tables: tables,
		With: fmt.Sprintf("Go %s, gonum %s, %s/%s", strings.TrimPrefix(runtime.Version(), "go"), gonumVersion(t), runtime.GOOS, runtime.GOARCH),
	}
}

func (s section) save(t *testing.T) {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(s); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.file(), text.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// stored are the sections as they were last measured; those that never were
// are left out.
func stored(t *testing.T) (all []section) {
	for _, c := range sections {
		s := section{Name: c.name}
		text, err := os.ReadFile(s.file())
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = json.Unmarshal(text, &s)
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	return all
}

// judgedCode is a hash of the code that the gates judge: the tokens of the Go files of
// stats and compare, without comments, their tests and the version that a run sets.
func judgedCode(t *testing.T) string {
	var files []string
	for _, pattern := range []string{"*.go", "../stats/*.go"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	files = slices.DeleteFunc(files, func(f string) bool { return strings.HasSuffix(f, "_test.go") || f == source })
	slices.Sort(files)
	h := sha256.New()
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(h, "%s\n", f)
		hashTokens(h, text)
	}
	return fmt.Sprintf("%x", h.Sum(nil))[:12]
}

// hashTokens writes the tokens of a Go file, without comments and layout.
func hashTokens(w io.Writer, text []byte) {
	var s scanner.Scanner
	fset := token.NewFileSet()
	s.Init(fset.AddFile("", fset.Base(), len(text)), text, nil, 0)
	for {
		_, tok, literal := s.Scan()
		if tok == token.EOF {
			return
		}
		fmt.Fprintf(w, "%d %q\n", tok, literal)
	}
}

// A comment does not change what was calibrated, and a constant does.
func TestHashTokens(t *testing.T) {
	hash := func(text string) string {
		h := sha256.New()
		hashTokens(h, []byte(text))
		return string(h.Sum(nil))
	}
	const code = "package p\n\nvar x = 5 // five\n"
	if hash(code) != hash("// Package p.\npackage p\nvar x  =  5\n") {
		t.Error("a comment and layout change the hash")
	}
	for _, other := range []string{"package p\nvar x = 6\n", "package p\nvar y = 5\n", "package p\nvar x = \"5\"\n"} {
		if hash(code) == hash(other) {
			t.Errorf("%q has the hash of %q", other, code)
		}
	}
}

// storedFinding is a finding in a file.
type storedFinding struct {
	Gate, Name  string
	Hits, Draws int
	Limit       float64
	AtLeast     bool `json:",omitempty"`
	Nominal     bool `json:",omitempty"`
}

func (f finding) MarshalJSON() ([]byte, error) {
	return json.Marshal(storedFinding{f.gate, f.name, f.hits, f.draws, f.limit, f.atLeast, f.nominal})
}

func (f *finding) UnmarshalJSON(text []byte) error {
	var s storedFinding
	err := json.Unmarshal(text, &s)
	*f = finding{s.Gate, s.Name, s.Hits, s.Draws, s.Limit, s.AtLeast, s.Nominal}
	return err
}

// storedTable is a table in a file.
type storedTable struct {
	Title, Text string
	Head        []string
	Rows        [][]string
	Unkept      bool `json:",omitempty"`
}

func (t table) MarshalJSON() ([]byte, error) {
	return json.Marshal(storedTable{t.title, t.text, t.head, t.rows, t.unkept})
}

func (t *table) UnmarshalJSON(text []byte) error {
	var s storedTable
	err := json.Unmarshal(text, &s)
	*t = table{s.Title, s.Text, s.Head, s.Rows, s.Unkept}
	return err
}
