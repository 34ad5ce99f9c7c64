package sharegpt

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-regress/llama-regress/ci/conversations"
)

// Whatever the bytes: a sound array comes out record by record as encoding/json
// has it, what comes out is sound, in any size of pieces, and every rule makes
// prompts of it that can be sent.
func FuzzScan(f *testing.F) {
	f.Add([]byte(shapes))
	f.Add(conversations.Sample())
	f.Add(many(3))
	for _, content := range layouts {
		f.Add([]byte(content.text))
	}
	f.Add([]byte("[" + strings.Repeat(`{"id":"\\\"","x":[{"from":1}]},`, 3) + `{"id":x},{"prompt":"\ud800"}]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		got := scan(bytes.NewReader(text))
		if d := cmp.Diff(got, scan(iotest.HalfReader(bytes.NewReader(text)))); d != "" {
			t.Fatalf("read in other pieces: %s", d)
		}
		if want := objects(text); want != nil && (!slices.Equal(got.Records, want) || got.Err != "" || got.Damaged.Count > 0) {
			t.Fatalf("read %q, %+v, error %q, want %q", got.Records, got.Damaged, got.Err, want)
		}
		for i, record := range got.Records {
			if !strings.Contains(`{["`, record[:1]) || !json.Valid([]byte(record)) || !utf8.ValidString(record) {
				t.Fatalf("record %q", record)
			}
			for _, rule := range Rules() {
				how, err := Selection{Rule: rule, Sample: 1}.resolve()
				if err != nil {
					t.Fatal(err)
				}
				p, unfit := how.read([]byte(record), i+1)
				if unfit == "" && (blank(p.Text) || strings.ContainsRune(p.Text, 0) || p.ID == "" || !utf8.ValidString(p.Text+p.Answer+p.ID)) {
					t.Fatalf("rule %s makes %+v of %s", rule, p, record)
				}
			}
		}
	})
}

// objects are the records of a text that is an array of objects in UTF-8, nil
// for every other text and where the objects are turns.
func objects(text []byte) []string {
	var all []json.RawMessage
	if text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")); !utf8.Valid(text) || json.Unmarshal(text, &all) != nil {
		return nil
	}
	var records []string
	for _, one := range all {
		if one[0] != '{' || formOf(members(one)) == aTurn {
			return nil
		}
		records = append(records, string(one))
	}
	return records
}

// FuzzSample reads whole files, compressed ones among them, as a user's are.
func FuzzSample(f *testing.F) {
	f.Add([]byte(shapes), uint64(1))
	f.Add(gzipped([]byte(shapes)), uint64(2))
	f.Add(zstded(f, many(9)), uint64(3))
	path := f.TempDir() + "/dataset"
	f.Fuzz(func(t *testing.T, content []byte, seed uint64) {
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		selection := Selection{Sample: 3, Seed: seed, Repeat: true}
		s, err := Sample(t.Context(), path, selection, new(words))
		again, errAgain := Sample(t.Context(), path, selection, new(words))
		if (err == nil) != (errAgain == nil) || !cmp.Equal(s, again) {
			t.Fatalf("the same file gives %+v, %v and %+v, %v", s, err, again, errAgain)
		}
		if err == nil && (len(s.Prompts) != 3 || s.SHA256 != sum(content) || s.Bytes != int64(len(content))) {
			t.Fatalf("%+v", s)
		}
	})
}
