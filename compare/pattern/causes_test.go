package pattern

import (
	"fmt"
	"math/rand/v2"

	"github.com/llama-regress/llama-regress/ci/record"
)

// A cause is a way in which requests of a simulated session fail, and the factor
// that is to be named first; "" where nothing but chance makes them fail.
type cause struct {
	name   string
	trials int
	want   Factor
	rss    bool // memory is known
	fails  func(s *session)
}

const (
	perTrial   = 40 // requests, of as many prompts
	workers    = 4
	background = 0.01 // share of requests that fail whatever the cause
)

// A session is trials of one arm: each has all prompts once in an order of its
// own, four at a time, and a server that grows at a speed of its own.
type session struct {
	rng   *rand.Rand
	rows  []record.Request
	speed []float64 // of memory, bytes/s by trial
}

// newSession sends everything, and nothing fails. Connections are reused in half
// of the requests, so that reuse can be told from anything else.
func newSession(rng *rand.Rand, trials int) *session {
	s := &session{rng: rng}
	tokens := make([]int, perTrial)
	for i := range tokens {
		tokens[i] = 20 + rng.IntN(2000)
	}
	for trial := range trials {
		at := make([]float64, workers) // when each is free
		pace := 0.5 + rng.Float64()    // of this server
		for i, p := range rng.Perm(perTrial) {
			w := i % workers
			slot := rng.IntN(workers)
			r := record.Request{Trial: fmt.Sprintf("b%02d", trial), Index: i, Prompt: fmt.Sprintf("sample-%03d", p), PromptTokens: tokens[p], PromptChars: 4 * tokens[p],
				Sent: at[w], Elapsed: pace * (0.5 + rng.Float64()), InFlight: 1 + rng.IntN(2*workers), Attempts: 1, Slot: &slot}
			if r.Connection.Reused = i >= workers && rng.IntN(2) == 0; r.Connection.Reused {
				r.Connection.Age, r.Connection.Idle = 5*rng.Float64(), 0.001*rng.Float64()
			}
			at[w] += r.Elapsed
			s.rows = append(s.rows, r)
		}
		s.speed = append(s.speed, 2e7*(1+4*rng.Float64()))
	}
	return s
}

// share makes that share fail of the requests for which of holds.
func (s *session) share(p float64, of func(r record.Request) bool) {
	for i := range s.rows {
		if of(s.rows[i]) && s.rng.Float64() < p {
			fail(&s.rows[i], record.HTTP5xx)
		}
	}
}

// memory is the size of a trial's server at a time of its load.
func (s *session) memory(trial string, at float64) (int64, bool) {
	var n int
	fmt.Sscanf(trial, "b%d", &n)
	return int64(1e9 + s.speed[n]*at), true
}

func anyRequest(record.Request) bool { return true }

// causes that are planted. None makes every request with it fail, and some fail
// without it, except where the name says so.
var causes = []cause{
	{"prompts above a length, 9 of 10 of their tries", 6, PromptTokens, false, func(s *session) {
		s.share(0.9, func(r record.Request) bool { return r.PromptTokens > 1700 })
	}},
	{"prompts above a length, all of their tries, in one trial", 1, PromptTokens, false, func(s *session) {
		longest(s, 6)
	}},
	{"prompts of which nothing but their characters is known when they fail", 6, PromptChars, false, func(s *session) {
		s.share(1, func(r record.Request) bool { return r.PromptTokens > 1700 })
		for i := range s.rows {
			if s.rows[i].Failure != nil {
				s.rows[i].PromptTokens = 0
			}
		}
	}},
	{"four prompts, 9 of 10 of their tries", 6, Prompt, false, func(s *session) {
		s.share(0.9, func(r record.Request) bool { return r.Prompt < "sample-004" })
	}},
	{"position: 7 of 10 from the 31st request on", 6, Index, true, func(s *session) {
		s.share(0.7, func(r record.Request) bool { return r.Index >= 30 })
	}},
	{"reused connections, 6 of 10", 6, ConnectionReused, false, func(s *session) {
		s.share(0.6, func(r record.Request) bool { return r.Connection.Reused })
	}},
	{"more than 6 requests at a time, 6 of 10", 6, InFlight, false, func(s *session) {
		s.share(0.6, func(r record.Request) bool { return r.InFlight > 6 })
	}},
	{"slot 2, 6 of 10", 6, Slot, false, func(s *session) {
		s.share(0.6, func(r record.Request) bool { return *r.Slot == 2 })
	}},
	{"a stretch of time, 7 of 10", 6, Window, true, func(s *session) {
		s.share(0.7, func(r record.Request) bool { return r.Sent > 3 && r.Sent < 5 })
	}},
	{"memory above a size, 8 of 10", 6, RSS, true, func(s *session) {
		s.share(0.8, func(r record.Request) bool {
			bytes, _ := s.memory(r.Trial, r.Sent+r.Elapsed)
			return bytes > 1.35e9
		})
	}},
	{"one bad trial, 4 of 10", 6, Trial, true, func(s *session) {
		s.share(0.4, func(r record.Request) bool { return r.Trial == "b03" })
	}},
	{"a server that died once", 1, Event, false, func(s *session) {
		from := 10 + s.rng.IntN(20)
		for i := range s.rows {
			if s.rows[i].Index >= from {
				fail(&s.rows[i], record.ConnectionRefused)
			}
		}
	}},
	{"none, 3 of 100", 6, "", true, func(s *session) { s.share(0.03, anyRequest) }},
	{"none, 1 of 10", 6, "", true, func(s *session) { s.share(0.1, anyRequest) }},
	{"none, 3 of 10", 6, "", true, func(s *session) { s.share(0.3, anyRequest) }},
	{"none, 3 of 10 in one trial", 1, "", true, func(s *session) { s.share(0.3, anyRequest) }},
}

// longest makes the longest prompts fail.
func longest(s *session, n int) {
	for range n {
		most := -1
		for i, r := range s.rows {
			if r.Failure == nil && (most < 0 || r.PromptTokens > s.rows[most].PromptTokens) {
				most = i
			}
		}
		fail(&s.rows[most], record.ContextExceeded)
	}
}

// draw simulates a session and returns what is named first; "" for nothing.
func (c cause) draw(n int) Factor {
	rng := rand.New(rand.NewPCG(uint64(n), hashed(c.name)))
	s := newSession(rng, c.trials)
	c.fails(s)
	if c.want != "" && c.trials > 1 {
		s.share(background, anyRequest)
	}
	var o Options
	if c.rss {
		o.RSS = s.memory
	}
	found := Find(s.rows, o).Findings
	if len(found) == 0 {
		return ""
	}
	return found[0].Factor
}
