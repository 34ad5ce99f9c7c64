// Package load puts a load of completion requests on a llama-server and says
// what became of each: when it was sent, when its content came, or why it
// failed.
//
// It speaks HTTP/1.1 over its own connections rather than through
// http.Transport, because what a connection does is part of what is measured:
// Transport quietly sends a request again when a reused connection turns out
// to be closed, which hides the very failure that pooling clients of
// llama-server see (see Options.Reuse). Responses are parsed by net/http.
package load

import (
	"context"
	"crypto/x509"
	"errors"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
)

// A Prompt is one request's input: a single prompt, or a turn of a conversation.
type Prompt struct {
	ID     string // its name in the dataset
	Text   string // sent as it is; in a chat as the last message of the user
	Tokens int    // as the dataset was counted; 0 when unknown. The server's own count goes before it
	Output int    // tokens to generate; 0 for Options.Output

	Documents []string // of Rerank: what Text is held against, at least one

	// Turn is the place in a conversation, from 1; 0 for a single prompt. A turn
	// above 1 is sent after the answer to the prompt before it in the list.
	Turn    int
	History []Exchange // of the conversation before Text; nil for none
}

// An Exchange is a question and its answer, as a later turn repeats them.
type Exchange struct{ Question, Answer string }

// An API is the route that is asked.
type API string

const (
	Completion  API = "completion"  // llama-server's own /completion
	Completions API = "completions" // OpenAI's /v1/completions
	Chat        API = "chat"        // OpenAI's /v1/chat/completions
	Embeddings  API = "embeddings"  // OpenAI's /v1/embeddings
	Rerank      API = "rerank"      // /v1/rerank, as Jina and llama-server have it
)

// A Cache is what a request says of the server's prompt cache.
type Cache string

const (
	CacheOff   Cache = "off"   // not to be used: a repeated prompt would cost nothing
	CacheOn    Cache = "on"    // to be used
	CacheUnset Cache = "unset" // nothing, so that the server decides
)

// Names of arrival processes.
const (
	Poisson  = "poisson"
	Constant = "constant"
)

// Options say what load to put on which server. Zero fields have the defaults
// named.
type Options struct {
	URL string // of the server: http or https, with a path when it serves under one
	API API    // Completion

	Model    string         // that is asked for by name, and by no other name may be answered; "" leaves it to the server
	Key      Key            // sent with every request; "" for none
	Roots    *x509.CertPool // whose certificates are believed with https; nil: the system's
	Standard bool           // send only what OpenAI's interface has: neither cache_prompt nor ignore_eos

	Concurrency int     // closed loop: conversations at once, 1; open loop: the most of them, no bound
	Rate        float64 // above 0 an open loop: conversations/s that begin whatever the server does
	Arrivals    string  // of the open loop: Poisson
	Limit       float64 // the most requests/s this client sends, retries included; no bound

	// A conversation is its turns, one request each; a single prompt is a
	// conversation of one. Its next turn is sent ThinkTime after an answer has
	// ended, also after one that failed. Where the server says that the history no
	// longer fits into the context, the conversation ends: see record.Request.Cut.
	Requests  int           // conversations that count, one for each in the prompts. They are taken in order, again from the start when they run out
	Warmup    int           // conversations before those; those that count wait until all of these have ended
	ThinkTime time.Duration // 0

	Output     int            // tokens to generate a request, 64
	FreeLength bool           // let the model stop before Output; otherwise it may not (ignore_eos), so that each run does the same work
	Cache      Cache          // whether the server may take prompts from its cache, CacheOff
	Body       map[string]any // more fields of the request, instead of our own where they have the same name

	Timeout time.Duration // of each attempt, from sending, connecting included; 60 s
	Retries int           // attempts after a failed one
	Backoff time.Duration // upper bound of the pause before the first retry, doubled before each further one, at most 30 s; 1 s. The pause is uniform below it

	// Reuse keeps connections as a simple pooling client does: one that a
	// response left behind is taken for the next request at once. llama-server
	// closes the connection after a streamed response although it advertises
	// keep-alive, so that such a client loses about half of its requests.
	Reuse bool

	Seed uint64 // of arrivals and pauses, and of the model's sampling

	// Alive returns nil while the server's process runs, and then what ended
	// it, wrapping ErrOutOfMemory where that did. It is asked after each broken
	// connection, from several goroutines, and must answer at once.
	Alive func() error

	// Observe is told of the load's progress after each request, one call at a
	// time. It must return quickly.
	Observe func(Progress)
}

// ErrOutOfMemory is wrapped by the error of Options.Alive when the server
// ended because memory was short.
var ErrOutOfMemory = errors.New("out of memory")

// Progress is how far a load has come, warm-up included.
type Progress struct {
	Total    int // requests in all
	Done     int // of them ended, failed ones included
	Failed   int
	InFlight int
}

// A Result is what became of a load.
type Result struct {
	// Requests has a row for each request in the order of sending, warm-up
	// included and marked, without the trial's name. A request counts as sent
	// before it is connected, so that a server which is slow to accept is slow.
	// Of a load that was cancelled, requests that had not ended are missing.
	Requests []record.Request

	// Gaps are the pauses between two successive events with content of one
	// request, of all requests that count, failed ones included, in s and in no
	// order. Events that were read together have a pause of 0. A request that
	// failed has one of +Inf besides: what it waited for never came. Of more than
	// 2^20 it is a uniform sample of that size.
	Gaps []float64

	// Delays say how late this generator was with each request that counts, in
	// s: from the moment it could have been sent (closed loop: a worker free;
	// open loop: due, and below the most in flight) to the beginning of the
	// write, less connecting. Same order as those requests.
	Delays []float64

	Start   time.Time // from which the rows' times count
	Seconds float64   // from the first request that counts to the end of the last, s; 0 when none ended
}

// Run puts the load that opts describe on a server and returns once every
// request has ended. A request that fails is a row with its failure and never
// an error; errors are options or prompts that make no load, a machine on
// which it cannot be generated (out of ports or open files), and the cause of
// ctx when that ends first. The latter two come with the result as far as it
// got.
func Run(ctx context.Context, prompts []Prompt, opts Options) (*Result, error) {
	opts, err := opts.complete(prompts)
	if err != nil {
		return nil, err
	}
	g, err := newGenerator(ctx, prompts, opts)
	if err != nil {
		return nil, err
	}
	defer g.close()
	g.phase(0, opts.Warmup)
	g.phase(opts.Warmup, opts.Warmup+opts.Requests)
	g.awaitServerEnd()
	return g.result(), context.Cause(g.ctx)
}
