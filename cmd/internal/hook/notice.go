// Package hook tells a web hook what a report found: as JSON, or in the form that
// Slack and Mattermost take.
package hook

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
)

// Schema names the form of a notice in JSON. Within one version fields are added and
// never change their meaning.
const Schema = "llama-regress-notice-v1"

// A Notice is the head of a report: what a person has to know to decide whether to
// open it.
type Notice struct {
	Schema   string          `json:"schema"`
	Kind     string          `json:"kind"` // "comparison" or "nightly"
	Title    report.Foreign  `json:"title,omitzero"`
	Time     time.Time       `json:"time,omitzero"`
	Outcome  compare.Outcome `json:"outcome"`  // as in the JSON report
	Status   string          `json:"status"`   // in one or two words: "Regression"
	Headline string          `json:"headline"` // "4 regressions"
	Lead     report.Text     `json:"lead"`     // the most important finding in one sentence
	Steps    []report.Step   `json:"steps"`    // what to do next, most useful first
	Link     string          `json:"link,omitempty"`
}

// Of is the notice of one comparison; link leads to its report, "" for nowhere.
func Of(r report.Report, link string) Notice {
	return Notice{Schema, "comparison", r.Title, r.Time, r.Outcome, r.Status, r.Headline, r.Lead, r.Steps, link}
}

// OfNights is that of many nights.
func OfNights(n report.Nightly, link string) Notice {
	return Notice{Schema, "nightly", n.Title, n.Time, n.Outcome, n.Status, n.Headline, n.Lead, n.Steps, link}
}

// JSON is the notice for a program.
func (n Notice) JSON() ([]byte, error) { return json.Marshal(n) }

// Slack is the notice for Slack and for what takes the same form, such as Mattermost.
// Foreign text stands in code spans, where neither reads commands or names people.
func (n Notice) Slack() ([]byte, error) {
	var b strings.Builder
	heading := n.Status
	if n.Link != "" {
		heading = "<" + n.Link + "|" + heading + ">"
	}
	fmt.Fprintf(&b, "%s: %s", heading, escape(n.Headline))
	if !n.Title.IsEmpty() {
		fmt.Fprintf(&b, " (%s)", code(n.Title))
	}
	if lead := n.Lead.Render(escape, code); lead != "" {
		fmt.Fprintf(&b, "\n%s", lead)
	}
	if len(n.Steps) > 0 {
		fmt.Fprintf(&b, "\nNext: %s", n.Steps[0].Text.Render(escape, code))
		if c := n.Steps[0].Command; !c.IsEmpty() {
			fmt.Fprintf(&b, "\n```\n%s\n```", escape(strings.ReplaceAll(c.Terminal(2000), "`", "'")))
		}
	}
	return json.Marshal(map[string]string{"text": b.String()})
}

// escape writes the three characters that Slack reads as its own.
func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// code is foreign text as a code span.
func code(f report.Foreign) string {
	return "`" + escape(strings.ReplaceAll(f.Terminal(160), "`", "'")) + "`"
}
