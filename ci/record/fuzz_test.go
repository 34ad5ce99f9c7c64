package record_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

// FuzzRead: what can be read can be written, and reading that again gives the
// same record.
func FuzzRead(f *testing.F) {
	whole := readGolden(f)
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	var tight bytes.Buffer
	if err := json.Compact(&tight, whole); err != nil {
		f.Fatal(err)
	}
	f.Add(tight.Bytes())
	f.Add(bytes.ReplaceAll(whole, []byte(`"order"`), []byte(`"later": [1e400, "\ud800"], "order"`)))
	f.Add([]byte(`{"schema":"llama-regress/run/v1","baseline":"a","arms":[{"name":"a"},{"name":"a~control","control_of":"a"}],"new":null}`))
	f.Add([]byte(`{"schema":"llama-regress/run/v1","Schema":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		run, err := record.Read(bytes.NewReader(data), "run.json")
		if err != nil {
			if !strings.HasPrefix(err.Error(), "run.json:") {
				t.Errorf("error does not name the file: %v", err)
			}
			return
		}
		once, err := json.Marshal(run)
		if err != nil {
			t.Fatalf("read, but cannot be written: %v", err)
		}
		again, err := record.Read(bytes.NewReader(once), "again.json")
		if err != nil {
			t.Fatalf("written, but cannot be read: %v\n%s", err, once)
		}
		if twice, err := json.Marshal(again); err != nil || !bytes.Equal(once, twice) {
			t.Errorf("%v\nonce  %s\ntwice %s", err, once, twice)
		}
	})
}

// FuzzParseTest: a test that can be parsed is one, and its own name means it.
func FuzzParseTest(f *testing.F) {
	for _, name := range []string{"pp512", "tg128", "pp512+tg128", "tg128@d4096", "pp512 @ d4096", "pp0", "+tg1", "pp512tg128", "tg99999999", "@d1", "PP512"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		test, err := record.ParseTest(name)
		if err != nil {
			if test != (record.Test{}) {
				t.Errorf("%q: %+v beside the error %v", name, test, err)
			}
			return
		}
		if test.Prompt < 0 || test.Gen < 0 || test.Depth < 0 || test.Tokens() == 0 {
			t.Errorf("%q: %+v is no test", name, test)
		}
		if again, err := record.ParseTest(test.Name()); err != nil || again != test {
			t.Errorf("%q: its name %q means %+v, %v", name, test.Name(), again, err)
		}
		if strings.ReplaceAll(name, " ", "") != test.Name() {
			t.Errorf("%q was read as %q", name, test.Name())
		}
	})
}
