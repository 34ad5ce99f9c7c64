package record_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/fixtures/effort"
)

// crowd is a record of one cell and one metric, with a trial of each arm in so
// many blocks: 400 bytes a block.
func crowd(blocks int) io.Reader {
	head := `{"schema":"llama-regress/run/v1","id":"x","baseline":"base","arms":[{"name":"base"},{"name":"head"}],` +
		`"cells":[{"key":"bench/m","workload":"bench","model":"m","metrics":[{"name":"tg8","kind":"throughput","unit":"tok/s","better":"higher"}]}],"trials":[`
	parts := []io.Reader{strings.NewReader(head)}
	for b := range blocks {
		for i, arm := range []string{"base", "head"} {
			comma := ","
			if b == blocks-1 && i == 1 {
				comma = "]}"
			}
			parts = append(parts, strings.NewReader(fmt.Sprintf(`{"id":"b%d.%s","arm":%q,"cell":"bench/m","block":%d,"order":%d,"start":"2026-01-02T03:04:05Z","seconds":1,"outcome":"ok",`+
				`"measurements":[{"metric":"tg8","values":[%d]}]}%s`, b, arm, arm, b, 2*b+i, 50+b%7, comma)))
		}
	}
	return io.MultiReader(parts...)
}

// with is the example, one part of its text replaced.
func with(t *testing.T, old, new string) io.Reader {
	t.Helper()
	data, err := json.Marshal(example())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(data, []byte(old)) {
		t.Fatalf("the example has no %s", old)
	}
	return bytes.NewReader(bytes.Replace(data, []byte(old), []byte(new), 1))
}

func metrics(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"name":"x%d","kind":"throughput","unit":"tok/s","better":"higher"},`, i)
	}
	return b.String()
}

func list(n int, element string) string { return strings.Repeat(element+",", n) }

// Records that are beyond every session are refused with their place, and
// before memory is spent on them.
func TestRecordsBeyondEverySession(t *testing.T) {
	for name, c := range map[string]struct {
		record io.Reader
		want   string
	}{
		"blocks of a cell":       {crowd(effort.Size(60_000, 6_000)), `^run\.json:1: trials\[5000\]: more than 2500 trials of arm "base" in cell "bench/m"`},
		"names spelt in escapes": {with(t, `"trials":[`, `"tri\u0061ls":[`+list(2501, `{"\u0061rm":"he\u0061d","Cell":"c"},{"arm":"base","cell":"c"}`)), `trials\[5000\]: more than 2500 trials of arm "head"`},
		"trials":                 {with(t, `"trials":[`, `"trials":[`+list(effort.Size(200_000, 6_000), `{}`)), `trials\[2500\]: more than 2500 trials`},
		"metrics of a cell":      {with(t, `"metrics":[`, `"metrics":[`+metrics(1_000)), `cells\[0\].*: 1002 metrics, at most 1000`},
		"more metrics":           {with(t, `"metrics":[`, `"metrics":[`+metrics(effort.Size(200_000, 20_001))), `cells\[0\]: more than 20000 of one list`},
		"arms":                   {with(t, `"arms":[`, `"arms":[`+list(100, `{"name":"x"}`)), `arms\[100\]: more than 100 of one list`},
		"cells":                  {with(t, `"cells":[`, `"cells":[`+list(20_000, `{"key":"x"}`)), `cells\[20000\]: more than 20000 of one list`},
		"parameters":             {with(t, `"params":{`, `"params":{`+params(300)), `parameters or`},
		"notes":                  {with(t, `"notes":[`, `"notes":[`+list(20_000, `"x"`)), `notes\[20000\]: more than`},
		"values":                 {with(t, `"values":[`, `"values":[`+list(20_000, `1`)), `trials\[0\]: more than 20000 of one list`},
		"depth":                  {with(t, `"schema"`, `"x":`+strings.Repeat("[", 40)+strings.Repeat("]", 40)+`,"schema"`), `run\.json:1: x\[0\]: nested deeper than 32`},
		"a long text":            {with(t, `"id"`, `"x":"`+strings.Repeat("y", 5<<20)+`","id"`), `a text of more than 4194304 bytes`},
		"a long number":          {with(t, `"id"`, `"x":0.`+strings.Repeat("1", 4000)+`,"id"`), `a number of more than 400 characters`},
		"an infinite number":     {with(t, `"id"`, `"x":1e999,"id"`), `the number 1e999 is not finite`},
		"a large number":         {with(t, `"seconds":`, `"seconds":1e151,"seconds":`), `the number 1e151 is not finite, or beyond 1e\+60`},
		"a very large number":    {with(t, `"seconds":`, `"seconds":1`+strings.Repeat("0", 160)+`,"seconds":`), `beyond 1e\+60`},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			run, err := record.Read(c.record, "run.json")
			runtime.ReadMemStats(&after)
			if err == nil || !regexp.MustCompile(c.want).MatchString(err.Error()) || len(err.Error()) > 400 {
				t.Fatalf("read %v, error %.400v; want %s", run != nil, err, c.want)
			}
			if spent := after.TotalAlloc - before.TotalAlloc; spent > 64<<20 { // in all, so at no time more
				t.Errorf("%d MiB were allocated, want at most 64", spent>>20)
			}
		})
	}
}

func params(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"x%d":"1",`, i)
	}
	return b.String()
}

// What a session may have is read.
func TestRecordsAtTheirBounds(t *testing.T) {
	run, err := record.Read(crowd(2_500), "run.json")
	if err != nil || len(run.Trials) != 5_000 {
		t.Fatalf("2 500 blocks: %v", err)
	}
	for name, r := range map[string]io.Reader{
		"metrics": with(t, `"metrics":[`, `"metrics":[`+metrics(990)),
		"numbers": with(t, `"id"`, `"x":[1e60,-1e60,5e-324,123456789012345678901234567890,-0.0,1E+9],"id"`),
		"a text":  with(t, `"id"`, `"x":"`+strings.Repeat(`\"`, 1<<20)+`","id"`),
	} {
		if _, err := record.Read(r, "run.json"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Numbers that statistics cannot take are refused with the trial and the metric.
func TestNumbersOfMeasurements(t *testing.T) {
	served := func(value string) io.Reader {
		return strings.NewReader(`{"schema":"llama-regress/run/v1","id":"x","baseline":"base","arms":[{"name":"base"}],` +
			`"cells":[{"key":"serve/m","workload":"serve","model":"m","metrics":[{"name":"success_rate","kind":"success_rate","unit":"1","better":"higher"},{"name":"e2e_p50","kind":"e2e_p50","unit":"s","better":"lower"}]}],` +
			`"trials":[{"id":"t","arm":"base","cell":"serve/m","seconds":1,"outcome":"ok","measurements":[` + value + `]}]}`)
	}
	for value, want := range map[string]string{
		`{"metric":"success_rate","values":[1e151]}`:                                               `the number 1e151`,
		`{"metric":"success_rate","values":[2]}`:                                                   `run.json: trials[0] t: metric success_rate: value 2, want a share`,
		`{"metric":"success_rate","values":[-1],"count":{"succeeded":0,"total":12}}`:               `metric success_rate: value -1, want a share`,
		`{"metric":"success_rate","values":[1],"count":{"succeeded":0,"total":12}}`:                `values [1], yet 0 of 12 succeeded`,
		`{"metric":"success_rate","values":[0.5,0.5],"count":{"succeeded":6,"total":12}}`:          `values [0.5 0.5], yet 6 of 12`,
		`{"metric":"success_rate","values":[1],"count":{"succeeded":13,"total":12}}`:               `13 of 12 succeeded`,
		`{"metric":"success_rate","values":[0.5],"warmup":[3],"count":{"succeeded":6,"total":12}}`: `value 3, want a share`,
		`{"metric":"e2e_p50","values":[1],"count":{"succeeded":13,"total":12}}`:                    `metric e2e_p50: 13 of 12 succeeded`,
		`{"metric":"e2e_p50","values":[1e151]}`:                                                    `the number 1e151`,
		`{"metric":"e2e_p50","values":[5e-324]}`:                                                   `metric e2e_p50: value 5e-324`,
		`{"metric":"e2e_p50","values":[1],"warmup":[1e-200]}`:                                      `metric e2e_p50: value 1e-200`,
		`{"metric":"success_rate","values":[0.583333333333],"count":{"succeeded":7,"total":12}}`:   ``,
		`{"metric":"success_rate","values":[0]}`:                                                   ``,
		`{"metric":"e2e_p50","values":[1e-9,1e9]}`:                                                 ``,
	} {
		_, err := record.Read(served(value), "run.json")
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: error %v, want %q", value, err, want)
		}
	}
}
