package noise_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare/noise"
	report "github.com/llama-regress/llama-regress/report/noise"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// result has two of everything, and names that would be markup.
func result() *noise.Result {
	metric := func(name, unit string) record.Metric {
		return record.Metric{Name: name, Kind: record.Throughput, Unit: unit, Better: record.Higher}
	}
	return &noise.Result{
		Machine: "bench<1>", Processor: "a processor", Builds: []string{"b6990"}, Sessions: 2, Trials: 48, Spoilt: 1,
		Series: []noise.Series{
			{Cell: "bench/tiny/threads=1", Metric: metric("pp512", "tok/s"), Level: 1234.5, Session: 0.02, Process: 0.0125, Repetition: 0.004, SessionDF: 1, Pair: 0.018, PairDF: 10, Pass: 0.5, KaliberaJones: 2},
			{Cell: "serve/tiny/concurrency=4", Metric: metric("ttft_p50", "s"), Level: 0.25, Process: 0.3, Pair: 0.42, PairDF: 10, KaliberaJones: 1, Alarm: true},
		},
		Proposal: noise.Proposal{
			Budget: 2700, Candidates: 2, Repetitions: 3, Blocks: 12, Seconds: 2650, Fits: true,
			Margins: []noise.Margin{{Metric: "pp512", Cell: "bench/tiny/threads=1", Margin: 0.014, Finds: 0.0312}, {Metric: "ttft_p50", Cell: "serve/tiny/concurrency=4"}},
		},
		Warnings: []string{"one\nline", "<b>bold</b> & \"quoted\""},
	}
}

func TestWriters(t *testing.T) {
	var all bytes.Buffer
	for _, write := range []func() error{
		func() error { return report.Text(&all, result()) },
		func() error { return report.YAML(&all, result()) },
		func() error { return report.HTML(&all, result()) },
	} {
		all.WriteString("----\n")
		if err := write(); err != nil {
			t.Fatal(err)
		}
	}
	golden := filepath.Join("testdata", "noise.txt")
	if *update {
		if err := os.WriteFile(golden, all.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), all.String()); diff != "" {
		t.Errorf("-golden +now:\n%s", diff)
	}
}

// Nothing runs on the page, nothing is fetched, and foreign text stays text.
func TestPageIsStrict(t *testing.T) {
	var b bytes.Buffer
	if err := report.HTML(&b, result()); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, never := range []string{"<script", " style=", "http://", "https://", "bench<1>", " on"} {
		for _, tag := range regexp.MustCompile(`<[^>]*>`).FindAllString(page, -1) {
			if strings.Contains(tag, never) && !strings.Contains(tag, "http-equiv") {
				t.Errorf("%q in %s", never, tag)
			}
		}
	}
	style := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindStringSubmatch(page)
	sum := sha256.Sum256([]byte(style[1]))
	policy := regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(page)[1]
	policy = strings.NewReplacer("&#39;", "'", "&#43;", "+").Replace(policy)
	if want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; "; !strings.HasPrefix(policy, want) {
		t.Errorf("policy %s\nwant %s...", policy, want)
	}
}
