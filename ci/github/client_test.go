package github_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/github"
	"github.com/llama-regress/llama-regress/ci/github/githubtest"
)

// now is when every test takes place.
var now = time.Date(2026, 11, 14, 9, 30, 0, 0, time.UTC)

// Operations by GitHub's names.
const (
	list   = "issues/list-comments"
	create = "issues/create-comment"
	update = "issues/update-comment"
)

// A clock that passes by being asked to sleep.
type clock struct {
	now   time.Time
	slept []time.Duration
}

func (c *clock) Now() time.Time { return c.now }

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.slept = append(c.slept, d)
	c.now = c.now.Add(d)
	return ctx.Err()
}

func repo(t testing.TB) github.Repo {
	t.Helper()
	r, err := github.ParseRepo(githubtest.Repo)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// dial returns a client of the server and its clock.
func dial(t testing.TB, s *githubtest.Server, change ...func(*github.Options)) (*github.Client, *clock) {
	t.Helper()
	c := &clock{now: now}
	o := github.Options{APIURL: s.URL, Repo: repo(t), Token: githubtest.Token, Wait: 2 * time.Minute, Clock: c}
	for _, f := range change {
		f(&o)
	}
	client, err := github.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return client, c
}

func TestOptionsThatWouldLeakTheToken(t *testing.T) {
	for _, address := range []string{"http://api.github.com", "ftp://api.github.com", "api.github.com", "", "https://user:pw@api.github.com", "https://api.github.com?x=1", "http://localhost.evil.example"} {
		if _, err := github.New(github.Options{APIURL: address, Repo: repo(t), Token: githubtest.Token}); err == nil {
			t.Errorf("address %q was taken", address)
		}
	}
	for _, address := range []string{"https://api.github.com", "https://ghes.example/api/v3", "https://ghes.example/api/v3/", "http://127.0.0.1:8080", "http://[::1]:8080"} {
		if _, err := github.New(github.Options{APIURL: address, Repo: repo(t), Token: githubtest.Token}); err != nil {
			t.Errorf("address %q: %v", address, err)
		}
	}
	for _, token := range []string{"ghs_abc\n", "a b", "a\x00b", "gh\u00e4"} {
		if _, err := github.New(github.Options{APIURL: github.DefaultAPIURL, Repo: repo(t), Token: token}); err == nil || strings.Contains(err.Error(), token) {
			t.Errorf("token %q: %v", token, err)
		}
	}
}

func TestParseRepo(t *testing.T) {
	for _, text := range []string{"ggml-org/llama.cpp", "a/b", "octo_corp/x_y", "o/.github"} {
		if r, err := github.ParseRepo(text); err != nil || r.String() != text {
			t.Errorf("%q: %v, %v", text, r, err)
		}
	}
	for _, text := range []string{"", "o", "o/", "/n", "o/..", "o/.", "../../user", "o/../../user", "o/n/x", "o/n?x", "o/n#x", "-o/n", "o/n%2e", "o o/n", "o/n\n", "ö/n", "o/" + strings.Repeat("n", 101)} {
		if r, err := github.ParseRepo(text); err == nil {
			t.Errorf("%q was taken as %v", text, r)
		}
	}
}

// Whatever a redirect says, no second request is made: not to another host,
// where the token would go, nor after a write, which would become a read.
func TestRedirectsAreRefused(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("followed to another host: %s %s, Authorization %q", r.Method, r.URL, r.Header.Get("Authorization"))
	}))
	defer other.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, calls := range [][]string{{list}, {list, create}} {
			for _, away := range []bool{true, false} {
				s := githubtest.New(t, calls...)
				to := s.URL + "/repos/" + githubtest.Repo + "/issues/7/comments?per_page=100"
				if away {
					to = other.URL
				}
				s.Fail(calls[len(calls)-1], githubtest.Fault{Status: status, Header: map[string]string{"Location": to}})
				client, _ := dial(t, s)
				_, err := client.PostComment(context.Background(), comment())
				var refused *github.RefusedError
				if !errors.As(err, &refused) {
					t.Errorf("%d from %v to %s: %v, want a refusal", status, calls, to, err)
				}
			}
		}
	}
}

func TestLimitsAreWaitedFor(t *testing.T) {
	reset := fmt.Sprint(now.Add(20 * time.Second).Unix())
	cases := map[string]struct {
		fault githubtest.Fault
		want  time.Duration
	}{
		"429 with seconds":   {githubtest.Fault{Status: 429, Header: map[string]string{"Retry-After": "7"}}, 8 * time.Second},
		"429 with a date":    {githubtest.Fault{Status: 429, Header: map[string]string{"Retry-After": now.Add(9 * time.Second).Format(http.TimeFormat)}}, 10 * time.Second},
		"429 alone":          {githubtest.Fault{Status: 429}, 61 * time.Second},
		"429 hourly":         {githubtest.Fault{Status: 429, Header: map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}}, 21 * time.Second},
		"403 hourly":         {githubtest.Fault{Status: 403, Header: map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}}, 21 * time.Second},
		"403 with seconds":   {githubtest.Fault{Status: 403, Header: map[string]string{"Retry-After": "3", "X-RateLimit-Remaining": "55"}}, 4 * time.Second},
		"403 burst by words": {githubtest.Fault{Status: 403, Body: `{"message":"slow down","documentation_url":"https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`}, 61 * time.Second},
		"reset in the past":  {githubtest.Fault{Status: 403, Header: map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}}, time.Second},
		"the whole budget":   {githubtest.Fault{Status: 429, Header: map[string]string{"Retry-After": "119"}}, 2 * time.Minute},
		"nonsense":           {githubtest.Fault{Status: 429, Header: map[string]string{"Retry-After": "-5", "X-RateLimit-Reset": "soon"}}, 61 * time.Second},
	}
	for name, c := range cases {
		for _, calls := range [][]string{{list, list, create}, {list, create, create}} {
			t.Run(name+" "+calls[1], func(t *testing.T) {
				s := githubtest.New(t, calls...)
				s.Fail(calls[1], c.fault)
				client, clock := dial(t, s)
				posted, err := client.PostComment(context.Background(), comment())
				if err != nil || posted.Action != github.Created {
					t.Fatalf("%+v, %v", posted, err)
				}
				if len(clock.slept) != 1 || clock.slept[0] != c.want {
					t.Errorf("waited %v, want %v", clock.slept, c.want)
				}
			})
		}
	}
}

func TestLimitsBeyondTheBudget(t *testing.T) {
	s := githubtest.New(t, list, list, list)
	s.Fail(list, githubtest.Fault{Status: 429, Header: map[string]string{"Retry-After": "90"}}, githubtest.Fault{Status: 429, Header: map[string]string{"Retry-After": "90"}}, githubtest.Fault{Status: 403, Header: map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": fmt.Sprint(now.Add(time.Hour).Unix())}})
	client, clock := dial(t, s)
	_, err := client.PostComment(context.Background(), comment())
	var limit *github.LimitError
	if !errors.As(err, &limit) || !limit.Secondary || !strings.Contains(err.Error(), "--api-wait") || !strings.Contains(err.Error(), "09:33:02") {
		t.Errorf("got %v, want the limit and until when it holds", err)
	}
	if len(clock.slept) != 1 {
		t.Errorf("waited %v, want only what the budget holds", clock.slept)
	}
	if _, err = client.PostComment(context.Background(), comment()); !errors.As(err, &limit) || limit.Secondary {
		t.Errorf("got %v, want the hourly limit", err)
	}
}

// go-github v60 would refuse the next call by itself, by the machine's clock.
func TestAnExhaustedHourDoesNotStopTheNextCall(t *testing.T) {
	s := githubtest.New(t, list, list, create)
	header := map[string]string{"X-RateLimit-Limit": "1000", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": fmt.Sprint(time.Now().Add(time.Hour).Unix())}
	s.Fail(list, githubtest.Fault{Status: 200, Header: header, Body: "[]"})
	client, _ := dial(t, s)
	quiet := comment()
	quiet.Quiet = true
	if posted, err := client.PostComment(context.Background(), quiet); err != nil || posted.Action != github.Skipped {
		t.Fatalf("%+v, %v", posted, err)
	}
	if posted, err := client.PostComment(context.Background(), comment()); err != nil || posted.Action != github.Created {
		t.Errorf("%+v, %v", posted, err)
	}
}

func TestReadsAreRepeated(t *testing.T) {
	for name, fault := range map[string]githubtest.Fault{"500": {Status: 500}, "502": {Status: 502}, "broken connection": {Drop: true}} {
		t.Run(name, func(t *testing.T) {
			s := githubtest.New(t, list, list, list, create)
			s.Fail(list, fault, fault)
			client, clock := dial(t, s)
			if posted, err := client.PostComment(context.Background(), comment()); err != nil || posted.Action != github.Created {
				t.Errorf("%+v, %v", posted, err)
			}
			if len(clock.slept) != 2 || clock.slept[1] <= clock.slept[0]/2 {
				t.Errorf("waited %v, want twice and longer the second time", clock.slept)
			}
		})
	}
}

func TestReadsAreNotRepeatedForEver(t *testing.T) {
	s := githubtest.New(t, list, list, list, list)
	fault := githubtest.Fault{Status: 503, Body: `{"message":"unicorn"}`}
	s.Fail(list, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault)
	s.Expect(list, list, list, list, list, list, list, list) // the writer looks three times
	client, _ := dial(t, s)
	if _, err := client.PostComment(context.Background(), comment()); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("got %v", err)
	}
}

func TestAnswersAreBounded(t *testing.T) {
	for _, status := range []int{200, 404} {
		s := githubtest.New(t, list)
		s.Fail(list, githubtest.Fault{Status: status, Body: `["` + strings.Repeat("x", 16<<20) + `"]`})
		client, _ := dial(t, s)
		if _, err := client.PostComment(context.Background(), comment()); err == nil || !strings.Contains(err.Error(), "larger than 16 MiB") {
			t.Errorf("%d: %.200v, want a bound", status, err)
		}
	}
}

func TestDryRunWritesNothing(t *testing.T) {
	s := githubtest.New(t) // and is asked nothing
	var printed strings.Builder
	client, _ := dial(t, s, func(o *github.Options) { o.DryRun = &printed })
	if _, err := client.PostComment(context.Background(), comment()); err != nil {
		t.Error(err)
	}
	if _, err := client.PostCheck(context.Background(), checkRun()); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"would POST " + s.URL + "/repos/octo-org/llama.cpp/issues/7/comments", "1 regression", "would POST " + s.URL + "/repos/octo-org/llama.cpp/check-runs", `"conclusion": "failure"`} {
		if !strings.Contains(printed.String(), want) {
			t.Errorf("printed %s\nwithout %q", printed.String(), want)
		}
	}
	if strings.Contains(printed.String(), githubtest.Token) {
		t.Error("the token was printed")
	}
}

func TestCancelled(t *testing.T) {
	s := githubtest.New(t, list)
	s.Fail(list, githubtest.Fault{Status: 500})
	ctx, cancel := context.WithCancel(context.Background())
	client, _ := dial(t, s, func(o *github.Options) { o.Notice = func(string) { cancel() } })
	if _, err := client.PostComment(ctx, comment()); err == nil {
		t.Error("no error")
	}
}
