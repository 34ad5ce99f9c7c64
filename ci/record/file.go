package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// maxRecordBytes bounds what ReadFile takes in: some thirty times a session of
// 1 000 cells, 20 blocks and 2 arms.
const maxRecordBytes = 1 << 30

// Read decodes and checks one run record. name is used in messages.
func Read(r io.Reader, name string) (*Run, error) {
	return read(r, name, maxRecordBytes, mostText)
}

// ReadForeign is Read for a record of at most so many bytes that a stranger may
// have made: its texts are short.
func ReadForeign(r io.Reader, name string, bytes int64) (*Run, error) {
	return read(r, name, bytes, foreignText)
}

func read(r io.Reader, name string, bytes int64, text int) (*Run, error) {
	data, err := readBounded(r, name, bytes, text)
	if err != nil {
		return nil, err
	}
	var head struct{ Schema string }
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, misfit(name, data, err)
	}
	if head.Schema != Schema {
		return nil, fmt.Errorf("%s: schema is %q, this version reads %q", name, head.Schema, Schema)
	}
	run := new(Run)
	if err := json.Unmarshal(data, run); err != nil {
		return nil, misfit(name, data, err)
	}
	if err := run.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return run, nil
}

// readBounded reads all of r, which must be at most limit bytes and within the
// bounds of a record: what is not ends the reading where it stands.
func readBounded(r io.Reader, name string, limit int64, text int) ([]byte, error) {
	var data bytes.Buffer
	bounds := fence{most: text}
	_, err := io.Copy(io.MultiWriter(&bounds, &data), io.LimitReader(r, limit+1))
	switch {
	case bounds.beyond != nil:
		return nil, fmt.Errorf("%s:%w", name, bounds.beyond)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	case int64(data.Len()) > limit:
		return nil, fmt.Errorf("%s: larger than %d MiB, which no run record is", name, limit>>20)
	}
	return data.Bytes(), nil
}

// ReadFile reads the run record at path.
func ReadFile(path string) (*Run, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Read(f, path)
}

// WriteFile writes the record to a temporary name beside path and renames it:
// a reader finds the old record or the new one, never half of one.
func WriteFile(path string, run *Run) error {
	if err := run.Validate(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	data, err := json.MarshalIndent(run, "", " ")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return WriteAtomically(path, append(data, '\n'))
}

// WriteAtomically replaces the file at path by data, or leaves it as it was.
func WriteAtomically(path string, data []byte) error {
	err := ReplaceFile(path, func(f *os.File) error {
		_, err := f.Write(data)
		return err
	})
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// ReplaceFile replaces the file at path by what write writes, once that is whole
// and on the disk, or leaves it as it was. All may read the file. A process that
// is killed meanwhile leaves a hidden file, .NAME.*, in the folder.
func ReplaceFile(path string, write func(*os.File) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails once renamed, which is what we want
	if err := errors.Join(f.Chmod(0o644), fill(f, write)); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// fill has write write to a file, waits until the disk has it, and closes the file.
func fill(f *os.File, write func(*os.File) error) error {
	return errors.Join(write(f), f.Sync(), f.Close())
}
