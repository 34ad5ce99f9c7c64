package github

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"
)

// The files through which a step talks to the runner, and what it may put
// there. Untrusted values go to GITHUB_OUTPUT alone: GITHUB_ENV and
// GITHUB_PATH would carry them into the next program.

// MaxStepSummary is how much the runner takes of a step's summary, in bytes;
// of a larger one nothing is shown.
const MaxStepSummary = 1 << 20

// AppendSummary appends Markdown to the file that GITHUB_STEP_SUMMARY names.
// render is told how many bytes are left; a summary that would not fit is not
// written, since the runner would then drop what is there too.
func AppendSummary(path string, render func(room int) ([]byte, error)) error {
	used := int64(0)
	info, err := os.Stat(path)
	if err == nil {
		used = info.Size()
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	room := MaxStepSummary - int(min(used, MaxStepSummary)) - 2
	text, err := render(room)
	if err != nil {
		return err
	}
	if len(text) > room {
		return fmt.Errorf("step summary: %d bytes, only %d are left", len(text), max(room, 0))
	}
	return appendFile(path, append(text, '\n'))
}

// An Output is a value for later steps.
type Output struct{ Name, Value string }

var outputName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

// AppendOutputs appends to the file that GITHUB_OUTPUT names. Each value stands
// between delimiters that nobody can guess, so that no value ends early and
// begins another.
func AppendOutputs(path string, outputs []Output) error {
	var b strings.Builder
	for _, o := range outputs {
		delimiter := "llama_regress_" + randomText()
		if !outputName.MatchString(o.Name) {
			return fmt.Errorf("output %q: want letters, digits, _ and -", o.Name)
		}
		if !utf8.ValidString(o.Value) || strings.Contains(o.Value, delimiter) {
			return fmt.Errorf("output %s: the value is not text that can be delimited", o.Name)
		}
		fmt.Fprintf(&b, "%s<<%s\n%s\n%s\n", o.Name, delimiter, o.Value, delimiter)
	}
	return appendFile(path, []byte(b.String()))
}

// appendFile begins on a line of its own, whatever another tool left there.
func appendFile(path string, data []byte) error {
	old, err := lastByte(path)
	if err != nil {
		return err
	}
	if old != '\n' && old != 0 {
		data = append([]byte{'\n'}, data...)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// lastByte is 0 for a file that is empty or not there.
func lastByte(path string) (byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return 0, err
	}
	last := make([]byte, 1)
	_, err = f.ReadAt(last, info.Size()-1)
	if err == io.EOF {
		err = nil
	}
	return last[0], err
}

// randomText is 128 random bits as letters and digits.
func randomText() string { return rand.Text() }
