package serve

import "github.com/llama-regress/llama-regress/ci/record"

// drafted sums up what speculative decoding drafted and what of it was taken, and
// counts the answers of two tokens or more of which the server told its timings.
func (y yield) drafted() (drafted, accepted, told int) {
	for _, r := range y.requests {
		if t := r.Server; r.Failure == nil && t != nil && t.OutputTokens > 1 {
			told++
			drafted += t.DraftTokens
			accepted += t.DraftAccepted
		}
	}
	return drafted, accepted, told
}

// undrafted says that a server was to draft tokens and drafted none; nil of one that
// was not asked to, or did, or does not tell.
func (y yield) undrafted(command []string, env map[string]string) *record.Failure {
	if n, _, told := y.drafted(); n > 0 || told == 0 || !record.AsksForDraft(command, env) {
		return nil
	}
	return &record.Failure{
		Class:   record.NoSpeculation,
		Message: "speculative decoding was asked for and is not running: not one token was drafted; see the server's log for why (a draft model of another vocabulary, a model without such heads), or take the argument out",
	}
}
