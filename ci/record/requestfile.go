package record

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
)

// RequestFile is the name of the file beside a run record that holds a row for
// each request of its serve trials.
const RequestFile = "requests.jsonl.gz"

// AppendRequests adds a trial's requests to the file at path, which it creates
// when missing, as one gzip member, and syncs it. Members of a gzip file may
// simply follow one another, so what a killed process leaves behind is at
// worst one torn member at the end, which the next call cuts off.
func AppendRequests(path string, rows []Request) (err error) {
	var member bytes.Buffer
	zip := gzip.NewWriter(&member)
	enc := json.NewEncoder(zip)
	for _, row := range rows {
		if err := enc.Encode(row); err != nil {
			return fmt.Errorf("%s: request %d of trial %s: %w", path, row.Index, row.Trial, err)
		}
	}
	if err := zip.Close(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	whole, err := wholeMembers(f)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := f.Truncate(whole); err != nil {
		return err
	}
	if _, err := f.WriteAt(member.Bytes(), whole); err != nil {
		return errors.Join(err, f.Truncate(whole)) // a full disk must not tear what was whole
	}
	return f.Sync()
}

// wholeMembers returns how many bytes at the beginning of f are complete gzip
// members.
func wholeMembers(f *os.File) (int64, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	in := &countingReader{r: bufio.NewReader(f)}
	var whole int64
	var zip gzip.Reader
	for {
		switch err := zip.Reset(in); {
		case err == io.EOF:
			return whole, nil
		case err != nil:
			if whole == 0 && !errors.Is(err, io.ErrUnexpectedEOF) {
				return 0, fmt.Errorf("not a file of requests: %w; move it away", err)
			}
			return whole, nil
		}
		zip.Multistream(false)
		if _, err := io.Copy(io.Discard, &zip); err != nil {
			return whole, nil
		}
		whole = in.n
	}
}

// A countingReader knows how much was taken from it. It is an io.ByteReader,
// so that gzip takes no more than it needs.
type countingReader struct {
	r *bufio.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func (c *countingReader) ReadByte() (byte, error) {
	b, err := c.r.ReadByte()
	if err == nil {
		c.n++
	}
	return b, err
}

// maxRequestRow bounds one line of a file of requests, bytes.
const maxRequestRow = 64 << 10

// ReadRequests reads the rows of the file at path, in order, one at a time. An
// error ends the sequence; a torn end does so too, after every row before it.
func ReadRequests(path string) iter.Seq2[Request, error] {
	return func(yield func(Request, error) bool) {
		f, err := os.Open(path)
		if err != nil {
			yield(Request{}, err)
			return
		}
		defer f.Close()
		zip, err := gzip.NewReader(bufio.NewReader(f))
		if err != nil {
			yield(Request{}, fmt.Errorf("%s: not a file of requests: %w", path, err))
			return
		}
		lines := bufio.NewScanner(zip)
		lines.Buffer(nil, maxRequestRow)
		n := 0
		for lines.Scan() {
			n++
			var row Request
			if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
				yield(Request{}, fmt.Errorf("%s: line %d: %w", path, n, err))
				return
			}
			if !yield(row, nil) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(Request{}, fmt.Errorf("%s: after line %d: %w", path, n, err))
		}
	}
}
