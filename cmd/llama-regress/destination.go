package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"github.com/llama-regress/llama-regress/ci/github"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
	"github.com/llama-regress/llama-regress/report/markdown"
)

// api are the flags that say how GitHub is talked to.
type api struct {
	repo   string
	wait   time.Duration
	dryRun bool
}

func (p *api) register(f *pflag.FlagSet) {
	f.StringVar(&p.repo, "repo", "", "OWNER/NAME (default GITHUB_REPOSITORY)")
	f.DurationVar(&p.wait, "api-wait", apiWait, "most time to wait for GitHub's limits")
	f.BoolVar(&p.dryRun, "dry-run", false, "print what would be written instead of writing it")
}

// place are the flags that say which pull request, too.
type place struct {
	api
	pull     int
	sha      string
	workflow string
}

func (p *place) register(f *pflag.FlagSet) {
	p.api.register(f)
	f.IntVar(&p.pull, "pr", 0, "number of the pull request, where the event is not about one; needs --sha")
	f.StringVar(&p.sha, "sha", "", "its head commit that was measured, with --pr")
	f.StringVar(&p.workflow, "workflow", "", "path that the measuring workflow must have, such as .github/workflows/pr.yml")
}

// secretVariables may hold what must not be posted: GitHub masks secrets in its
// logs, not in comments.
var secretVariables = []string{"GITHUB_TOKEN", "GH_TOKEN", "ACTIONS_RUNTIME_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "HF_TOKEN"}

// A destination is the repository, and the event that led here.
type destination struct {
	client  *github.Client
	mute    bool          // no token, so nothing can be posted
	event   *github.Event // nil with --pr
	page    string        // of the repository
	run     int64         // workflow run that measured
	attempt int
	printed *bytes.Buffer // of a dry run
}

// connect finds out where we are. Everything it needs comes from the runner and
// the command line.
func (p *api) connect(a *app) (*destination, error) {
	named := cmp.Or(p.repo, a.getenv("GITHUB_REPOSITORY"))
	if named == "" {
		return nil, errors.New("no repository is known: name it with --repo OWNER/NAME, or set GITHUB_REPOSITORY")
	}
	repo, err := github.ParseRepo(named)
	if err != nil {
		return nil, fmt.Errorf("%w; name it with --repo", err)
	}
	d := &destination{page: cmp.Or(a.getenv("GITHUB_SERVER_URL"), "https://github.com") + "/" + repo.String(), printed: new(bytes.Buffer)}
	o := github.Options{
		APIURL: cmp.Or(a.getenv("GITHUB_API_URL"), github.DefaultAPIURL), Repo: repo, Wait: p.wait,
		Token:  cmp.Or(a.getenv("GITHUB_TOKEN"), a.getenv("GH_TOKEN")),
		Notice: func(s string) { fmt.Fprintln(a.err, s) },
	}
	for _, name := range secretVariables {
		o.Secrets = append(o.Secrets, a.getenv(name))
	}
	if p.dryRun {
		o.DryRun = d.printed
	}
	d.mute = o.Token == "" && !p.dryRun
	d.client, err = github.New(o)
	return d, err
}

// open also finds out which run measured.
func (p *place) open(a *app) (*destination, error) {
	d, err := p.connect(a)
	if err != nil {
		return nil, err
	}
	return d, p.measuredRun(a, d)
}

// measuredRun sets which run's result this is: for workflow_run not ours, but
// the one that measured.
func (p *place) measuredRun(a *app, d *destination) (err error) {
	if (p.pull == 0) != (p.sha == "") {
		return errors.New("--pr and --sha go together")
	}
	if p.sha != "" && !commitHash.MatchString(p.sha) {
		return fmt.Errorf("--sha %q: want all 40 digits of the commit, as 'git rev-parse HEAD' prints them", p.sha)
	}
	if p.pull == 0 {
		if d.event, err = github.ReadEvent(a.getenv("GITHUB_EVENT_PATH"), a.getenv("GITHUB_EVENT_NAME")); err != nil {
			return err
		}
		if run := d.event.WorkflowRun; run != nil {
			d.run, d.attempt = run.ID, run.Attempt
			return nil
		}
	}
	d.run, err = strconv.ParseInt(cmp.Or(a.getenv("GITHUB_RUN_ID"), "1"), 10, 64) // outside Actions: older than any run
	if err != nil {
		return fmt.Errorf("GITHUB_RUN_ID: %w", err)
	}
	d.attempt, err = strconv.Atoi(cmp.Or(a.getenv("GITHUB_RUN_ATTEMPT"), "1"))
	if err != nil {
		return fmt.Errorf("GITHUB_RUN_ATTEMPT: %w", err)
	}
	return nil
}

// errMute says what a token is and where it comes from.
var errMute = errors.New("no token: set GITHUB_TOKEN, in a workflow by 'env: {GITHUB_TOKEN: ${{ github.token }}}' in a job with the permission 'pull-requests: write', for issues 'issues: write'; --dry-run shows without one what would be posted")

// pull is where to post.
func (d *destination) pull(ctx context.Context, p place) (github.Pull, error) {
	if d.event == nil {
		return github.Pull{Number: p.pull, SHA: p.sha}, nil
	}
	return d.client.FindPull(ctx, d.event, p.workflow)
}

// links lead to pages whose addresses this tool knows by itself.
func (d *destination) links(pull github.Pull) []markdown.Link {
	links := []markdown.Link{{Text: "Measured commit", URL: d.page + "/commit/" + pull.SHA}}
	if d.run > 1 {
		links = append(links, markdown.Link{Text: "Run, logs and full report", URL: fmt.Sprintf("%s/actions/runs/%d/attempts/%d", d.page, d.run, d.attempt)})
	}
	return links
}

// flush prints what a dry run would have written, in a job so that nothing in
// it is taken for a command.
func (d *destination) flush(a *app) error {
	if d.printed.Len() == 0 {
		return nil
	}
	write := func(w io.Writer) error { _, err := d.printed.WriteTo(w); return err }
	if a.getenv("GITHUB_ACTIONS") == "true" {
		return github.Verbatim(a.out, write)
	}
	return write(a.out)
}

// commentBodies renders the report at every length that GitHub may take.
func commentBodies(rep report.Report, marker github.Marker, links []markdown.Link) ([]string, error) {
	var bodies []string
	for _, level := range []markdown.Level{markdown.Full, markdown.Attention, markdown.Brief} {
		var b bytes.Buffer
		if err := markdown.Write(&b, rep, markdown.Options{Level: level, Marker: marker.String(), Links: links}); err != nil {
			return nil, err
		}
		bodies = append(bodies, b.String())
	}
	return bodies, nil
}

// checkOf words the check run.
func checkOf(name string, rep report.Report, marker github.Marker, links []markdown.Link) (github.CheckRun, error) {
	var b bytes.Buffer
	err := markdown.Write(&b, rep, markdown.Options{Links: links})
	return github.CheckRun{Name: name, Marker: marker, Passed: rep.Outcome == compare.Passed, Title: rep.Status + ": " + rep.Headline, Summary: b.String()}, err
}

// quiet says that a report tells nobody to look: all was measured, and nothing
// is worse, better or suspected to be.
func quiet(rep report.Report) bool {
	return rep.Status == "Pass" && rep.Counts.Improvements == 0 && rep.Counts.Suspected == 0 && len(rep.Patterns) == 0
}

// readBounded reads a file of at most most bytes.
func readBounded(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("%s: larger than %d MiB", path, most>>20)
	}
	return data, err
}
