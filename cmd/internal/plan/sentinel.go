package plan

import (
	"fmt"
	"strings"

	"github.com/llama-regress/llama-regress/cmd/internal/measure"
	"github.com/llama-regress/llama-regress/report"
)

// sentinelLine tells what is measured of the sentinel beside so many trials of the
// arms, "" for none. A trial of it is taken to last as long as one of theirs.
func sentinelLine(s *measure.SentinelPlan, trials int) string {
	if s == nil {
		return ""
	}
	cells := strings.Join(s.Cells[:min(3, len(s.Cells))], ", ")
	if more := len(s.Cells) - 3; more > 0 {
		cells += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Sprintf("sentinel %s: %d blocks before the arms' and %d after, in %s; %d trials beside %d: about %.2g%% more time\n",
		report.Line(s.Bin, 200), s.Before, s.After, cells, s.Trials, trials, 100*float64(s.Trials)/float64(max(trials, 1)))
}
