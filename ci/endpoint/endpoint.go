// Package endpoint knows servers that already run: llama-server, or any other that has
// OpenAI's interface. It starts nothing and sets nothing. What such a server is follows
// from what it tells, and what it does not tell stays unknown.
package endpoint

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/llama-regress/llama-regress/ci/load"
	"github.com/llama-regress/llama-regress/ci/record"
)

// Servers finds the servers of arms. Its zero value is ready to use. It must not be
// copied after its first use.
type Servers struct {
	Getenv func(string) string // of the variables that hold keys; nil: os.Getenv
	Roots  *x509.CertPool      // whose certificates are believed with https; nil: the system's

	mu    sync.Mutex
	known map[string]*Server // by address and model
}

// A Server already runs. It is as it was when it was first identified.
type Server struct {
	arm    record.Arm
	key    load.Key
	roots  *x509.CertPool
	client *http.Client

	told     told
	model    string // that is asked for; "" leaves it to the server
	standard bool   // it takes no more than OpenAI's fields
}

const (
	askTimeout   = 10 * time.Second
	probeTimeout = 60 * time.Second // of a request of two tokens
	maxAnswer    = 1 << 20          // bytes of an answer about the server itself
)

// Identify finds out what the server of an arm is, and by one request of two tokens
// whether it can be measured by that interface. Its errors say what to do. Build has what
// the server tells: Version, Commit and Number of a llama-server, else the name that its
// answers carry; and the Model that it answers with.
func (s *Servers) Identify(ctx context.Context, arm record.Arm, api load.API) (record.Build, error) {
	srv, err := s.get(ctx, arm, api)
	switch {
	case ctx.Err() != nil:
		return record.Build{}, ctx.Err()
	case err != nil:
		return record.Build{}, fmt.Errorf("arm %s: %s: %w", arm.Name, arm.URL, err)
	}
	return srv.told.build(srv.model), nil
}

// Open returns the server of an arm, which must be what it was when it was identified.
func (s *Servers) Open(ctx context.Context, arm record.Arm, api load.API) (*Server, *record.Failure, error) {
	srv, err := s.get(ctx, arm, api)
	if ctx.Err() != nil {
		return nil, nil, ctx.Err()
	}
	if err != nil {
		return nil, &record.Failure{Class: record.Unreachable, Message: fmt.Sprintf("%s: %v", arm.URL, err)}, nil
	}
	now, err := srv.ask(ctx)
	switch {
	case ctx.Err() != nil:
		return nil, nil, ctx.Err()
	case err != nil:
		return nil, &record.Failure{Class: record.Unreachable, Message: fmt.Sprintf("%s: %v", arm.URL, err)}, nil
	}
	if was := srv.told.differs(now); was != "" {
		return nil, &record.Failure{Class: record.BuildChanged, Message: fmt.Sprintf("%s is another server than when the run began: %s; measure one that nobody replaces meanwhile", arm.URL, was)}, nil
	}
	return srv, nil, nil
}

// get is the server of an arm, identified once.
func (s *Servers) get(ctx context.Context, arm record.Arm, api load.API) (*Server, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := arm.URL + "\n" + arm.Model + "\n" + arm.KeyEnv
	if srv := s.known[name]; srv != nil {
		return srv, nil
	}
	getenv := s.Getenv
	if getenv == nil {
		getenv = os.Getenv
	}
	srv := &Server{arm: arm, roots: s.Roots}
	if arm.KeyEnv != "" {
		if err := record.CheckKeyVariable(arm.KeyEnv); err != nil {
			return nil, fmt.Errorf("api_key_env: %w", err)
		}
		srv.key = load.Key(strings.TrimSpace(getenv(arm.KeyEnv)))
		if err := srv.key.Check(); err != nil {
			return nil, fmt.Errorf("%s: %w", arm.KeyEnv, err)
		}
	}
	srv.client = newClient(s.Roots)
	if err := srv.identify(ctx, api); err != nil {
		return nil, err
	}
	if s.known == nil {
		s.known = make(map[string]*Server)
	}
	s.known[name] = srv
	return srv, nil
}

func (srv *Server) identify(ctx context.Context, api load.API) (err error) {
	if srv.told, err = srv.ask(ctx); err != nil {
		return err
	}
	if api == load.Completion && !srv.told.llama {
		return errors.New("it has no /props, so that it is not llama-server, and api completion is llama-server's own: set api: chat or completions (--api chat)")
	}
	if srv.model, err = srv.told.choose(srv.arm.Model); err != nil {
		return err
	}
	return srv.probe(ctx, api)
}

// probe sends one request of two tokens. A server that does not take what only some know
// is asked without.
func (srv *Server) probe(ctx context.Context, api load.API) error {
	for {
		o := load.Options{API: api, Requests: 1, Output: 2, Timeout: probeTimeout}
		srv.Reach(&o)
		res, err := load.Run(ctx, []load.Prompt{{ID: "probe", Text: "Say hello."}}, o)
		if err != nil {
			return err
		}
		f := res.Requests[0].Failure
		switch {
		case f == nil:
			return nil
		case f.Status == http.StatusUnauthorized || f.Status == http.StatusForbidden:
			return srv.locked(f.Status)
		case f.Class == record.HTTP4xx && f.Status != http.StatusNotFound && !srv.standard:
			srv.standard = true
		case f.Status == http.StatusNotFound:
			return fmt.Errorf("it has no %s (%s): correct the address, or ask by another interface (--api chat, completions or completion)", load.Route(api), f.Message)
		default:
			return fmt.Errorf("a request of two tokens failed: %s", f.Message)
		}
	}
}

// URL is the address of the server, without a slash at its end.
func (srv *Server) URL() string { return srv.arm.URL }

// Reach sets how requests come to the server.
func (srv *Server) Reach(o *load.Options) {
	o.URL, o.Key, o.Roots, o.Standard = srv.arm.URL, srv.key, srv.roots, srv.standard
	if o.API != load.Completion {
		o.Model = srv.model
	}
}

// Echo is what a trial's record keeps of the server's own words.
func (srv *Server) Echo() map[string]string { return srv.told.echo(srv.model) }

// Warnings are what every result that comes from this server has to carry.
func (srv *Server) Warnings() []string {
	ws := []string{"llama-regress did not start this server (" + srv.arm.URL + "): how it was started, on what machine, and what else it did meanwhile is not known"}
	if srv.standard {
		ws = append(ws, "this server takes neither ignore_eos nor cache_prompt: its answers may end early, and prompts are told apart by their first digits alone")
	}
	if srv.key != "" && strings.HasPrefix(srv.arm.URL, "http:") && !record.Loopback(srv.arm.URL) {
		ws = append(ws, "the key of this server was sent over http, which everybody on the way can read: use https")
	}
	return ws
}

// Check says whether the server still answers.
func (srv *Server) Check(ctx context.Context, limit time.Duration) *record.Failure {
	if limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	if _, err := srv.ask(ctx); err != nil {
		return &record.Failure{Class: record.Unreachable, Message: fmt.Sprintf("%s: %v", srv.arm.URL, err)}
	}
	return nil
}
