package runner

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/llama-regress/llama-regress/ci/internal/proc"
	"github.com/llama-regress/llama-regress/ci/record"
)

// maxJournalLine bounds a line: a header of 1 000 cells takes under 1 MiB, a
// trial some kilobytes.
const maxJournalLine = 64 << 20

// A past is what a journal tells.
type past struct {
	run     *record.Run // of the header, with the trials so far
	notes   []string    // of earlier resumptions
	size    int64       // of its whole lines, bytes
	torn    string      // what follows them: "" or a sentence about the last line, cut short by a crash
	trialAt []int       // line of each trial
	tally   record.Tally
}

// Recover reads the journal in dir as a run record, as far as it got: what a
// killed run left behind. Its Interrupted is "killed". The journal is not
// changed; to go on with it, use Run with Resume.
func Recover(dir string) (*record.Run, error) {
	lock, err := os.Open(filepath.Join(dir, lockFile))
	if err == nil {
		defer lock.Close()
		if errors.Is(proc.TryLock(lock), proc.ErrLocked) {
			return nil, fmt.Errorf("the run in %s is still under way (%s): wait for it to end", dir, holder(lock))
		}
	}
	past, err := readJournal(filepath.Join(dir, JournalFile))
	if err != nil {
		return nil, err
	}
	run := past.run
	run.DropUnmeasured()
	run.Finished = finished(run)
	run.Notes = append(run.Notes, past.notes...)
	run.Interrupted = "killed"
	return run, nil
}

// readJournal reads a journal. A last line that is torn is left out, as a
// crash may leave one; any other fault is an error with its line.
func readJournal(path string) (*past, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := bufio.NewReader(f)
	line, err := readLine(r)
	if err != nil {
		return nil, fmt.Errorf("%s:1: no header: %w; it holds no trial: remove it", path, err)
	}
	p := &past{size: int64(len(line))}
	if p.run, err = readHeader(line); err != nil {
		return nil, fmt.Errorf("%s:1: %w", path, err)
	}
	seen := make(map[string]bool)
	for number := 2; ; number++ {
		line, err := readLine(r)
		if err == io.EOF {
			return p, nil
		}
		var e entry
		if err == nil {
			err = json.Unmarshal(line, &e)
		}
		if err != nil {
			if _, more := r.ReadByte(); more == io.EOF && !errors.Is(err, errLongLine) {
				p.torn = fmt.Sprintf("%s:%d: the last line was torn by a crash and is left out: %q", path, number, line[:min(len(line), 80)])
				return p, nil
			}
			return nil, fmt.Errorf("%s:%d: corrupt: %w; start over in another folder", path, number, err)
		}
		if err := p.add(e, number, seen); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, number, err)
		}
		p.size += int64(len(line))
	}
}

var errLongLine = fmt.Errorf("longer than %d MiB", maxJournalLine>>20)

// readLine returns the next line with its newline. At the end of the file it
// returns io.EOF, or io.ErrUnexpectedEOF with what there is of a last line
// that has no newline.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			return line, nil
		case len(line) > maxJournalLine:
			return line, errLongLine
		case err == io.EOF && len(line) > 0:
			return line, io.ErrUnexpectedEOF
		case err != bufio.ErrBufferFull:
			return nil, err
		}
	}
}

func readHeader(line []byte) (*record.Run, error) {
	var h header
	if err := json.Unmarshal(line, &h); err != nil {
		var schema struct{ Schema string }
		if json.Unmarshal(line, &schema) != nil || schema.Schema == journalSchema {
			return nil, fmt.Errorf("not a journal: %w", err)
		}
		h.Schema = schema.Schema
	}
	if h.Schema != journalSchema {
		return nil, fmt.Errorf("schema is %q, this version reads %q: use the llama-regress that wrote it", h.Schema, journalSchema)
	}
	if h.Run == nil {
		return nil, errors.New("the header has no run")
	}
	if err := h.Run.Validate(); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	return h.Run, nil
}

// add takes in one line after the header.
func (p *past) add(e entry, line int, seen map[string]bool) error {
	switch {
	case e.Trial != nil && e.Resumed == nil && e.Interims == nil:
		if seen[e.Trial.ID] {
			return fmt.Errorf("trial %s is there twice", e.Trial.ID)
		}
		seen[e.Trial.ID] = true
		p.run.Discover(e.Trial)
		if err := checkTrial(p.run, *e.Trial); err != nil {
			return err
		}
		if err := p.tally.Add(e.Trial.Arm, e.Trial.Cell); err != nil {
			return fmt.Errorf("trial %s: %w", e.Trial.ID, err)
		}
		fillFromEcho(p.run, *e.Trial)
		p.run.Trials = append(p.run.Trials, *e.Trial)
		p.trialAt = append(p.trialAt, line)
	case e.Interims != nil && e.Trial == nil && e.Resumed == nil:
		one := record.Run{Schema: p.run.Schema, Baseline: p.run.Baseline, Arms: p.run.Arms, Cells: p.run.Cells, Interims: e.Interims}
		if err := one.Validate(); err != nil {
			return err
		}
		p.run.Interims = append(p.run.Interims, e.Interims...)
	case e.Resumed != nil && e.Trial == nil && e.Interims == nil:
		p.notes = append(p.notes, e.Resumed.Notes...)
	default:
		return errors.New("corrupt: want a trial, interim analyses or a resumption")
	}
	return nil
}
