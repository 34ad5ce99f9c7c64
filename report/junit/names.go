package junit

import "github.com/llama-regress/llama-regress/report"

// Bounds on foreign text, in characters.
const (
	maxName    = 240
	maxMessage = 500
	maxBlock   = 4_000
	maxBody    = 16_000
)

// suiteName names the suite of a comparison by workload and model.
func suiteName(c report.Comparison) string {
	return report.Text{{Foreign: c.Workload}, {Words: "/"}, {Foreign: c.Model}}.XMLName(maxName, "")
}

// testName names a test by what it measures, never by how it ended: metric,
// parameters, candidate.
func testName(row report.Row) string {
	c := row.Comparison
	t := report.Text{{Foreign: c.Metric.Name}}
	if params := c.ParamText(); !params.IsEmpty() {
		t = append(t, report.Span{Words: " "}, report.Span{Foreign: params})
	}
	t = append(t, report.Span{Words: " ("}, report.Span{Foreign: c.Candidate.Arm}, report.Span{Words: ")"})
	return t.XMLName(maxName, row.ID)
}

// line is foreign text on one line.
func line(f report.Foreign) string { return f.XML(maxName) }

// message is a sentence of the report.
func message(t report.Text) string { return t.XML(maxMessage) }

// clip bounds a body that is made of bounded parts; many of them are a lot.
func clip(s string) string {
	if runes := []rune(s); len(runes) > maxBody {
		return string(runes[:maxBody]) + "…\n"
	}
	return s
}
