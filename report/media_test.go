package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html/template"
	"io"
	"strings"
	"testing"

	stdhtml "html"

	"github.com/llama-regress/llama-regress/report"
	"github.com/llama-regress/llama-regress/report/html"
	reportjson "github.com/llama-regress/llama-regress/report/json"
	"github.com/llama-regress/llama-regress/report/junit"
	"github.com/llama-regress/llama-regress/report/markdown"
	"github.com/llama-regress/llama-regress/report/reporttest"
	"github.com/llama-regress/llama-regress/report/text"
)

// media writes a report in every medium.
var media = map[string]func(io.Writer, report.Report) error{
	"html":     func(w io.Writer, r report.Report) error { return html.Write(w, r, html.Options{WithoutCharts: true}) },
	"json":     reportjson.Write,
	"junit":    junit.Write,
	"markdown": func(w io.Writer, r report.Report) error { return markdown.Write(w, r, markdown.Options{}) },
	"text":     func(w io.Writer, r report.Report) error { return text.Write(w, r, text.Options{Full: true}) },
}

// strange holds what some medium gives a meaning to.
const strange = "<b>a</b> & \"b\" 'c' | `d`\x07"

// shown is how each medium says it to a reader who undoes its escaping.
const shown = "<b>a</b> & \"b\" 'c' | `d`\ufffd"

// An arm with a strange name comes out as that text in every medium.
func TestNamesComeOutAsText(t *testing.T) {
	c := reporttest.Named(strange)
	r := c.Report()
	for medium, write := range media {
		var b bytes.Buffer
		if err := write(&b, r); err != nil {
			t.Fatal(err)
		}
		got := b.String()
		want := shown
		switch medium {
		case "html":
			if strings.Contains(got, "<b>a</b>") {
				t.Error("html: the name is markup")
			}
			got = stdhtml.UnescapeString(got)
		case "json":
			want = strange
			var doc struct {
				Arms []struct{ Name string }
			}
			if err := json.Unmarshal(b.Bytes(), &doc); err != nil || len(doc.Arms) == 0 {
				t.Fatal(err, len(doc.Arms))
			}
			got = doc.Arms[0].Name
		case "junit":
			var all strings.Builder
			for d := xml.NewDecoder(&b); ; {
				token, err := d.Token()
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				switch x := token.(type) {
				case xml.StartElement:
					for _, a := range x.Attr {
						all.WriteString(a.Value + "\n")
					}
				case xml.CharData:
					all.Write(x)
				}
			}
			got = all.String()
		case "markdown":
			want = "``" + shown + "``" // a code span, by more backticks than it holds
			if !strings.Contains(got, strings.ReplaceAll(want, "|", `\|`)) {
				t.Error("markdown: no cell of a table has the name")
			}
		}
		if medium != "json" && strings.ContainsRune(got, 7) {
			t.Errorf("%s: holds a control character", medium)
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s: does not say %q", medium, want)
		}
	}
}

// A writer that prints a name without escaping it prints that it did not.
func TestNothingIsPrintedUnescaped(t *testing.T) {
	mark := fmt.Sprint(report.AsForeign("x"))
	if got := fmt.Sprintf("%s %v %q %d %+v %x", report.AsForeign("<b>"), report.AsForeign("<b>"), report.AsForeign("<b>"), report.AsForeign("<b>"), report.Text{{Foreign: report.AsForeign("<b>")}}, report.AsForeign("<b>")); strings.Contains(got, "<b>") || strings.Count(got, mark) != 6 {
		t.Errorf("printed: %s", got)
	}
	var b strings.Builder
	if err := template.Must(template.New("").Parse("{{.}}")).Execute(&b, report.AsForeign("<b>")); err != nil || b.String() != mark {
		t.Errorf("by a template: %q, %v", b.String(), err)
	}
	for _, c := range reporttest.Cases() {
		r := c.Report()
		for medium, write := range media {
			var b strings.Builder
			if err := write(&b, r); err != nil || strings.Contains(b.String(), mark) {
				t.Errorf("%s of %s prints text that is not escaped, %v", medium, c.Name, err)
			}
		}
	}
}

func TestForeignIsComparable(t *testing.T) {
	a, b := report.AsForeign("a"), report.AsForeign("b")
	if a != report.AsForeign("a") || a.Compare(b) >= 0 || !(report.Foreign{}).IsEmpty() {
		t.Error("texts do not compare as their strings do")
	}
	for path, want := range map[string]string{"logs/a b.txt": "logs/a b.txt", "../a": "", "/a": "", "a?b": "", "a[b": "", "": ""} {
		if got := report.AsForeign(path).LocalPath(); got != want {
			t.Errorf("%q as a path: %q, want %q", path, got, want)
		}
	}
	if got := report.AsForeign("0123456789abcdef").Commit() + report.AsForeign("v1.2").Commit(); got != "0123456789abcdef" {
		t.Errorf("commits: %q", got)
	}
}
