package runner

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
)

// journalSchema names the format of journal.jsonl: a header, then one entry a
// line.
const journalSchema = "llama-regress/journal/v1"

// A header is the first line: the run record as far as it is known before the
// first trial, so that a journal alone is enough to tell what was measured.
type header struct {
	Schema string      `json:"schema"`
	Run    *record.Run `json:"run"`
}

// An entry is each further line: exactly one of its fields is set.
type entry struct {
	Trial    *record.Trial    `json:"trial,omitempty"`
	Interims []record.Interim `json:"looks,omitempty"` // made together
	Resumed  *resumption      `json:"resumed,omitempty"`
}

// A resumption is where one process stopped and another went on.
type resumption struct {
	At    time.Time `json:"at"`
	Notes []string  `json:"notes"` // what a reader of the results should know about it
}

// A journal is appended to by one process at a time: the holder of the folder's lock.
type journal struct {
	file *os.File
	size int64 // of the whole lines; what lies beyond was never confirmed
}

// createJournal starts the journal of run. It appears with its header or not at all.
func createJournal(path string, run *record.Run) (*journal, error) {
	line, err := json.Marshal(header{journalSchema, run})
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", path, err)
	}
	line = append(line, '\n')
	if err := record.WriteAtomically(path, line); err != nil {
		return nil, err
	}
	syncFolder(filepath.Dir(path))
	return openJournal(path, int64(len(line)))
}

// openJournal opens a journal whose whole lines are size bytes long and cuts
// away what follows them.
func openJournal(path string, size int64) (*journal, error) {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	j := &journal{f, size}
	if err := f.Truncate(size); err != nil {
		f.Close()
		return nil, fmt.Errorf("cut the torn last line of %s: %w", path, err)
	}
	return j, nil
}

// append adds one line with a single write and waits until the disk has it.
// When that fails the journal is cut back to what it held before, so that it
// stays readable.
func (j *journal) append(e entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("write %s: %w", j.file.Name(), err)
	}
	line = append(line, '\n')
	if _, err = j.file.WriteAt(line, j.size); err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		j.file.Truncate(j.size) // reading the journal cuts the torn line too, should this fail
		return fmt.Errorf("write journal: %w; make room, then resume: what it held is kept", err)
	}
	j.size += int64(len(line))
	return nil
}

func (j *journal) close() error { return j.file.Close() }

// syncFolder makes a rename in the folder durable. Not every system can; where
// it cannot, the file's own sync is all there is.
func syncFolder(dir string) {
	if f, err := os.Open(dir); err == nil {
		f.Sync()
		f.Close()
	}
}
