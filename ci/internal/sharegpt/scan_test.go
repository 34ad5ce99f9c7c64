package sharegpt

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// scanned is what the scanner found in a text, one way of reading it.
type scanned struct {
	Records []string
	Damaged Damaged
	Err     string
}

func scan(r io.Reader) scanned {
	var found scanned
	s, err := newScanner(r)
	for err == nil && s.next() {
		found.Records = append(found.Records, string(s.record))
	}
	if err == nil {
		err, found.Damaged = s.err, s.damaged
	}
	if err != nil {
		found.Err = err.Error()
	}
	return found
}

// Damage to a record costs that record; the rest is read, and the place is told.
func TestDamage(t *testing.T) {
	a, b, c := `{"id":"a","prompt":"1"}`, `{"id":"b","prompt":"2"}`, `{"id":"c","prompt":"3"}`
	const truncated = "truncated; copy or download it again"
	tests := map[string]struct {
		text    string
		records string // their ids
		damaged int
		places  string // what they say, if damaged
		err     string
	}{
		"sound":                {text: "[" + a + "," + b + "," + c + "]", records: "abc"},
		"sound lines":          {text: a + "\n" + b + "\n\n" + c + "\n", records: "abc"},
		"last line not ended":  {text: a + "\n" + b, records: "ab"},
		"windows lines":        {text: a + "\r\n" + b + "\r\n", records: "ab"},
		"indented":             {text: "[\n  {\n    \"id\": \"a\",\n    \"x\": [\n      {\n        \"from\": 1\n      }\n    ]\n  },\n  " + b + "\n]\n", records: "ab"},
		"byte order mark":      {text: "\xef\xbb\xbf[" + a + "]", records: "a"},
		"empty array":          {text: " [ ] "},
		"no commas":            {text: "[" + a + " " + b + "]", records: "ab"},
		"too many commas":      {text: "[," + a + ",," + b + ",]", records: "ab"},
		"no value":             {text: "[" + a + `,{"id":"x","prompt":},` + c + "]", records: "ac", damaged: 1, places: "record 2 (byte 25): invalid character '}' looking for beginning of value"},
		"not a value":          {text: "[" + a + `,{"id":nonsense},` + c + "]", records: "ac", damaged: 1, places: "record 2 (byte 25): unexpected 'o' at byte 7 of it"},
		"last is damaged":      {text: "[" + a + `,{"id":nonsense}]`, records: "a", damaged: 1, places: "record 2"},
		"first is damaged":     {text: `[{"id":nonsense},` + b + "]", records: "b", damaged: 1, places: "record 1 (byte 1)"},
		"quote lost":           {text: "[" + a + `,{"id":"x,"prompt":"2"},` + c + "," + a + "]", records: "aca", damaged: 1, places: "record 2 (byte 25): unexpected 'p'"},
		"quote lost at end":    {text: "[" + a + `,{"id":"x","prompt":"2},` + c + "]", records: "ac", damaged: 1, places: "record 2"},
		"quote lost, line":     {text: a + "\n" + `{"id":"x","prompt":"2}` + "\n" + c + "\n", records: "ac", damaged: 1, places: "record 2 (byte 24): line break inside a string"},
		"quote lost, last":     {text: a + "\n" + `{"id":"x","prompt":"2}` + "\n", records: "a", damaged: 1, places: "line break"},
		"bracket lost":         {text: "[" + a + `,{"id":"x","conversations":[{"from":"human"},` + c + "," + a + "]", records: "aca", damaged: 1, places: "record 2 (byte 25): the file ends inside it"},
		"bracket lost, line":   {text: a + "\n" + `{"id":"x","conversations":[{"from":"human"}` + "\n" + c + "\n", records: "ac", damaged: 1},
		"brace too many":       {text: "[" + a + `},` + c + "]", records: "ac", damaged: 1, places: "record 2 (byte 24): begins with '}', want an object"},
		"other values":         {text: "[1," + a + `,"x",null,` + c + ",[]]", records: "ac", damaged: 3, places: "record 1 (byte 1): begins with '1', want an object"},
		"bad utf-8":            {text: "[" + a + ",{\"id\":\"\xff\"}," + c + "]", records: "ac", damaged: 1, places: "record 2 (byte 25): not in UTF-8"},
		"NUL":                  {text: "[" + a + ",{\"id\":\"\x00\"}," + c + "]", records: "ac", damaged: 1, places: "invalid character '\\x00' in string literal"},
		"NUL between":          {text: a + "\n\x00\x00\x00\n" + c + "\n", records: "ac", damaged: 1, places: `record 2 (byte 24): begins with '\x00'`},
		"escaped lookalike":    {text: `[{"id":"{\"id\":1}","x":"\\\"{"},` + `{"id":"\\"},{"id":x,"prompt":"{\"id\":1}"},` + c + "]", records: `{\c`, damaged: 1},
		"nested too deep":      {text: "[" + a + `,{"id":` + strings.Repeat("[", 10001) + strings.Repeat("]", 10001) + "}," + c + "]", records: "ac", damaged: 1, places: "exceeded max depth"},
		"cut in a record":      {text: "[" + a + "," + b[:9], records: "a", err: "record 2 (byte 25): the file ends inside it: it is " + truncated},
		"cut in a string":      {text: a + "\n" + b[:12], records: "a", err: truncated},
		"cut between":          {text: "[" + a + "," + b, records: "ab", err: "ends after record 2, before its array does: it is " + truncated},
		"cut after the comma":  {text: "[" + a + ",", records: "a", err: truncated},
		"cut after damage":     {text: `[{"id":nonsense},` + b, records: "b", damaged: 1, err: truncated},
		"more after the end":   {text: "[" + a + "] " + b, records: "a", places: "byte 26: what follows the array's end is left out"},
		"empty":                {text: "", err: "is empty"},
		"blank":                {text: " \n\t\r\n", err: "is empty"},
		"prose":                {text: "Dear reader", err: `is not a dataset: it begins with 'D'; want a JSON array`},
		"a number":             {text: `17`, err: "is not a dataset"},
		"strings":              {text: `["a", 1, "b", {"id":"x"}]`, records: "11", damaged: 2, places: "record 2 (byte 6): begins with '1', want a string"},
		"string unquoted":      {text: `["a", "b" c", "d"]`, records: "111", damaged: 1, places: "record 3"},
		"lists":                {text: `[{"role":"user","content":"1"}]` + "\n" + `[{"role":x}]` + "\n" + `[{"role":"user","content":"3"}]`, records: "11", damaged: 1, places: "record 2 (byte 32)"},
		"lists in a list":      {text: `[[{"role":"user","content":"1"}],[{"role":x}],[{"role":"user","content":"3"}]]`, records: "11", damaged: 1, places: "record 2"},
		"wrapped":              {text: `{"data":[` + a + `,{"id":x},` + c + `]}`, records: "ac", damaged: 1, places: "record 2"},
		"wrapped, last bad":    {text: `{"data":[` + a + `,{"id":x} ] }` + "\n", records: "a", damaged: 1},
		"wrapped, cut":         {text: `{"data":[` + a + `,` + b, records: "ab", err: "ends after record 2, before its array does"},
		"wrapped, cut behind":  {text: `{"data":[` + a + `],"n":1`, records: "a", err: "before the object that holds them does"},
		"wrapped, cut inside":  {text: `{"data":[` + a + `,` + b[:9], records: "a", err: "record 2 (byte 33): the file ends inside it"},
		"arrays of records":    {text: "[" + a + "," + b + "]\n[" + c + "]\n", records: "abc"},
		"NaN":                  {text: `{"id":"a","x":NaN,"y":[-Infinity,Infinity],"z":"NaN"}` + "\n", records: "a"},
		"NaNo":                 {text: `{"id":"a","x":NaNN}` + "\n", damaged: 1, places: "invalid character 'N'"},
		"binary":               {text: "\x7fELF\x02", err: `it begins with '\x7f'`},
		"learned key":          {text: `[{"source":"w","prompt":"1"},{"source":x},{"source":"w","prompt":"2"}]`, records: "11", damaged: 1},
		"unknown key in lines": {text: `{"source":"w"}` + "\n" + `{"source":x}` + "\n" + `{"topic":"w"}` + "\n", records: "11", damaged: 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := scan(strings.NewReader(test.text))
			ids := ""
			for _, r := range got.Records {
				if _, id, ok := strings.Cut(r, `"id":"`); ok {
					ids += id[:1]
				} else if strings.Contains(r, `"id": "a"`) {
					ids += "a"
				} else {
					ids += "1"
				}
			}
			if ids != test.records {
				t.Errorf("records %q, want %q: %q", ids, test.records, got.Records)
			}
			if got.Damaged.Count != test.damaged || !strings.Contains(strings.Join(got.Damaged.Places, "\n"), test.places) {
				t.Errorf("%d damaged: %q, want %d: %q", got.Damaged.Count, got.Damaged.Places, test.damaged, test.places)
			}
			if test.err == "" && got.Err != "" || !strings.Contains(got.Err, test.err) {
				t.Errorf("error %q, want %q", got.Err, test.err)
			}
			if d := cmp.Diff(got, scan(iotest.OneByteReader(strings.NewReader(test.text)))); d != "" {
				t.Errorf("read by single bytes: %s", d)
			}
		})
	}
}

// filler is a stream of n times b, which need not fit in memory.
type filler struct {
	b byte
	n int
}

func (f *filler) Read(p []byte) (int, error) {
	if f.n == 0 {
		return 0, io.EOF
	}
	n := min(len(p), f.n)
	for i := range p[:n] {
		p[i] = f.b
	}
	f.n -= n
	return n, nil
}

// A record of 40 MB is passed over without being held.
func TestHugeRecord(t *testing.T) {
	a, c := `{"id":"a","prompt":"1"}`, `{"id":"c","prompt":"3"}`
	for name, huge := range map[string]struct {
		start string
		fill  byte
		end   string
	}{
		"one string":  {`{"id":"x","prompt":"`, 'x', `"}`},
		"white space": {`{"id":"x",`, ' ', `"prompt":"p"}`},
	} {
		s, err := newScanner(io.MultiReader(strings.NewReader("["+a+","+huge.start), &filler{huge.fill, maxRecord + 1<<20}, strings.NewReader(huge.end+","+c+"]")))
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for s.next() {
			ids = append(ids, string(s.record[7]))
		}
		if got := strings.Join(ids, ""); got != "ac" || s.err != nil || s.damaged.Count != 1 || !strings.Contains(s.damaged.Places[0], "longer than 16 MiB") {
			t.Errorf("%s: records %q, error %v, damaged %v", name, got, s.err, s.damaged)
		}
		if cap(s.buf) > maxRecord {
			t.Errorf("%s: held %d bytes", name, cap(s.buf))
		}
	}
}

// A record just within the bound is read.
func TestLargestRecord(t *testing.T) {
	frame := len(`{"id":"x","prompt":""}`)
	for _, size := range []int{maxRecord, maxRecord + 1} {
		text := `[{"id":"x","prompt":"` + strings.Repeat("x", size-frame) + `"}, {"id":"y"}]`
		got := scan(strings.NewReader(text))
		want := 2
		if size > maxRecord {
			want = 1
		}
		if len(got.Records) != want || got.Err != "" {
			t.Errorf("%d bytes: %d records, %v, %s", size, len(got.Records), got.Damaged, got.Err)
		}
	}
}

// Places are a few even where everything is damaged, and a file made to be read
// over and over is given up.
func TestDamageIsBounded(t *testing.T) {
	got := scan(strings.NewReader(strings.Repeat("{\"id\":x}\n", 5000)))
	if got.Damaged.Count != 5000 || len(got.Damaged.Places) != maxPlaces || got.Err != "" {
		t.Errorf("%d damaged, %d places, error %s", got.Damaged.Count, len(got.Damaged.Places), got.Err)
	}
	var nested bytes.Buffer // each record seems to reach to the end
	nested.WriteString("[")
	for i := range 1000 {
		fmt.Fprintf(&nested, `{"id":%d,"x":[`, i)
	}
	nested.WriteString(strings.Repeat(" ", 1<<20))
	s, err := newScanner(&nested)
	if err != nil {
		t.Fatal(err)
	}
	s.resync.reread = maxReread - 10<<20 // as if the most of it lay behind
	for s.next() {
	}
	if s.err == nil || !strings.Contains(s.err.Error(), "too much of the file is damaged") || s.damaged.Count < 9 || s.damaged.Count > 10 {
		t.Errorf("error %v after %d damaged records", s.err, s.damaged.Count)
	}
}

// Wherever a file is cut, it is refused; and what stands before the cut is the
// same as without it.
func TestEveryCut(t *testing.T) {
	whole := scan(strings.NewReader(shapes))
	if whole.Err != "" || len(whole.Records) != 25 {
		t.Fatal(whole)
	}
	for cut := range len(shapes) - 1 {
		got := scan(strings.NewReader(shapes[:cut]))
		if got.Err == "" || got.Damaged.Count > 0 {
			t.Errorf("cut at byte %d (%q): error %q, %d damaged", cut, shapes[max(0, cut-10):cut], got.Err, got.Damaged.Count)
		}
		if n := len(got.Records); !cmp.Equal(whole.Records[:n], got.Records) && n > 0 {
			t.Errorf("cut at byte %d: other records", cut)
		}
	}
}

// The start of the next record is found across the end of what was read too.
func TestStartAcrossReads(t *testing.T) {
	const damaged, next = `[{"id":x`, `{"id":"c","prompt":"3"}`
	for before := range len(next) {
		gap := strings.Repeat(" ", blockSize-len(damaged)-before)
		got := scan(strings.NewReader(damaged + gap + next + "," + next + "]"))
		if len(got.Records) != 2 || got.Damaged.Count != 1 || got.Err != "" {
			t.Errorf("%d bytes of it read: %d records, %v, %s", before, len(got.Records), got.Damaged, got.Err)
		}
	}
}
