package html_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/report"
	"github.com/llama-regress/llama-regress/report/html"
	"github.com/llama-regress/llama-regress/report/reporttest"
)

func render(t testing.TB, r report.Report) []byte { return write(t, r, html.Options{}) }

// tables renders without ECharts: for what does not depend on it, a megabyte
// less to search.
func tables(t testing.TB, r report.Report) []byte {
	return write(t, r, html.Options{WithoutCharts: true})
}

func write(t testing.TB, r report.Report, o html.Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := html.Write(&b, r, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// fixed are the parts that no report changes: style, programs and their
// hashes, the licence's notice.
var fixed = regexp.MustCompile(`(?s)<style>.*?</style>|<script>.*?</script>|&#39;sha256-.*?=&#39;|<footer.*?</footer>`)

func TestGolden(t *testing.T) {
	t.Parallel()
	for _, c := range []reporttest.Case{reporttest.Regression(), reporttest.Reasons(), reporttest.RawFiles(), reporttest.Empty(), reporttest.OnlyFailures(), reporttest.Serving(), reporttest.Counted(), reporttest.Hostile()} {
		t.Run(c.Name, func(t *testing.T) {
			reporttest.Golden(t, c.Name+".html", fixed.ReplaceAllString(string(tables(t, c.Report())), ""))
		})
	}
}

func TestSameReportSameBytes(t *testing.T) {
	t.Parallel()
	for _, c := range reporttest.Cases() {
		r := c.Report()
		before, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		first := tables(t, r)
		if !bytes.Equal(first, tables(t, c.Report())) {
			t.Errorf("%s: two pages of one report differ", c.Name)
		}
		if after, _ := json.Marshal(r); !bytes.Equal(before, after) {
			t.Errorf("%s: writing changed the report", c.Name)
		}
	}
}

// The verdict comes first, then what to do, then the comparisons.
func TestOrder(t *testing.T) {
	t.Parallel()
	r := reporttest.Regression().Report()
	page := string(tables(t, r))
	at := -1
	for _, text := range []string{"<h1>", r.Status + "</h1>", r.Headline, report.Titles.Steps, "--blocks 42", `id="comparisons"`, r.Rows[0].ID, r.Rows[len(r.Rows)-1].ID, report.Titles.Control, report.Titles.Failures + " (", report.Titles.Measured, report.Titles.Definitions} {
		next := strings.Index(page[at+1:], text)
		if next < 0 {
			t.Fatalf("%q does not follow what comes before it", text)
		}
		at += 1 + next
	}
}

// What passes only because nothing was decided does not look like a pass.
func TestOnlyAPassLooksLikeOne(t *testing.T) {
	t.Parallel()
	for _, c := range reporttest.Cases() {
		r := c.Report()
		page := string(tables(t, r))
		if pass := strings.Contains(page, `<header data-class="improvement">`); pass != (r.Status == "Pass") {
			t.Errorf("%s: status %q, looks like a pass: %v", c.Name, r.Status, pass)
		}
	}
}

// A log is linked only if its path stays below the page's folder.
func TestLogs(t *testing.T) {
	t.Parallel()
	tests := []struct {
		log  string
		link string // "" when there is none
	}{
		{"logs/b00.c0001.head.txt", `href="logs/b00.c0001.head.txt"`},
		{"logs/a b.txt", `href="logs/a%20b.txt"`},
		{"/a/b", ""}, {"../secret", ""}, {"//example.invalid/x", ""}, {"https://example.invalid/", ""},
		{"javascript:void(0)", ""}, {"JaVaScRiPt:void(0)", ""}, {"data:text/html,x", ""}, {`\\example.invalid\x`, ""},
		{"a%2f..%2f..%2fb", ""}, {"a\nb", ""}, {"?q", ""}, {"", ""},
	}
	link := regexp.MustCompile(`<a (href="[^#"][^"]*")>log</a>`)
	for _, test := range tests {
		c := reporttest.OnlyFailures()
		c.Source.TrialLog = func(string) string { return test.log }
		got := ""
		if m := link.FindSubmatch(tables(t, c.Report())); m != nil {
			got = string(m[1])
		}
		if got != test.link {
			t.Errorf("log %q: link %q, want %q", test.log, got, test.link)
		}
	}
}

// What programs wrote is shown once, however many trials wrote it.
func TestSameOutputOnce(t *testing.T) {
	t.Parallel()
	page := string(tables(t, reporttest.OnlyFailures().Report()))
	if n := strings.Count(page, "<pre>"); n != 1 {
		t.Errorf("the same output is shown %d times", n)
	}
	if page = string(tables(t, reporttest.Regression().Report())); strings.Count(page, "<pre>") != 2 {
		t.Errorf("two outputs, shown: %d", strings.Count(page, "<pre>"))
	}
}

func TestWithoutCharts(t *testing.T) {
	t.Parallel()
	r := reporttest.Regression().Report()
	page, full := tables(t, r), render(t, r)
	if len(full)-len(page) < 1e6 || bytes.Count(page, []byte("sha256-")) != 1 || bytes.Count(full, []byte("sha256-")) != 2 {
		t.Errorf("%d bytes without charts, %d with", len(page), len(full))
	}
	if got, want := len(rowsOf(t, page)), len(r.Rows)+len(r.Controls); got != want {
		t.Errorf("%d rows, want %d", got, want)
	}
}

type full struct{}

var errFull = errors.New("no space left")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestSaysThatItCouldNotWrite(t *testing.T) {
	t.Parallel()
	if err := html.Write(full{}, reporttest.Pass().Report(), html.Options{}); !errors.Is(err, errFull) {
		t.Errorf("error %v, want %v", err, errFull)
	}
}
