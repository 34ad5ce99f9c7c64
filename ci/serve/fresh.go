package serve

import (
	crand "crypto/rand"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/llama-regress/llama-regress/ci/load"
	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
)

// mostFresh bounds how many different prompts a trial sends for the sake of being new.
const mostFresh = 20_000

// runs says whether an arm of the plan is a server that already runs.
func runs(p *plan.Plan) bool {
	return slices.ContainsFunc(p.Arms, func(a record.Arm) bool { return a.URL != "" })
}

// fresh are the prompts for n requests, each behind nine digits that no request before
// had. A server that runs on from trial to trial may keep prompts in a cache: without
// the digits every trial but the first would find its prompts there, and so would the
// null control find those of the arm that it repeats. All arms of such a plan get
// digits, so that their prompts are equally long. They are drawn anew each time, since a
// server also remembers the run of yesterday. The turns of a conversation begin alike, as
// they do without digits.
func fresh(prompts []load.Prompt, n int) []load.Prompt {
	var seed [32]byte
	crand.Read(seed[:]) // never fails
	rng := rand.New(rand.NewChaCha8(seed))
	all := make([]load.Prompt, min(n, mostFresh))
	digits := ""
	for i := range all {
		p := prompts[i%len(prompts)]
		if p.Turn <= 1 || digits == "" {
			digits = fmt.Sprintf("%d ", 100_000_000+rng.IntN(900_000_000))
		}
		if len(p.History) > 0 {
			p.History = slices.Clone(p.History)
			p.History[0].Question = digits + p.History[0].Question
		} else {
			p.Text = digits + p.Text
		}
		all[i] = p
	}
	return all
}
