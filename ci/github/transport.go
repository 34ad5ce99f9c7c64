package github

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"
)

const (
	maxAnswer   = 16 << 20         // bytes of one answer; a page of 100 long comments has 6 MB
	readTries   = 4                // of a request that writes nothing
	callTimeout = 30 * time.Second // of one try
)

// A transport carries go-github's requests. The token goes to the API's own
// host and to paths of one repository; anything else is refused unsent.
type transport struct {
	base   *url.URL
	scope  string // path that every request begins with
	token  string
	next   http.RoundTripper
	clock  Clock
	wait   time.Duration // budget for waiting
	left   time.Duration // of it
	dry    io.Writer
	notice func(string)
}

// RoundTrip sends a request, and again where that is safe: always after a
// limit, which is an answer instead of the deed; after a fault only when
// nothing is written.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer req.Body.Close()
	}
	if err := t.admit(req.URL); err != nil {
		return nil, err
	}
	reads := req.Method == http.MethodGet
	switch {
	case t.dry != nil && reads:
		return t.nothing(req)
	case t.dry != nil:
		return t.print(req)
	}
	for try := 1; ; try++ {
		resp, err := t.once(req)
		limit := limitOf(resp, t.clock.Now())
		switch {
		case limit != nil:
			if err := t.pause(req.Context(), limit.after, "GitHub's limit is reached"); err != nil {
				return nil, limit.beyond(t.wait, err)
			}
		case !reads || try == readTries || !passing(req.Context(), resp, err):
			return resp, err
		default:
			if t.pause(req.Context(), backoff(try), "GitHub did not answer") != nil {
				return resp, err
			}
		}
	}
}

// admit refuses addresses outside the API and the repository. go-github
// resolves ".." in what it is given before it gets here.
func (t *transport) admit(u *url.URL) error {
	if u.Scheme != t.base.Scheme || u.Host != t.base.Host {
		return &RefusedError{fmt.Sprintf("refused to send a request to %s://%s: the API is %s", u.Scheme, u.Host, t.base.Host)}
	}
	if !strings.HasPrefix(u.Path, t.scope) || path.Clean(u.Path) != u.Path {
		return &RefusedError{fmt.Sprintf("refused to send a request for %s: it is outside %s", u.Path, t.scope)}
	}
	return nil
}

// once sends the request one time and takes in the whole answer, bounded.
func (t *transport) once(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), callTimeout)
	defer cancel()
	try := req.Clone(ctx)
	if req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return nil, err
		}
		try.Body = body
	}
	if t.token != "" {
		try.Header.Set("Authorization", "Bearer "+t.token)
	}
	resp, err := t.next.RoundTrip(try)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxAnswer {
		return nil, &RefusedError{fmt.Sprintf("the answer to %s is larger than %d MiB", req.URL.Path, maxAnswer>>20)}
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// passing reports whether a fault may be gone next time.
func passing(ctx context.Context, resp *http.Response, err error) bool {
	if ctx.Err() != nil || refused(err) {
		return false
	}
	return err != nil || resp.StatusCode >= 500
}

// pause waits out of the budget; it returns an error when that is too small or
// the context ended.
func (t *transport) pause(ctx context.Context, d time.Duration, why string) error {
	if d > t.left {
		return errBudget
	}
	t.left -= d
	t.notice(fmt.Sprintf("%s; waiting %s", why, d.Round(time.Second)))
	return t.clock.Sleep(ctx, d)
}

// backoff grows from 1 s by doubling, with jitter, so that jobs which failed
// together do not come back together.
func backoff(try int) time.Duration {
	d := time.Second << (try - 1)
	return d + time.Duration(rand.Int64N(int64(d)/2))
}

// nothing answers what a dry run would ask: there is none. It asks nobody, so what
// cannot be done without an answer is refused.
func (t *transport) nothing(req *http.Request) (*http.Response, error) {
	body := "[]"
	switch path := req.URL.Path; {
	case strings.HasSuffix(path, "/check-runs"):
		body = "{}"
	case strings.HasSuffix(path, "/comments"), strings.HasSuffix(path, "/issues"):
	default:
		return nil, &RefusedError{"a dry run does not ask GitHub for " + path + ": name the pull request with --pr and --sha, and a downloaded artifact as a file"}
	}
	return &http.Response{StatusCode: http.StatusOK, Status: "200 dry run", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: req}, nil
}

// print shows what would be written and answers with an empty object.
func (t *transport) print(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
	}
	var indented bytes.Buffer
	if json.Indent(&indented, bytes.TrimSpace(body), "", "  ") == nil {
		body = indented.Bytes()
	}
	if _, err := fmt.Fprintf(t.dry, "would %s %s\n%s\n", req.Method, req.URL, body); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Status: "200 dry run", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}")), Request: req}, nil
}

// systemClock is the clock of the machine.
type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
