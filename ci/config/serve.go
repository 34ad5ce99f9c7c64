package config

import (
	"cmp"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/llama-regress/llama-regress/ci/record"
)

// Serve is what each trial of llama-server does: a fresh server answers prompts
// of a dataset. Every concurrency and every rate makes a cell of each
// combination of the matrix.
type Serve struct {
	Dataset     Dataset       `yaml:"dataset"`
	Concurrency []int         `yaml:"concurrency"`                 // closed loop: requests, or conversations, under way at any time, 1 to 4096
	Rate        []float64     `yaml:"rate"`                        // open loop: requests a second, above 0, at most 10 000
	Turns       Turns         `yaml:"turns" json:",omitzero"`      // of each conversation; none: prompts stand alone
	ThinkTime   time.Duration `yaml:"think_time" json:",omitzero"` // between an answer and the next turn, 0 to 1 h

	Arrivals string `yaml:"arrivals"` // of the open loop: poisson or constant
	API      string `yaml:"api"`      // completion (llama.cpp's own), completions or chat (OpenAI's); embeddings or rerank, which are workloads of their own

	Requests       int           `yaml:"requests"`          // that count, in a trial, or conversations; 0 means as many as the dataset's sample
	PerUser        int           `yaml:"requests_per_user"` // at least so many for each concurrent request, 0 to 1000
	Warmup         int           `yaml:"warmup"`            // requests before those that count, 0 to 1000
	OutputTokens   int           `yaml:"output_tokens"`     // of an answer, 1 to 65536
	Stop           bool          `yaml:"stop"`              // an answer may end before that, when the model says so
	RequestTimeout time.Duration `yaml:"request_timeout"`   // from sending to the last event, 1 ms to 24 h
	Retries        int           `yaml:"retries"`           // of a failed request, 0 to 10
	RateLimit      float64       `yaml:"rate_limit"`        // requests a second that the client never exceeds; 0 for no limit
	Connections    string        `yaml:"connections"`       // fresh: one a request; reuse: kept in a pool

	Documents int `yaml:"documents" json:",omitempty"` // of rerank: that each prompt is held against, at most 1000; 0 for 10

	Objectives Objectives `yaml:"objectives"`
	Server     Server     `yaml:"server"`

	Args [][]string `yaml:"args" json:",omitempty"` // of llama-server, each list a cell of each combination; none for no arguments
}

// Workload is the one of the catalogue that the section describes.
func (s *Serve) Workload() string {
	switch s.API {
	case "embeddings":
		return record.EmbeddingsWorkload
	case "rerank":
		return record.RerankWorkload
	}
	return record.ServeWorkload
}

// DocumentsEach is how many documents each prompt is held against.
func (s *Serve) DocumentsEach() int { return cmp.Or(s.Documents, 10) }

// Count is how many requests of a trial count, at that concurrency; 0 in an
// open loop.
func (s *Serve) Count(concurrency int) int {
	return max(cmp.Or(s.Requests, s.Dataset.Sample), s.PerUser*concurrency)
}

// Turns is how many turns of each conversation are held.
type Turns struct{ Least, Most int }

// MostTurns bounds the turns of a conversation.
const MostTurns = 1000

// ParseTurns reads a number of turns, "4", or a range, "2-8".
func ParseTurns(text string) (Turns, error) {
	least, most, ranged := strings.Cut(text, "-")
	if !ranged {
		most = least
	}
	var t Turns
	var errs [2]error
	t.Least, errs[0] = strconv.Atoi(least)
	t.Most, errs[1] = strconv.Atoi(most)
	if errs != [2]error{} || t.Least < 2 || t.Most < t.Least || t.Most > MostTurns || t.String() != text {
		return Turns{}, fmt.Errorf("want turns of each conversation, 2 to %d, such as 4, or a range, such as 2-8; leave it out for single prompts", MostTurns)
	}
	return t, nil
}

// String writes t as ParseTurns reads it.
func (t Turns) String() string {
	if t.Least == t.Most {
		return strconv.Itoa(t.Least)
	}
	return fmt.Sprintf("%d-%d", t.Least, t.Most)
}

// client are the parameters by which a cell says what its client does, but for
// the load; a nil Serve has none.
func (s *Serve) client() map[string]string {
	params := make(map[string]string)
	if s != nil && s.Turns != (Turns{}) {
		params[record.TurnsParam] = s.Turns.String()
		if s.ThinkTime > 0 {
			params[record.ThinkTimeParam] = s.ThinkTime.String()
		}
	}
	return params
}

// NameClient adds to a cell's parameters what its client does, but for the load.
func (s *Serve) NameClient(params map[string]string) { maps.Copy(params, s.client()) }

// A Dataset is a file of conversations and how prompts are drawn from it.
type Dataset struct {
	Path   string `yaml:"path"`   // as written; see Config.Abs
	Sample int    `yaml:"sample"` // prompts, 1 to 100 000
	Seed   uint64 `yaml:"seed"`   // of the draw
	Rule   string `yaml:"rule"`   // whose rule of selection: human, vllm, sglang or first

	// Limits in tokens, counted by the server itself; 0 for the rule's own.
	MinPromptTokens int `yaml:"min_prompt_tokens"`
	MaxPromptTokens int `yaml:"max_prompt_tokens"`
	MaxTotalTokens  int `yaml:"max_total_tokens"`
}

// Objectives are what a request must meet to count for goodput; 0 for none.
type Objectives struct {
	TTFT time.Duration `yaml:"ttft"`
	TPOT time.Duration `yaml:"tpot"`
	E2E  time.Duration `yaml:"e2e"`
}

// Any says whether there is an objective.
func (o Objectives) Any() bool { return o != Objectives{} }

// Seconds returns the objectives there are, by name; nil when there are none.
func (o Objectives) Seconds() map[string]float64 {
	var set map[string]float64
	for name, d := range map[string]time.Duration{"ttft": o.TTFT, "tpot": o.TPOT, "e2e": o.E2E} {
		if d > 0 {
			if set == nil {
				set = make(map[string]float64)
			}
			set[name] = d.Seconds()
		}
	}
	return set
}

// Server is how llama-server is started in every serve cell.
type Server struct {
	Params       map[string]string `yaml:"-"`             // of record.Params; only such as neither the matrix nor an arm sets
	StartTimeout time.Duration     `yaml:"start_timeout"` // until it is healthy, 1 s to 1 h
}

// Rules of selection, arrivals, interfaces and connections that there are.
var (
	datasetRules = []string{"human", "vllm", "sglang", "first"}
	arrivals     = []string{"poisson", "constant"}
	apis         = []string{"completion", "completions", "chat", "embeddings", "rerank"}
	connections  = []string{"fresh", "reuse"}
)

// DefaultServe is a serve section that names neither a dataset nor a load.
func DefaultServe() *Serve {
	return &Serve{
		Dataset:        Dataset{Sample: 100, Seed: 1, Rule: "human"},
		Arrivals:       "poisson",
		API:            "completion",
		Warmup:         4,
		OutputTokens:   64,
		RequestTimeout: 60 * time.Second,
		Connections:    "fresh",
		Server:         Server{StartTimeout: 30 * time.Second},
	}
}

func (r *reader) serve(path string, n ast.Node, to **Serve) {
	s := DefaultServe()
	*to = s
	seconds := func(d *time.Duration) setter { return r.duration(d) }
	r.object(path, n, map[string]setter{
		"dataset": func(path string, n ast.Node) {
			d := &s.Dataset
			r.object(path, n, map[string]setter{
				"path": r.text(&d.Path), "sample": r.whole(&d.Sample), "seed": r.seed(&d.Seed), "rule": r.text(&d.Rule),
				"min_prompt_tokens": r.whole(&d.MinPromptTokens),
				"max_prompt_tokens": r.whole(&d.MaxPromptTokens),
				"max_total_tokens":  r.whole(&d.MaxTotalTokens),
			})
		},
		"concurrency": r.oneOrMore(func(path string, n ast.Node) {
			var v int
			r.whole(&v)(path, n)
			s.Concurrency = append(s.Concurrency, v)
		}),
		"rate":              r.oneOrMore(func(path string, n ast.Node) { var v float64; r.number(&v)(path, n); s.Rate = append(s.Rate, v) }),
		"args":              r.argsOrMore(&s.Args),
		"arrivals":          r.text(&s.Arrivals),
		"api":               r.text(&s.API),
		"turns":             r.turns(&s.Turns),
		"think_time":        seconds(&s.ThinkTime),
		"requests":          r.whole(&s.Requests),
		"requests_per_user": r.whole(&s.PerUser),
		"warmup":            r.whole(&s.Warmup),
		"output_tokens":     r.whole(&s.OutputTokens),
		"stop":              r.truth(&s.Stop),
		"documents":         r.whole(&s.Documents),
		"request_timeout":   seconds(&s.RequestTimeout),
		"retries":           r.whole(&s.Retries),
		"rate_limit":        r.number(&s.RateLimit),
		"connections":       r.text(&s.Connections),
		"objectives": func(path string, n ast.Node) {
			o := &s.Objectives
			r.object(path, n, map[string]setter{"ttft": seconds(&o.TTFT), "tpot": seconds(&o.TPOT), "e2e": seconds(&o.E2E)})
		},
		"server": func(path string, n ast.Node) {
			keys := map[string]setter{"start_timeout": seconds(&s.Server.StartTimeout)}
			s.Server.Params = map[string]string{}
			for _, p := range record.Params {
				if p.Target != record.LlamaCpp {
					continue // of the machine, and so of every workload, or with a key of its own
				}
				keys[p.Name] = func(path string, n ast.Node) { s.Server.Params[p.Name] = r.param(path, n) }
			}
			r.object(path, n, keys)
		},
	})
}

// turns reads a whole number or a range.
func (r *reader) turns(to *Turns) setter {
	return func(path string, n ast.Node) {
		const want = "turns of each conversation, such as 4 or 2-8"
		text, ok := r.scalar(path, n, want)
		if !ok {
			return
		}
		t, err := ParseTurns(text)
		if err != nil {
			r.fault(path, "%v", err)
			return
		}
		*to = t
	}
}
