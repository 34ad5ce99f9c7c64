package junit

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
)

// Bounds on foreign text, in characters.
const (
	maxName    = 240
	maxMessage = 500
	maxBlock   = 4_000
	maxBody    = 16_000
)

// suiteName names the suite of a comparison by workload and model.
func suiteName(c compare.Comparison) string {
	name := c.Workload + "/" + c.Model
	return unique(name, name)
}

// testName names a test by what it measures, never by how it ended: metric,
// parameters, candidate.
func testName(row report.Row) string {
	c := row.Comparison
	name := c.Metric.Name
	if params := paramsOf(c); params != "" {
		name += " " + params
	}
	name += " (" + c.Candidate.Arm + ")"
	return unique(name, row.ID)
}

// paramsOf is the part of a cell's key that follows workload and model.
func paramsOf(c compare.Comparison) string {
	return strings.TrimPrefix(strings.TrimPrefix(c.Cell, c.Workload+"/"+c.Model), "/")
}

// unique makes a name fit for an attribute. Names must stay different where
// what they stand for is, so one that had to be changed or cut gets a hash of
// identity.
func unique(name, identity string) string {
	clean := line(name, maxName)
	if clean == name && strings.TrimSpace(name) != "" {
		return name
	}
	sum := sha256.Sum256([]byte(identity))
	return strings.TrimSpace(clean + " #" + hex.EncodeToString(sum[:4]))
}

// line is foreign text on one line, without what XML forbids and without the
// brackets by which consumers find properties and attachments.
func line(s string, max int) string { return disarm(report.Line(s, max)) }

// block is foreign text of several lines, likewise.
func block(s string) string { return disarm(report.Block(s, maxBlock)) }

// message is a sentence of the report.
func message(t report.Text) string { return line(t.String(), maxMessage) }

// disarm keeps foreign text from forging [[PROPERTY|...]] and [[ATTACHMENT|...]]
// lines, which consumers look for anywhere in the output.
func disarm(s string) string { return strings.ReplaceAll(s, "[[", "[ [") }

// clip bounds a body that is made of bounded parts; many of them are a lot.
func clip(s string) string {
	if runes := []rune(s); len(runes) > maxBody {
		return string(runes[:maxBody]) + "…\n"
	}
	return s
}
