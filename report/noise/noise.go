// Package noise writes what a calibration found: a table for people, a block for
// the configuration, and a page with no script on it.
package noise

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/llama-regress/llama-regress/compare/noise"
	"github.com/llama-regress/llama-regress/report"
)

// Text writes a table with a line a series, then the warnings.
func Text(w io.Writer, r *noise.Result) error {
	fmt.Fprintf(w, "%s on %s: %d sessions, %d trials\n\n", line(builds(r)), line(machine(r)), r.Sessions, r.Trials)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "sessions\tprocesses\trepetitions\tpair\tbest\t  metric, cell")
	for _, s := range r.Series {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t  %s  %s\n", session(s), percent(s.Process), repetition(s), percent(s.Pair), s.KaliberaJones, line(s.Metric.Name), line(s.Cell))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, `
sessions, processes, repetitions: the standard deviation that each adds
pair: of one block's difference between two arms, what a gate has to cope with
best: repetitions a trial for one such cell (Kalibera and Jones)

%s
`, proposal(r))
	for _, m := range r.Proposal.Margins {
		fmt.Fprintf(w, "  %s\n", line(margin(m)))
	}
	for i, warning := range r.Warnings {
		if i == 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "note: %s\n", line(warning))
	}
	return nil
}

// YAML writes the proposal as sections of a configuration.
func YAML(w io.Writer, r *noise.Result) error {
	var b strings.Builder
	comment := func(text string) { fmt.Fprintf(&b, "# %s\n", line(text)) }
	comment(fmt.Sprintf("Measured by llama-regress calibrate: %s on %s, %d sessions, %d trials.", builds(r), machine(r), r.Sessions, r.Trials))
	comment(proposal(r))
	for _, warning := range r.Warnings {
		comment("Note: " + warning)
	}
	p := r.Proposal
	for _, s := range r.Series {
		if s.Pass > 0 {
			fmt.Fprintf(&b, "bench:\n  repetitions: %d\n", p.Repetitions)
			break
		}
	}
	fmt.Fprintf(&b, "sampling:\n  blocks: %d\n", p.Blocks)
	if p.Fits {
		fmt.Fprintf(&b, "  budget: %s\n", seconds(p.Budget))
	}
	header := "gate:\n"
	for _, m := range p.Margins {
		if m.Margin > 0 {
			fmt.Fprintf(&b, "%s  %s: {margin: %s}  # %s\n", header, key(m.Metric), percent(m.Margin), line(margin(m)))
			header = ""
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// key keeps a metric's name one key, whatever it holds.
func key(name string) string {
	for _, r := range name {
		if !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("_+@", r)) {
			return strconv.QuoteToASCII(name) // a double-quoted scalar of YAML
		}
	}
	return name
}

func line(s string) string { return report.Line(s, 400) }

func machine(r *noise.Result) string {
	if r.Processor == "" {
		return r.Machine
	}
	return fmt.Sprintf("%s (%s)", r.Machine, r.Processor)
}

func builds(r *noise.Result) string {
	if len(r.Builds) == 0 {
		return "llama.cpp"
	}
	return strings.Join(r.Builds, ", ")
}

// proposal is the plan in a sentence.
func proposal(r *noise.Result) string {
	p := r.Proposal
	repetitions := fmt.Sprintf("%d repetitions", p.Repetitions)
	if p.Repetitions == 1 {
		repetitions = "1 repetition"
	}
	text := fmt.Sprintf("With %d blocks of %s a gate of these cells takes %s", p.Blocks, repetitions, seconds(p.Seconds))
	if p.Candidates > 1 {
		text += fmt.Sprintf(" for %d candidates", p.Candidates)
	}
	if !p.Fits {
		return text + fmt.Sprintf(", more than the %s there are.", seconds(p.Budget))
	}
	return text + fmt.Sprintf(" of the %s there are.", seconds(p.Budget))
}

// margin says what gating a metric at its margin means.
func margin(m noise.Margin) string {
	if m.Margin == 0 {
		return fmt.Sprintf("%s: too noisy to be gated at any margin below 50%% (%s)", m.Metric, m.Cell)
	}
	return fmt.Sprintf("%s: no change is shown within %s, a loss of %s is called, each with 80%% power (%s)", m.Metric, percent(m.Margin), percent(m.Finds), m.Cell)
}

func session(s noise.Series) string {
	if s.SessionDF == 0 {
		return "unknown"
	}
	return percent(s.Session)
}

func repetition(s noise.Series) string {
	if s.Pass == 0 {
		return "none"
	}
	return percent(s.Repetition)
}

// percent has two digits that mean something, and no exponent.
func percent(share float64) string {
	decimals := 1
	switch p := 100 * share; {
	case p >= 20:
		decimals = 0
	case p < 1 && p > 0:
		decimals = 2
	}
	text := strconv.FormatFloat(100*share, 'f', decimals, 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text + "%"
}

func seconds(s float64) string {
	text := time.Duration(s * float64(time.Second)).Round(time.Second).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

//go:embed page.html.tmpl
var pageText string

//go:embed page.css
var style string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"line": line, "percent": percent, "session": session, "repetition": repetition, "margin": margin,
	"machine": machine, "builds": builds, "proposal": proposal,
	"bar": func(most, share float64) string { return strconv.FormatFloat(100*share/most, 'f', 2, 64) },
}).Parse(pageText))

// HTML writes a page that opens without a network. Nothing runs on it and
// nothing is fetched: its policy allows its own style and no more.
func HTML(w io.Writer, r *noise.Result) error {
	var config strings.Builder
	if err := YAML(&config, r); err != nil {
		return err
	}
	most := 1e-9
	for _, s := range r.Series {
		most = max(most, s.Session, s.Process, s.Repetition, s.Pair)
	}
	sum := sha256.Sum256([]byte(style))
	return page.Execute(w, map[string]any{
		"R": r, "Most": most, "Config": config.String(), "Style": template.CSS(style),
		"Policy": "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; img-src data:; base-uri 'none'; form-action 'none'",
	})
}
