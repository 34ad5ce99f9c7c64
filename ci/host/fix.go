package host

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A Fixed is what Fix changed, so that it can be undone.
type Fixed struct {
	root string    // "/"; another folder in tests
	Old  []Setting // what was there before, in the order of the changes
}

// Fix writes the settings of the findings and reads each back. What it cannot
// change, mostly for lack of rights, is told in the error and left as it is; the
// rest holds. Nothing is written twice, and nothing that has its value already.
func Fix(findings []Finding) (*Fixed, error) { return fixIn("/", findings) }

func fixIn(root string, findings []Finding) (*Fixed, error) {
	done := &Fixed{root: root}
	var faults []error
	for _, f := range findings {
		for _, s := range f.Settings {
			old, err := setting(root, s)
			if err != nil {
				faults = append(faults, fmt.Errorf("%s: %w", f.Check, err))
			} else if old != s.Value {
				done.Old = append(done.Old, Setting{s.Path, old})
			}
		}
	}
	return done, errors.Join(faults...)
}

// setting makes sure that a kernel file has a value and returns the one before.
func setting(root string, s Setting) (old string, err error) {
	path := filepath.Join(root, s.Path)
	if old, err = current(path); err != nil || old == s.Value {
		return old, err
	}
	if err := write(path, s.Value); err != nil {
		return old, err
	}
	switch now, err := current(path); {
	case err != nil:
		return old, err
	case now != s.Value:
		return old, fmt.Errorf("%s took %q and says %q", s.Path, s.Value, oneLine(now, 40))
	}
	return old, nil
}

// current reads a kernel file; of a list of choices the one in brackets.
func current(path string) (string, error) {
	data, err := os.ReadFile(path)
	text := strings.TrimSpace(string(data))
	if word := chosen(text); word != "" {
		text = word
	}
	return text, err
}

// write creates nothing: what is no kernel file is not to become one.
func write(path, value string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value + "\n")
	return errors.Join(err, f.Close())
}

// Undo puts back what Fix changed, the last change first.
func (f *Fixed) Undo() error {
	var faults []error
	for _, s := range slices.Backward(f.Old) {
		if _, err := setting(f.root, s); err != nil {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

// UndoCommands are the shell commands that do what Undo does.
func (f *Fixed) UndoCommands() []string {
	var lines []string
	for _, s := range slices.Backward(f.Old) {
		lines = append(lines, fmt.Sprintf("echo '%s' | sudo tee %s", strings.ReplaceAll(oneLine(s.Value, 80), "'", "?"), s.Path))
	}
	return lines
}
