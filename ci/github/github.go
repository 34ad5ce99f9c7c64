// Package github is everything that talks to GitHub: which pull request a run
// belongs to, the one comment that updates itself, the check run, the runner's
// command files, and the artifact that an unprivileged job left behind.
//
// It posts bytes and renders none. What it reads is foreign, from the artifact
// of a fork above all: that decides what a report says, never where it goes.
// The API client is go-github v60 behind a transport of ours, which keeps the
// token on one host and inside one repository, waits for GitHub's limits within
// a bound, and repeats only what was certainly not done.
package github

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	gh "github.com/google/go-github/v60/github"
)

// DefaultAPIURL is the API of github.com; an Enterprise server's is in
// GITHUB_API_URL.
const DefaultAPIURL = "https://api.github.com"

// Options of a Client. APIURL and Repo are required.
type Options struct {
	APIURL  string   // such as DefaultAPIURL; https, or http on this machine alone
	Repo    Repo     // the only repository the client reads or writes
	Token   string   // "" reads public data and can write nothing
	Secrets []string // further values never to be posted; those under 8 bytes are not looked for

	Wait   time.Duration     // most time spent waiting for limits and before retries, all calls together; 0 means none
	DryRun io.Writer         // where writes are printed instead of being done; nil does them
	Notice func(string)      // told in one sentence when the client waits; nil tells nobody
	Clock  Clock             // nil is the system's
	Next   http.RoundTripper // what carries requests; nil is the default of net/http
}

// A Clock tells the time and passes it.
type Clock interface {
	Now() time.Time
	Sleep(context.Context, time.Duration) error // returns early with the context's error
}

// A Client works on one repository. It is not for concurrent use.
type Client struct {
	api     *gh.Client
	plain   *http.Client // without token, for signed addresses
	repo    Repo
	through *transport
	secrets []string
}

// New returns a client, or an error when the options would send a token where
// it does not belong.
func New(o Options) (*Client, error) {
	base, err := apiBase(o.APIURL)
	if err != nil {
		return nil, err
	}
	if err := o.Repo.check(); err != nil {
		return nil, err
	}
	if strings.ContainsFunc(o.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("the token holds blanks or line ends: check how the secret was pasted")
	}
	if o.Clock == nil {
		o.Clock = systemClock{}
	}
	if o.Next == nil {
		o.Next = http.DefaultTransport
	}
	if o.Notice == nil {
		o.Notice = func(string) {}
	}
	t := &transport{base: base, scope: base.Path + "repos/" + o.Repo.String() + "/", token: o.Token,
		next: o.Next, clock: o.Clock, left: o.Wait, wait: o.Wait, dry: o.DryRun, notice: o.Notice}
	api := gh.NewClient(&http.Client{Transport: t, CheckRedirect: refuseRedirect})
	api.BaseURL = base
	api.UserAgent = "llama-regress"
	return &Client{api: api, repo: o.Repo, through: t, secrets: append([]string{o.Token}, o.Secrets...),
		plain: &http.Client{Transport: o.Next, CheckRedirect: refuseRedirect}}, nil
}

// apiBase checks the API's address and ends it with a slash, as go-github
// wants it. Its own WithEnterpriseURLs would add /api/v3/, which GITHUB_API_URL
// already has.
func apiBase(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("API address %q: want something like %s", address, DefaultAPIURL)
	}
	if !secure(u) {
		return nil, fmt.Errorf("API address %q: want https, else anyone on the way reads the token", address)
	}
	u.Path = strings.TrimRight(u.Path, "/") + "/"
	return u, nil
}

// secure allows plain http only where nothing leaves the machine.
func secure(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && ip != nil && ip.IsLoopback()
}

// refuseRedirect follows none: to another host it would carry the token there,
// and after a write it would turn the request into a read.
func refuseRedirect(req *http.Request, _ []*http.Request) error {
	return &RefusedError{fmt.Sprintf("a redirect to %s://%s was not followed; if the repository was renamed, use its new name", req.URL.Scheme, req.URL.Host)}
}

// A RefusedError is a request that was not sent, or an answer not taken.
type RefusedError struct{ Why string }

func (e *RefusedError) Error() string { return e.Why }

// A Repo names a repository.
type Repo struct{ Owner, Name string }

// ParseRepo reads OWNER/NAME.
func ParseRepo(s string) (Repo, error) {
	owner, name, _ := strings.Cut(s, "/")
	r := Repo{owner, name}
	return r, r.check()
}

func (r Repo) String() string { return r.Owner + "/" + r.Name }

// The characters GitHub allows; an underscore is in owners of enterprises that
// manage their users. go-github puts both into paths as they are.
var (
	ownerPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$`)
	namePattern  = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)
	shaPattern   = regexp.MustCompile(`^[0-9a-f]{40}$`)
)

func (r Repo) check() error {
	if !ownerPattern.MatchString(r.Owner) || !namePattern.MatchString(r.Name) || r.Name == "." || r.Name == ".." {
		return fmt.Errorf("repository %q: want OWNER/NAME", r.String())
	}
	return nil
}

// redact removes what must not be posted: GitHub masks secrets in logs, not in
// what is sent to its API.
func (c *Client) redact(text string) string {
	for _, secret := range c.secrets {
		if len(secret) >= 8 {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return text
}

// eachPage calls list with every page until it says there is none.
func eachPage(list func(gh.ListOptions) (*gh.Response, error)) error {
	const most = 1000 // 100 000 entries: no pull request has more
	opts := gh.ListOptions{PerPage: 100}
	for range most {
		resp, err := list(opts)
		if err != nil {
			return err
		}
		if resp.NextPage == 0 {
			return nil
		}
		opts.Page = resp.NextPage
	}
	return fmt.Errorf("GitHub's list does not end after %d pages", most)
}
