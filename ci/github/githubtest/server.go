// Package githubtest is a GitHub for tests. It pages, limits, refuses, fails
// after having written, and redirects on demand; it holds every request against
// GitHub's published description of its API, and fails the test on a call that
// was not expected, or that was and did not come.
package githubtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// What the server knows from the start.
const (
	Token  = "ghs_0123456789abcdefghij" // of no account
	Repo   = "octo-org/llama.cpp"
	RepoID = 1296269
	Prefix = "/api/v3" // of every path, as on an Enterprise server
)

// A Server is one GitHub with one repository.
type Server struct {
	URL      string // for GITHUB_API_URL
	Blobs    string // another host, where artifacts lie
	PageSize int    // most entries of a page, whatever is asked for
	MaxBody  int    // bytes of a comment; longer ones get 422

	mu       sync.Mutex
	t        testing.TB
	expected []string
	calls    []string
	faults   map[string][]Fault
	writes   int // ids given so far

	comments  map[int][]*Comment
	checks    []*Check
	Pulls     []Pull
	Artifacts []Artifact
	Issues    []*Issue

	DropLabels bool // as GitHub does where the token may not set any
}

// A Fault is an answer that is not the regular one.
type Fault struct {
	Status  int
	Header  map[string]string
	Body    string
	Written bool // what was asked for is done first
	Drop    bool // the connection breaks instead of an answer
}

// New starts a server that expects exactly the operations listed, in this
// order, by GitHub's names for them, such as "issues/list-comments". What did
// not come is reported when the test ends.
func New(t testing.TB, expected ...string) *Server {
	t.Helper()
	s := &Server{t: t, PageSize: 100, MaxBody: 262_144, faults: make(map[string][]Fault), comments: make(map[int][]*Comment), writes: 1000}
	s.Expect(expected...)
	api := httptest.NewServer(http.HandlerFunc(s.serve))
	blobs := httptest.NewServer(http.HandlerFunc(s.serveBlob))
	s.URL, s.Blobs = api.URL+Prefix, blobs.URL
	t.Cleanup(func() {
		api.Close()
		blobs.Close()
		s.Verify()
	})
	return s
}

// Expect adds operations to those expected.
func (s *Server) Expect(operations ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expected = append(s.expected, operations...)
}

// Verify fails the test unless the operations so far are the ones expected.
func (s *Server) Verify() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.calls, s.expected) {
		s.t.Errorf("GitHub was called for\n  %s\nexpected\n  %s", strings.Join(s.calls, "\n  "), strings.Join(s.expected, "\n  "))
	}
}

// Fail makes the next calls of an operation end in these faults, one each. The
// zero Fault stands for a regular answer.
func (s *Server) Fail(operation string, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[operation] = append(s.faults[operation], faults...)
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	op, vars := find(r)
	if op == nil {
		s.t.Errorf("unexpected request: %s %s", r.Method, r.URL)
		http.Error(w, `{"message":"Not Found"}`, http.StatusNotFound)
		return
	}
	if n := len(s.calls); n >= len(s.expected) || s.expected[n] != op.Operation {
		s.t.Errorf("call %d is %s %s (%s), which was not expected", n+1, r.Method, r.URL, op.Operation)
	}
	s.calls = append(s.calls, op.Operation)
	body, err := op.check(r)
	if err != nil {
		s.t.Errorf("%s: %v", op.Operation, err)
	}
	if got := r.Header.Get("Authorization"); got != "Bearer "+Token {
		s.t.Errorf("%s: Authorization is %q", op.Operation, got)
	}
	fault, failing := s.nextFault(op.Operation)
	if failing && !fault.Written {
		answerFault(w, fault)
		return
	}
	code, answer := s.do(w.Header(), op, vars, r.URL.Query(), body)
	if failing {
		answerFault(w, fault)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		s.t.Error(err)
	}
}

func (s *Server) nextFault(operation string) (Fault, bool) {
	queue := s.faults[operation]
	if len(queue) == 0 {
		return Fault{}, false
	}
	s.faults[operation] = queue[1:]
	return queue[0], queue[0].Status != 0 || queue[0].Drop
}

func answerFault(w http.ResponseWriter, f Fault) {
	if f.Drop {
		panic(http.ErrAbortHandler)
	}
	for name, value := range f.Header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(f.Status)
	fmt.Fprint(w, f.Body)
}

// page cuts a list as the query asks and says in the header where it goes on.
func (s *Server) page(h http.Header, path string, query url.Values, n int) (from, to int) {
	size, err := strconv.Atoi(query.Get("per_page"))
	if err != nil || size != 100 {
		s.t.Errorf("%s: per_page is %q, want the most there is, 100", path, query.Get("per_page"))
	}
	number := 1
	if text := query.Get("page"); text != "" {
		number, _ = strconv.Atoi(text)
	}
	size = min(max(size, 1), s.PageSize)
	from, to = min((number-1)*size, n), min(number*size, n)
	if to < n {
		query.Set("page", strconv.Itoa(number+1))
		h.Set("Link", fmt.Sprintf(`<%s%s?%s>; rel="next"`, s.URL, path, query.Encode()))
	}
	return from, to
}
