package llama

import (
	"encoding/json"
	"strings"
	"testing"
)

// What stands between and before results in files that people have is passed over
// or told, and takes no result along.
func TestReadAmongOthers(t *testing.T) {
	t.Parallel()
	pp, tg := object(), object("n_prompt=0", "n_gen=128")
	array := func(objects ...string) string { return "[\n  " + strings.Join(objects, ",\n  ") + "\n]\n" }
	indented := func(text string) string {
		var b strings.Builder
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		e := json.NewEncoder(&b)
		e.SetIndent("", "  ")
		if err := e.Encode(v); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	stamped := func(text, stamp string) string {
		return stamp + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n"+stamp) + "\n"
	}
	wide := utf16le(pp + "\n" + tg + "\n")
	for name, c := range map[string]struct{ text, want, err string }{
		"marks between":              {"\ufeff" + pp + "\n\ufeff" + tg + "\n\ufeff", "pp512 tg128", ""},
		"mark in the middle":         {pp + "\ufeff" + tg, "pp512 tg128", ""},
		"marked arrays":              {"\ufeff" + array(pp) + "\ufeff" + array(tg), "pp512 tg128", ""},
		"UTF-16 joined":              {wide + wide, "pp512 tg128 pp512 tg128", ""},
		"UTF-16 without a mark":      {wide[2:], "pp512 tg128", ""},
		"time stamps of GitHub":      {stamped(pp+"\n"+tg, "2026-11-30T12:00:00.1234567Z "), "pp512 tg128", ""},
		"time stamps, pretty":        {stamped(array(pp, tg)+indented(pp), "[2026-11-30 12:00:00] "), "pp512 tg128 pp512", ""},
		"quoted":                     {"> " + pp + "\n>> " + tg, "pp512 tg128", ""},
		"fenced":                     {"```json\n" + pp + "\n" + tg + "\n```\n", "pp512 tg128", ""},
		"not a number, as in Python": {object("stddev_ts=NaN", "avg_ts=Infinity", "avg_ns=-Infinity") + "\n" + tg, "pp512 tg128", ""},
		"log before, on the line":    {"llama-bench: 1/2 " + pp + "\n" + tg, "pp512 tg128", `f:1: not a llama-bench result: "llama-bench: 1/2"`},
		"glued to a cut line":        {pp[:60] + tg + "\n" + pp, "tg128 pp512", "f:1: the line breaks off"},
		"array cut between":          {"[\n" + pp + ",\n" + tg + "\n" + array(pp), "pp512 tg128 pp512", "f:4: a second array begins, and the one before it is not closed"},
		"array cut in a text":        {"[\n  {\n    \"build_commit\": \"a\n" + array(pp, tg) + array(pp), "pp512 tg128 pp512", "f:2: the line breaks off"},
		"array cut in an object":     {"[\n  {\n    \"build_commit\": \"a\",\n" + array(pp) + array(tg), "pp512 tg128", "f:2: the line breaks off"},
		"text without its end":       {strings.Replace(object(`cpu_info="AMD Ryzen"`, `gpu_info=""`), `Ryzen",`, `Ryzen,`, 1) + "\n" + tg, "tg128", "f:1: cpu_info has no closing quote, as builds before b3539"},
		"vllm":                       {`{"date": "x", "request_throughput": 1.5, "output_throughput": 9, "mean_ttft_ms": 20}`, "", "f:1: not a llama-bench result: looks like vllm bench serve"},
		"batched bench":              {`{"n_kv_max": 1, "pp": 1, "tg": 1, "n_kv": 1, "speed_pp": 1.0, "speed_tg": 1.0}`, "", "looks like llama-batched-bench"},
		"action":                     {`[{"name": "a", "unit": "x", "value": 1}]`, "", "looks like github-action-benchmark"},
	} {
		results, err := ReadResults(strings.NewReader(c.text), "f")
		if got := names(results); got != c.want {
			t.Errorf("%s: read %q, want %q (%v)", name, got, c.want, err)
		}
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: error %v, want %q", name, err, c.err)
		}
	}
}

// Whoever is refused is told what would help.
func TestImportNamesFlags(t *testing.T) {
	t.Parallel()
	_, err := Import("f", strings.NewReader(object()+"\nggml_vulkan: Found 1 device\n"), ImportOptions{})
	if want := "f: 1 results are whole; --partial uses them"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
	if _, err := Import("f", strings.NewReader("nothing\n"), ImportOptions{}); err == nil || strings.Contains(err.Error(), "--partial") {
		t.Errorf("nothing is whole: %v", err)
	}
}

// A file in which several builds wrote gives the results of the one that is named.
func TestImportBuild(t *testing.T) {
	t.Parallel()
	text := object() + "\n" + object("build_commit=\"c0ffee11\"", "build_number=6090", "n_threads=4") + "\n" + object("build_commit=\"c0ffee22\"", "build_number=6091") + "\n"
	for _, c := range []struct{ build, commit, err string }{
		{"5aa1", "5aa1105d", ""},
		{"5AA1105D", "5aa1105d", ""},
		{"5aa1105d00112233445566778899aabbccddeeff", "5aa1105d", ""}, // the whole of a commit that llama-bench cuts short
		{"6090", "c0ffee11", ""},
		{"b6091", "c0ffee22", ""},
		{"c0ffee", "", `"c0ffee" is several builds, of 5aa1105d 6082; c0ffee11 6090; c0ffee22 6091: name more of the commit`},
		{"c0f", "", `no result of a build "c0f": it has 5aa1105d 6082;`},
		{"master", "", "no result of a build"},
	} {
		run, err := Import("f", strings.NewReader(text), ImportOptions{Build: c.build})
		switch {
		case c.err != "":
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %v, want %s", c.build, err, c.err)
			}
		case err != nil:
			t.Errorf("%s: %v", c.build, err)
		case run.Arms[0].Build.Commit != c.commit || len(run.Trials) != 1:
			t.Errorf("%s: %+v", c.build, run.Arms)
		}
	}
}
