package plan

import (
	"fmt"
	"os"
	"time"

	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
)

// What a trial executes and how fast valgrind does, by measurements of build 11669 with
// AVX2 and synthetic models of 2 to 53 MB under valgrind 3.19. A program for an older
// processor executes up to ten times as much.
const (
	startInstructions = 70e6 // of an invocation, before its first test
	perTokenAndByte   = 0.6  // of a token, by byte of the model
	valgrindSpeed     = 33e6 // instructions a second, of one processor
)

// countLine foretells how long the counted trials take under valgrind on so many
// processors; "" where nothing is counted.
func countLine(p *plan.Plan, processors int) string {
	instructions, trials := 0.0, 0
	for _, t := range p.Trials {
		c := p.Cells[t.Cell]
		if c.Cell.Workload != record.CountWorkload {
			continue
		}
		trials++
		size := 0.0
		if info, err := os.Stat(c.ModelPath); err == nil {
			size = float64(info.Size())
		}
		for _, test := range c.Tests {
			warm := min(test.Gen, 1)
			if test.Gen == 0 {
				warm = test.Prompt
			}
			instructions += startInstructions + perTokenAndByte*size*float64(test.Tokens()+warm)
		}
	}
	if trials == 0 || p.Count.Tool == string(record.Perf) {
		return ""
	}
	seconds := instructions / valgrindSpeed / float64(processors)
	return fmt.Sprintf("counted %d trials, about %s under valgrind on %d processors, several times that with a backend for old processors\n",
		trials, time.Duration(seconds*float64(time.Second)).Round(time.Second), processors)
}
