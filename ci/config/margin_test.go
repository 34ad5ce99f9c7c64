package config

import (
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

// The margin of a share is in points and that of anything else a ratio: the
// metric decides, and no list of names.
func TestMarginsInPoints(t *testing.T) {
	for _, m := range record.ServeMetrics(record.ServeDesign{Requests: 100, Objectives: true, Retries: true}) {
		right, wrong := "3%", "3pp"
		if m.InPoints() {
			right, wrong = wrong, right
		}
		var g Gate
		if err := g.SetMargin(m.Name, right); err != nil || g.Margins[m.Name] != 0.03 {
			t.Errorf("%s=%s: %v, %v", m.Name, right, g.Margins, err)
		}
		if g.SetMargin(m.Name, wrong) == nil {
			t.Errorf("%s=%s was taken", m.Name, wrong)
		}
	}
}
