package text_test

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"

	"github.com/llama-regress/llama-regress/report"
	"github.com/llama-regress/llama-regress/report/reporttest"
	"github.com/llama-regress/llama-regress/report/text"
)

func render(t testing.TB, r report.Report, o text.Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := text.Write(&b, r, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	for _, c := range reporttest.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			reporttest.Golden(t, c.Name+".txt", render(t, c.Report(), text.Options{}))
		})
	}
	full := text.Options{Full: true, Color: true, Width: 100}
	reporttest.Golden(t, "full-color.txt", render(t, reporttest.Regression().Report(), full))
}

// A regression beside a fired control says why it stands.
func TestControlOutdone(t *testing.T) {
	page := render(t, reporttest.ControlOutdone().Report(), text.Options{})
	flat := strings.Join(strings.Fields(page), " ")
	for _, want := range []string{"1 regression", "differed from itself when measured twice, but this finding is larger than the machine can explain"} {
		if !strings.Contains(flat, want) {
			t.Errorf("not said: %q\n%s", want, page)
		}
	}
}

// The first screen has to say what happened and what to type.
func TestVerdictComesFirst(t *testing.T) {
	for _, c := range reporttest.Cases() {
		r := c.Report()
		lines := strings.Split(render(t, r, text.Options{}), "\n")
		if !r.Title.IsEmpty() {
			lines = lines[1:]
		}
		if !strings.Contains(lines[0], r.Status) {
			t.Errorf("%s: the first line is %q, want the status %q in it", c.Name, lines[0], r.Status)
		}
		if len(r.Steps) > 0 && !strings.Contains(strings.Join(lines[:min(12, len(lines))], "\n"), "What to do next") {
			t.Errorf("%s: no next step among the first 12 lines", c.Name)
		}
	}
}

func TestLinesFit(t *testing.T) {
	for _, c := range append(reporttest.Cases(), reporttest.Grid(60, 6)) {
		r := c.Report()
		for _, o := range []text.Options{{}, {Full: true}, {Width: 72}, {Width: 120, Full: true}} {
			limit := o.Width
			if limit == 0 {
				limit = 80
			}
			for _, line := range strings.Split(render(t, r, o), "\n") {
				if n := columns(line); n > limit && !strings.HasPrefix(strings.TrimSpace(line), "$ ") {
					t.Errorf("%s %+v: %d columns: %q", c.Name, o, n, line)
				}
			}
		}
	}
}

// columns counts anew, so that the writer's own counting is checked.
func columns(s string) int {
	n := 0
	for _, r := range s {
		switch k := width.LookupRune(r).Kind(); {
		case r >= 0x300 && unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		case k == width.EastAsianWide || k == width.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}

func TestHarmless(t *testing.T) {
	for _, c := range reporttest.Cases() {
		r := c.Report()
		for _, o := range []text.Options{{}, {Full: true}, {Color: true, Full: true}} {
			checkHarmless(t, render(t, r, o), o.Color)
		}
	}
}

var sgr = regexp.MustCompile("\x1b\\[(0|1|2|31|32|33|35)m")

// checkHarmless fails when out could move a cursor, turn a direction, forge a
// line or command the runner of a CI job.
func checkHarmless(t *testing.T, out string, color bool) {
	t.Helper()
	if color {
		out = sgr.ReplaceAllString(out, "")
	}
	if !utf8.ValidString(out) {
		t.Error("not valid UTF-8")
	}
	for _, r := range out {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029') {
			t.Errorf("holds %U", r)
		}
	}
	for _, line := range strings.Split(out, "\n") {
		if strings.HasPrefix(strings.TrimSpace(line), "::") || strings.Contains(line, "##[") {
			t.Errorf("a CI runner takes this line for a command: %q", line)
		}
	}
}

func FuzzNames(f *testing.F) {
	for _, name := range reporttest.Names {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		checkHarmless(t, render(t, reporttest.Named(name).Report(), text.Options{Full: true}), false)
	})
}

func TestWriteError(t *testing.T) {
	want := errors.New("disk full")
	if err := text.Write(failing{want}, reporttest.Regression().Report(), text.Options{}); !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
