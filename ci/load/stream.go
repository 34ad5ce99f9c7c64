package load

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"github.com/llama-regress/llama-regress/ci/record"
)

// A chunk holds what matters of an event of any of the three APIs.
type chunk struct {
	// native
	Content         string   `json:"content"`
	Stop            bool     `json:"stop"`
	TokensPredicted number   `json:"tokens_predicted"`
	TokensEvaluated number   `json:"tokens_evaluated"`
	Truncated       bool     `json:"truncated"`
	Slot            *number  `json:"id_slot"`
	Timings         *timings `json:"timings"` // also in the last choice of OpenAI's

	// OpenAI's
	Choices []struct {
		Text  string `json:"text"`
		Delta struct {
			Content   string `json:"content"`
			Reasoning string `json:"reasoning_content"` // generated like any other
		} `json:"delta"`
		FinishReason string `json:"finish_reason"`
	} `json:"choices"`
	Usage *struct {
		PromptTokens     number `json:"prompt_tokens"`
		CompletionTokens number `json:"completion_tokens"`
		Details          struct {
			Cached *number `json:"cached_tokens"` // since build 8439
		} `json:"prompt_tokens_details"`
	} `json:"usage"`

	Model string          `json:"model"`
	Error json.RawMessage `json:"error"`
}

// timings are llama-server's, in the unit that the names say.
type timings struct {
	CacheN      *number `json:"cache_n"` // since build 6399
	PromptN     number  `json:"prompt_n"`
	PromptMS    number  `json:"prompt_ms"`
	PredictedN  number  `json:"predicted_n"`
	PredictedMS number  `json:"predicted_ms"`
	DraftN      number  `json:"draft_n"` // this and the next only where something was drafted
	DraftTaken  number  `json:"draft_n_accepted"`
}

// A number is one that a server told us.
type number float64

// count returns n as a count, 0 when it is none that could be true.
func (n number) count() int {
	if n < 0 || n > 1e9 || n != number(math.Trunc(float64(n))) {
		return 0
	}
	return int(n)
}

// seconds returns n milliseconds in s, 0 when that could not be true.
func (n number) seconds() float64 {
	if n < 0 || n > 1e12 {
		return 0
	}
	return float64(n) / 1000
}

// An answer gathers what the events of one response say. Moments count from
// the start of the load.
type answer struct {
	api    API
	output int    // tokens asked for
	model  string // asked for; "" for any

	events      int // with content
	first, last time.Duration
	maxGap      time.Duration
	gaps        []time.Duration

	finished     bool // stop or finish_reason came
	truncated    bool // because the context is full
	promptTokens int
	outputTokens int
	slot         *int
	server       *record.ServerTimings
	cached       *int // tokens of the prompt that came from the cache, where the server says so
}

// take adds the event that came at that moment. It reports whether it is the
// response's last, and the failure that it tells of or is.
func (a *answer) take(e event, at time.Duration) (last bool, _ *record.RequestFailure) {
	if e.failed {
		return false, a.serverError(e.data, 0)
	}
	if string(e.data) == "[DONE]" && a.api != Completion {
		if !a.finished {
			return false, failed(record.TruncatedStream, "[DONE] came before any reason to finish", nil)
		}
		return true, a.short()
	}
	if !utf8.Valid(e.data) {
		return false, failed(record.MalformedEvent, "an event is not valid UTF-8", e.data)
	}
	if e, ok := a.quick(e.data); ok {
		a.takeQuick(e, at)
		return false, nil
	}
	return a.decode(e, at)
}

// decode is take for any event that is valid UTF-8.
func (a *answer) decode(e event, at time.Duration) (last bool, _ *record.RequestFailure) {
	var c chunk
	if !bytes.HasPrefix(bytes.TrimLeft(e.data, " \t\n"), []byte("{")) {
		return false, failed(record.MalformedEvent, "an event is not a JSON object", e.data)
	}
	if err := json.Unmarshal(e.data, &c); err != nil {
		return false, failed(record.MalformedEvent, "an event could not be read: "+err.Error(), e.data)
	}
	if len(c.Error) > 0 && string(c.Error) != "null" {
		return false, a.serverError(e.data, 0)
	}
	if !sameModel(a.model, c.Model) {
		return false, failed(record.MalformedEvent, fmt.Sprintf("the server answers with the model %q, asked for was %q", quote([]byte(c.Model)), a.model), nil)
	}
	if a.text(&c) {
		a.content(at)
	}
	a.facts(&c)
	if a.api == Completion && c.Stop {
		a.finished = true
		return true, a.short()
	}
	return false, nil
}

// takeQuick is take for an event that quick could read.
func (a *answer) takeQuick(e quickEvent, at time.Duration) {
	if e.content {
		a.content(at)
	}
	if e.predicted > 0 {
		a.outputTokens = e.predicted
	}
	if e.evaluated > 0 {
		a.promptTokens = e.evaluated
	}
	if slot := e.slot; slot >= 0 && (a.slot == nil || *a.slot != slot) {
		a.slot = new(slot)
	}
}

// text reports whether c brings content.
func (a *answer) text(c *chunk) bool {
	if a.api == Completion {
		return c.Content != ""
	}
	for _, choice := range c.Choices {
		if choice.Text != "" || choice.Delta.Content != "" || choice.Delta.Reasoning != "" {
			return true
		}
	}
	return false
}

// content notes that some came.
func (a *answer) content(at time.Duration) {
	if a.events == 0 {
		a.first = at
	} else {
		gap := at - a.last
		a.gaps = append(a.gaps, gap)
		a.maxGap = max(a.maxGap, gap)
	}
	a.events++
	a.last = at
}

// facts takes over what the server says of the request. Chunks are not tokens:
// one may hold none of them, or several.
func (a *answer) facts(c *chunk) {
	if n := c.TokensPredicted.count(); n > 0 {
		a.outputTokens = n
	}
	if n := c.TokensEvaluated.count(); n > 0 {
		a.promptTokens = n
	}
	if c.Usage != nil {
		a.promptTokens, a.outputTokens = c.Usage.PromptTokens.count(), c.Usage.CompletionTokens.count()
		a.told(c.Usage.Details.Cached)
	}
	if c.Slot != nil && *c.Slot >= 0 {
		slot := c.Slot.count()
		a.slot = &slot
	}
	if t := c.Timings; t != nil {
		a.server = &record.ServerTimings{
			PromptTokens: t.PromptN.count(), PromptSeconds: t.PromptMS.seconds(),
			OutputTokens: t.PredictedN.count(), OutputSeconds: t.PredictedMS.seconds(),
			DraftTokens: t.DraftN.count(), DraftAccepted: t.DraftTaken.count(),
		}
		if a.told(t.CacheN); t.CacheN != nil {
			a.server.CachedTokens = t.CacheN.count()
		}
	}
	a.truncated = a.truncated || c.Truncated
	for _, choice := range c.Choices {
		switch choice.FinishReason {
		case "":
			continue
		case "length":
			a.truncated = true // unless all that was asked for is there; see short
		}
		a.finished = true
	}
}

// told takes over how many tokens came from the prompt cache.
func (a *answer) told(cached *number) {
	if cached != nil && *cached >= 0 {
		n := cached.count()
		a.cached = &n
	}
}

// cachedTokens returns how many of a prompt's tokens came from the server's
// cache; nil where that is not known. Builds before 6399 tell only how many they
// processed.
func (a *answer) cachedTokens(prompt int) *int {
	cached := a.cached
	if cached == nil && a.server != nil && a.server.PromptTokens > 0 {
		n := prompt - a.server.PromptTokens
		cached = &n
	}
	if cached == nil || *cached < 0 || *cached > prompt {
		return nil
	}
	return cached
}

// short returns how a response that ended well still is no success.
//
// A context that is full ends an answer early and says so (truncated, or
// finish_reason length). Builds before 6206 shift the context instead, which
// drops the beginning of the prompt; they say truncated with all tokens there.
func (a *answer) short() *record.RequestFailure {
	missing := a.outputTokens > 0 && a.outputTokens < a.output
	switch {
	case a.truncated && (missing || a.api == Completion):
		return failed(record.ContextExceeded, fmt.Sprintf(
			"prompt and answer do not fit into a slot's context: %d of %d tokens were generated", a.outputTokens, a.output), nil)
	case a.events == 0:
		return failed(record.EmptyResponse, "the response ended well without any content", nil)
	}
	return nil
}

// tpot returns the mean time of a token after the first, s, 0 when undefined.
func (a *answer) tpot() float64 {
	if a.outputTokens < 2 || a.events < 2 {
		return 0
	}
	return (a.last - a.first).Seconds() / float64(a.outputTokens-1)
}
