package record_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

func TestCellKey(t *testing.T) {
	for _, c := range []struct {
		workload, model string
		params          map[string]string
		want            string
	}{
		{"bench", "tiny", nil, "bench/tiny"},
		{"bench", "tiny", map[string]string{}, "bench/tiny"},
		{"bench", "tinyllama-1.1b-q4_k_m", map[string]string{"threads": "2", "batch": "512"}, "bench/tinyllama-1.1b-q4_k_m/batch=512,threads=2"},
		{"x/y", "m", nil, "x%2Fy/m"},
		{"serve", "a/b", map[string]string{"x=y": "1,2=3/4%\r\n"}, "serve/a%2Fb/x%3Dy=1%2C2%3D3%2F4%25%0D%0A"},
	} {
		if got := record.CellKey(c.workload, c.model, c.params); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// Different points of the matrix have different keys, even when their names are
// made to look alike.
func TestCellKeysDiffer(t *testing.T) {
	seen := map[string]int{}
	for i, c := range []struct {
		workload, model string
		params          map[string]string
	}{
		{"bench", "m", nil},
		{"bench", "m/a=1", nil},
		{"bench/m", "a=1", nil},
		{"bench", "m", map[string]string{"a": "1"}},
		{"bench", "m", map[string]string{"a": "1,b=2"}},
		{"bench", "m", map[string]string{"a": "1%2Cb=2"}},
		{"bench", "m", map[string]string{"a=1,b": "2"}},
		{"bench", "m", map[string]string{"a": "1", "b": "2"}},
		{"bench", "m", map[string]string{"a": "1", "b": ""}},
	} {
		key := record.CellKey(c.workload, c.model, c.params)
		if j, ok := seen[key]; ok {
			t.Errorf("%d and %d share the key %q", i, j, key)
		}
		seen[key] = i
	}
}

func TestParseTest(t *testing.T) {
	for _, c := range []struct {
		text, name string
		want       record.Test
	}{
		{"pp512", "pp512", record.Test{Prompt: 512}},
		{"tg1", "tg1", record.Test{Gen: 1}},
		{"pp512+tg128", "pp512+tg128", record.Test{Prompt: 512, Gen: 128}},
		{"tg128@d4096", "tg128@d4096", record.Test{Gen: 128, Depth: 4096}},
		{"pp512 @ d4096", "pp512@d4096", record.Test{Prompt: 512, Depth: 4096}},
		{"pp2048+tg256 @ d16384", "pp2048+tg256@d16384", record.Test{Prompt: 2048, Gen: 256, Depth: 16384}},
		{"pp9999999", "pp9999999", record.Test{Prompt: 9999999}},
	} {
		got, err := record.ParseTest(c.text)
		if err != nil || got != c.want {
			t.Errorf("%q: got %+v, %v", c.text, got, err)
		}
		if got.Name() != c.name {
			t.Errorf("%q is named %q, want %q", c.text, got.Name(), c.name)
		}
	}
	for _, c := range []struct{ text, want string }{
		{"", "want a name such as pp512"},
		{"pp", "want a name"},
		{"512", "want a name"},
		{"pp0", "want a name"},
		{"pp-1", "want a name"},
		{"pp0512", "want a name"},
		{"pp10000000", "want a name"},
		{"PP512", "want a name"},
		{" pp512", "want a name"},
		{"pp512\n", "want a name"},
		{"pp512 tg128", "want a name"},
		{"tg128+pp512", "want a name"},
		{"pp512@d0", "want a name"},
		{"@d512", "want a name"},
		{"+", "want a name"},
		{"+tg128", "did you mean tg128?"},
		{"pp512+", "did you mean pp512?"},
		{"pp512tg128", "did you mean pp512+tg128?"},
	} {
		if got, err := record.ParseTest(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %+v, %v; want an error with %q", c.text, got, err, c.want)
		}
	}
}

func TestTestMetric(t *testing.T) {
	test := record.Test{Prompt: 512, Gen: 128, Depth: 64}
	want := record.Metric{Name: "pp512+tg128@d64", Kind: record.Throughput, Unit: "tok/s", Better: record.Higher}
	if test.Metric() != want || test.Tokens() != 640 { // the depth is not timed
		t.Errorf("got %+v, %d tokens", test.Metric(), test.Tokens())
	}
}

func TestDirection(t *testing.T) {
	for d, want := range map[record.Direction]string{record.Higher: `"higher"`, record.Lower: `"lower"`} {
		data, err := json.Marshal(d)
		var back record.Direction
		if err != nil || string(data) != want || json.Unmarshal(data, &back) != nil || back != d {
			t.Errorf("%v: %s, %v, back %v", d, data, err, back)
		}
	}
	if _, err := json.Marshal(record.Direction(0)); err == nil {
		t.Error("a direction that was never set is written")
	}
	var d record.Direction
	if err := json.Unmarshal([]byte(`"up"`), &d); err == nil || d != 0 {
		t.Errorf("read %v, %v", d, err)
	}
}

func TestParams(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range record.Params {
		if seen[p.Name] || p.Name == "" || p.Doc == "" {
			t.Errorf("%+v: nameless, twice or without a word of help", p)
		}
		seen[p.Name] = true
		if got, ok := record.ParamByName(p.Name); !ok || got.Doc != p.Doc {
			t.Errorf("ParamByName(%q) gives %+v", p.Name, got)
		}
		if p.Default != "" {
			if err := p.Check(p.Default); err != nil {
				t.Errorf("its own default: %v", err)
			}
		}
	}
	if p, ok := record.ParamByName("treads"); ok {
		t.Errorf("ParamByName finds %+v", p)
	}
}

func TestParamCheck(t *testing.T) {
	for _, c := range []struct{ param, value, want string }{
		{"threads", "1", ""},
		{"threads", "4096", ""},
		{"threads", "0", "from 1 to 4096"},
		{"threads", "4097", "from 1 to 4096"},
		{"poll", "0", ""},
		{"poll", "101", "from 0 to 100"},
		{"batch", "2147483647", ""},
		{"batch", "2147483648", "whole number"},
		{"threads", "-1", "whole number"},
		{"threads", "08", "whole number"},
		{"threads", "0x8", "whole number"},
		{"threads", "1_000", "whole number"},
		{"threads", "8 ", "whole number"},
		{"threads", "1.5", "whole number"},
		{"threads", "2,8", "want one value"},
		{"threads", "", "threads: want a value"},
		{"flash_attn", "auto", ""},
		{"flash_attn", "1", `"1" is not one of on, off, auto`},
		{"mmap", "auto", `"auto" is not one of on, off`},
		{"tensor_split", "3/1", ""},
		{"type_k", "f16,q8_0", "want one value"},
		{"type_k", "f16\n-v", "one line"},
		{"type_k", "f16\x00", "one line"},
		{"type_k", "q9_0", `"q9_0" is not one of f32, f16`},
		{"tensor_split", strings.Repeat("1", 200), ""},
		{"tensor_split", strings.Repeat("1", 201), "at most 200"},
	} {
		p, ok := record.ParamByName(c.param)
		if !ok {
			t.Fatalf("no parameter %q", c.param)
		}
		err := p.Check(c.value)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s %q: %v", c.param, c.value, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s %q: error %v, want one with %q", c.param, c.value, err, c.want)
		}
	}
}
