// Package posting connects commands to GitHub, and says where to what could not
// be posted.
package posting

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/pflag"

	"github.com/llama-regress/llama-regress/ci/github"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
)

// apiWait is how long the command waits for GitHub's limits unless told.
const apiWait = 2 * time.Minute

// API are the flags that say how GitHub is talked to.
type API struct {
	repo   string
	wait   time.Duration
	DryRun bool
}

// Register defines the flags.
func (p *API) Register(f *pflag.FlagSet) {
	f.StringVar(&p.repo, "repo", "", "OWNER/NAME (default GITHUB_REPOSITORY)")
	f.DurationVar(&p.wait, "api-wait", apiWait, "most time to wait for GitHub's limits")
	f.BoolVar(&p.DryRun, "dry-run", false, "print what would be written, from what is known without asking GitHub, instead of writing it")
}

// secretVariables may hold what must not be posted: GitHub masks secrets in its
// logs, not in comments.
var secretVariables = []string{"GITHUB_TOKEN", "GH_TOKEN", "ACTIONS_RUNTIME_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "HF_TOKEN"}

// A Destination is the repository, and the event that led here.
type Destination struct {
	Client  *github.Client
	Mute    bool          // no token, so nothing can be posted
	Event   *github.Event // nil with --pr
	Page    string        // of the repository
	Run     int64         // workflow run that measured
	Attempt int
	printed *bytes.Buffer // of a dry run
}

// Connect finds out where we are. Everything it needs comes from the runner and
// the command line.
func (p *API) Connect(a *cli.App) (*Destination, error) {
	named := cmp.Or(p.repo, a.Getenv("GITHUB_REPOSITORY"))
	if named == "" && p.DryRun {
		named = "OWNER/NAME" // nothing is asked of it
	}
	if named == "" {
		return nil, errors.New("no repository is known: name it with --repo OWNER/NAME, or set GITHUB_REPOSITORY")
	}
	repo, err := github.ParseRepo(named)
	if err != nil {
		return nil, fmt.Errorf("%w; name it with --repo", err)
	}
	d := &Destination{Page: cmp.Or(a.Getenv("GITHUB_SERVER_URL"), "https://github.com") + "/" + repo.String(), printed: new(bytes.Buffer)}
	o := github.Options{
		APIURL: cmp.Or(a.Getenv("GITHUB_API_URL"), github.DefaultAPIURL), Repo: repo, Wait: p.wait,
		Token:  cmp.Or(a.Getenv("GITHUB_TOKEN"), a.Getenv("GH_TOKEN")),
		Notice: func(s string) { fmt.Fprintln(a.Err, s) },
	}
	for _, name := range secretVariables {
		o.Secrets = append(o.Secrets, a.Getenv(name))
	}
	if p.DryRun {
		o.DryRun = d.printed
		fmt.Fprintln(a.Err, "dry run: GitHub is not asked, so what stands there already is not known")
	}
	d.Mute = o.Token == "" && !p.DryRun
	d.Client, err = github.New(o)
	return d, err
}

// ErrMute says what a token is and where it comes from.
var ErrMute = errors.New("no token: set GITHUB_TOKEN, in a workflow by 'env: {GITHUB_TOKEN: ${{ github.token }}}' in a job with the permission 'pull-requests: write', for issues 'issues: write'; --dry-run shows without one what would be posted")

// Print is what a dry run would write, in plain words.
func (d *Destination) Print(format string, args ...any) { fmt.Fprintf(d.printed, format, args...) }

// Flush prints what a dry run would have written, in a job so that nothing in
// it is taken for a command.
func (d *Destination) Flush(a *cli.App) error {
	if d.printed.Len() == 0 {
		return nil
	}
	write := func(w io.Writer) error { _, err := d.printed.WriteTo(w); return err }
	if a.Getenv("GITHUB_ACTIONS") == "true" {
		return github.Verbatim(a.Out, write)
	}
	return write(a.Out)
}
