package html_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/report"
	"github.com/llama-regress/llama-regress/report/html"
)

// A page of very many trends stays one that a browser opens: those that moved come
// first and are drawn in full, the others share what room is left, and the page says
// what it leaves out.
func TestNightlyPageIsBounded(t *testing.T) {
	const trends, nights, moved = 5000, 400, 4321
	first := time.Date(2025, 1, 1, 2, 0, 0, 0, time.UTC)
	m := report.NightlyMachine{Name: "bench-01"}
	for i := range trends {
		trend := report.Trend{ID: fmt.Sprintf("%08x", i), Metric: report.AsForeign("tg128"), Label: report.AsForeign(fmt.Sprintf("model %d", i)), Unit: "tok/s", Judged: true, Latest: "100.0 tok/s"}
		for n := range nights {
			trend.Nights = append(trend.Nights, report.TrendNight{Night: &report.Night{Started: first.AddDate(0, 0, n), Key: fmt.Sprint(n), Build: 6000 + n}, Value: 100 + float64((i*7+n*3)%13)/7, Trials: 3})
		}
		trend.Levels = []report.TrendLevel{{From: 0, To: nights, Value: 100, Low: 98, High: 102, Text: "100"}}
		if i == moved {
			trend.Open = true
			trend.Levels = []report.TrendLevel{{From: 0, To: 9, Value: 110, Low: 108, High: 112, Text: "110"}, {From: 9, To: nights, Value: 100, Low: 98, High: 102, Text: "100"}}
			trend.Marks = []report.TrendChange{{At: 9, To: 9, Point: "p-1", Worse: true}}
		}
		m.Trends = append(m.Trends, trend)
	}
	n := report.Nightly{Machines: []report.NightlyMachine{m}}
	var b bytes.Buffer
	if err := html.WriteNightly(&b, n, html.Options{}); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	if len(page) > 12<<20 {
		t.Errorf("the page has %d bytes", len(page))
	}
	at := strings.Index(page, fmt.Sprintf("<span>model %d</span>", moved))
	if steady := strings.Index(page, "<span>model 0</span>"); at < 0 || at > steady {
		t.Errorf("the trend that moved stands at byte %d, one that did not at %d", at, steady)
	}
	if rest, _, _ := strings.Cut(page[at:], "</details>"); strings.Contains(rest, "Drawn are the latest") {
		t.Error("the trend that moved is not drawn in full")
	}
	if got := strings.Count(page, "Drawn are the latest"); got != 1999 {
		t.Errorf("%d trends say that they are drawn in part, want 1999", got)
	}
	if !strings.Contains(page, "3000 more trends are not shown: they are in the JSON report") {
		t.Error("the page does not say what it leaves out")
	}
	if _, data, _ := strings.Cut(page, fmt.Sprintf(`"t-0-%d":`, moved)); strings.Count(strings.SplitN(data, `"levels"`, 2)[0], "[")-1 != nights || !strings.Contains(data[:40000], `"at":9,"worse":true`) {
		t.Error("the data of the trend that moved are not whole")
	}

	m.Trends = m.Trends[:100]
	n.Machines[0] = m
	b.Reset()
	if err := html.WriteNightly(&b, n, html.Options{}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "Drawn are the latest") {
		t.Error("100 trends of 400 nights are not drawn in full")
	}
}
