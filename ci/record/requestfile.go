package record

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
)

// RequestFile is the name of the file beside a run record that holds a row for
// each request of its serve trials.
const RequestFile = "requests.jsonl.gz"

// A RequestLog adds to a file of requests, a trial at a time. The zero value
// with a Path is ready for use. It must not be copied after its first use, nor
// another process write the file meanwhile.
type RequestLog struct {
	Path string

	whole  int64 // bytes of complete members, once known
	opened bool
}

// Append adds a trial's requests to the file, which it creates when missing, as
// one gzip member, and syncs it. Members of a gzip file may simply follow one
// another, so what a killed process leaves behind is at worst one torn member at
// the end, which the first call cuts off. Only that call reads the file.
func (l *RequestLog) Append(rows []Request) (err error) {
	var member bytes.Buffer
	zip := gzip.NewWriter(&member)
	enc := json.NewEncoder(zip)
	for _, row := range rows {
		if err := enc.Encode(row); err != nil {
			return fmt.Errorf("%s: request %d of trial %s: %w", l.Path, row.Index, row.Trial, err)
		}
	}
	if err := zip.Close(); err != nil {
		return fmt.Errorf("%s: %w", l.Path, err)
	}
	f, err := os.OpenFile(l.Path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if !l.opened {
		if l.whole, err = wholeMembers(f, func(string) bool { return true }); err != nil {
			return fmt.Errorf("%s: %w", l.Path, err)
		}
		l.opened = true
	}
	if err := f.Truncate(l.whole); err != nil {
		return err
	}
	if _, err := f.WriteAt(member.Bytes(), l.whole); err != nil {
		return errors.Join(err, f.Truncate(l.whole)) // a full disk must not tear what was whole
	}
	if err := f.Sync(); err != nil {
		return err
	}
	l.whole += int64(member.Len())
	return nil
}

// AppendRequests adds rows to the file at path once; see RequestLog.
func AppendRequests(path string, rows []Request) error {
	return (&RequestLog{Path: path}).Append(rows)
}

// CutRequests cuts from the end of the file at path what is torn, and the
// requests of trials that are not to be kept: a process that was killed after
// it had written them, and before the trial counted, leaves such behind. The
// trial is measured again and its requests would be there twice. A missing file
// is left alone.
func CutRequests(path string, keep func(trial string) bool) (err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	whole, err := wholeMembers(f, keep)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := f.Truncate(whole); err != nil {
		return err
	}
	return f.Sync()
}

// wholeMembers returns how many bytes at the beginning of f are complete gzip
// members, up to the last one whose trial is to be kept.
func wholeMembers(f *os.File, keep func(trial string) bool) (int64, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	in := &countingReader{r: bufio.NewReader(f)}
	var whole int64
	var zip gzip.Reader
	for first := true; ; first = false {
		switch err := zip.Reset(in); {
		case err == io.EOF:
			return whole, nil
		case err != nil:
			if first && !errors.Is(err, io.ErrUnexpectedEOF) {
				return 0, fmt.Errorf("not a file of requests: %w; move it away", err)
			}
			return whole, nil
		}
		zip.Multistream(false)
		rows := bufio.NewReaderSize(&zip, maxRequestRow)
		line, _ := rows.ReadSlice('\n') // all rows of a member are of one trial
		var row struct{ Trial string }
		fault := json.Unmarshal(line, &row)
		if _, err := io.Copy(io.Discard, rows); err != nil {
			return whole, nil
		}
		if fault != nil || keep(row.Trial) { // of what is not understood nothing is thrown away
			whole = in.n
		}
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
