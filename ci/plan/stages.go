package plan

import (
	"fmt"
	"math"
	"strings"

	"github.com/llama-regress/llama-regress/ci/record"
)

// Stops says whether cells may get fewer blocks than the plan has.
func (p *Plan) Stops() bool { return p.Screen > 0 || len(p.Interims) > 0 }

// NextInterim returns the next number of blocks above n at which a cell is analysed:
// the end of the screening, each interim analysis, or the end of the plan. It is at
// most p.Blocks, and p.Blocks where nothing stops.
func (p *Plan) NextInterim(n int) int {
	for _, at := range p.analysisPoints() {
		if at > n {
			return at
		}
	}
	return p.Blocks
}

func (p *Plan) analysisPoints() []int {
	var at []int
	if p.Screen > 0 {
		at = append(at, p.Screen)
	}
	for _, n := range p.Interims {
		at = append(at, p.Screen+n)
	}
	return append(at, p.Blocks)
}

// screenShare is how many of the comparisons that did not change a screening
// sends on, in expectation: its level, statistics reference 7.6. A cell goes on
// with any of its comparisons.
const screenShare = 0.10

// sampling words how the blocks are laid out, with what that may cost: two
// stages have an expectation of their own, interim analyses depend on what is seen.
func (p *Plan) sampling() string {
	if !p.Stops() {
		return fmt.Sprintf("trials  %d in %d blocks\n", len(p.Trials), p.Blocks)
	}
	first := p.NextInterim(0)
	candidates := 0
	for _, a := range p.Arms {
		if a.ControlOf == "" && a.Name != p.Baseline {
			candidates++
		}
	}
	least, about := 0, 0.0
	for _, t := range p.Trials {
		if t.Block < first {
			least++
		} else {
			comparisons := candidates * judged(p.Cells[t.Cell].Cell)
			about += 1 - math.Pow(1-screenShare, float64(comparisons))
		}
	}
	most := len(p.Trials)
	var b strings.Builder
	fmt.Fprintf(&b, "trials  %d to %d", least, most)
	if p.Screen > 0 {
		fmt.Fprintf(&b, ", about %d when nothing changed", least+int(about+0.5))
	}
	b.WriteString("\n")
	if p.Screen > 0 {
		fmt.Fprintf(&b, "stages  %d blocks of every cell, then %s fresh ones of those that may have lost\n", p.Screen, p.fresh())
	} else {
		fmt.Fprintf(&b, "interim analyses after %s blocks: a cell whose verdict is reached stops\n", list(p.Interims))
	}
	return b.String()
}

// judged is how many metrics of a cell have a margin by default: only they can send it on.
func judged(c record.Cell) (n int) {
	margins := record.DefaultMargins()
	for _, m := range c.Metrics {
		if margins[m.Kind] > 0 {
			n++
		}
	}
	return n
}

func (p *Plan) fresh() string {
	if len(p.Interims) > 0 {
		return list(p.Interims)
	}
	return fmt.Sprint(p.Blocks - p.Screen)
}

// list writes "6, 10, 15 or 20".
func list(ns []int) string {
	var words []string
	for _, n := range ns {
		words = append(words, fmt.Sprint(n))
	}
	if last := len(words) - 1; last > 0 {
		return strings.Join(words[:last], ", ") + " or " + words[last]
	}
	return strings.Join(words, "")
}
