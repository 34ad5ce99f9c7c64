package comment

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/pflag"

	"github.com/llama-regress/llama-regress/ci/github"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/posting"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
	"github.com/llama-regress/llama-regress/report/markdown"
)

// place are the flags that say which pull request, too.
type place struct {
	posting.API
	pull     int
	sha      string
	workflow string
}

func (p *place) register(f *pflag.FlagSet) {
	p.API.Register(f)
	f.IntVar(&p.pull, "pr", 0, "number of the pull request, where the event is not about one; needs --sha")
	f.StringVar(&p.sha, "sha", "", "its head commit that was measured, with --pr")
	f.StringVar(&p.workflow, "workflow", "", "path that the measuring workflow must have, such as .github/workflows/pr.yml")
}

// open also finds out which run measured.
func (p *place) open(a *cli.App) (*posting.Destination, error) {
	d, err := p.Connect(a)
	if err != nil {
		return nil, err
	}
	return d, p.measuredRun(a, d)
}

// measuredRun sets which run's result this is: for workflow_run not ours, but
// the one that measured.
func (p *place) measuredRun(a *cli.App, d *posting.Destination) (err error) {
	if (p.pull == 0) != (p.sha == "") {
		return errors.New("--pr and --sha go together")
	}
	if p.sha != "" && !cli.CommitHash.MatchString(p.sha) {
		return fmt.Errorf("--sha %q: want all 40 digits of the commit, as 'git rev-parse HEAD' prints them", p.sha)
	}
	if p.pull == 0 {
		if d.Event, err = github.ReadEvent(a.Getenv("GITHUB_EVENT_PATH"), a.Getenv("GITHUB_EVENT_NAME")); err != nil && !(p.DryRun && a.Getenv("GITHUB_EVENT_PATH") == "") {
			return err
		}
		if d.Event == nil {
			d.Run, d.Attempt = 1, 1
			return nil
		}
		if run := d.Event.WorkflowRun; run != nil {
			d.Run, d.Attempt = run.ID, run.Attempt
			return nil
		}
	}
	d.Run, err = strconv.ParseInt(cmp.Or(a.Getenv("GITHUB_RUN_ID"), "1"), 10, 64) // outside Actions: older than any run
	if err != nil {
		return fmt.Errorf("GITHUB_RUN_ID: %w", err)
	}
	d.Attempt, err = strconv.Atoi(cmp.Or(a.Getenv("GITHUB_RUN_ATTEMPT"), "1"))
	if err != nil {
		return fmt.Errorf("GITHUB_RUN_ATTEMPT: %w", err)
	}
	return nil
}

// pull is where to post.
func pull(ctx context.Context, d *posting.Destination, p place) (github.Pull, error) {
	if d.Event == nil {
		return github.Pull{Number: p.pull, SHA: p.sha}, nil
	}
	return d.Client.FindPull(ctx, d.Event, p.workflow)
}

// links lead to pages whose addresses this tool knows by itself.
func links(d *posting.Destination, pull github.Pull) []markdown.Link {
	var links []markdown.Link
	if pull.SHA != "" { // which a dry run may not know
		links = append(links, markdown.Link{Text: "Measured commit", URL: d.Page + "/commit/" + pull.SHA})
	}
	if d.Run > 1 {
		links = append(links, markdown.Link{Text: "Run, logs and full report", URL: fmt.Sprintf("%s/actions/runs/%d/attempts/%d", d.Page, d.Run, d.Attempt)})
	}
	return links
}

// commentBodies renders the report at every length that GitHub may take.
func commentBodies(rep report.Report, marker github.Marker, links []markdown.Link) ([]string, error) {
	var bodies []string
	for _, detail := range []markdown.Detail{markdown.Full, markdown.Attention, markdown.Brief} {
		var b bytes.Buffer
		if err := markdown.Write(&b, rep, markdown.Options{Detail: detail, Marker: marker.String(), Links: links}); err != nil {
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
// is worse, better or suspected to be. Geometric means, which are among the
// patterns, decide nothing.
func quiet(rep report.Report) bool {
	return rep.Status == "Pass" && rep.Counts.Improvements == 0 && rep.Counts.Suspected == 0 && len(rep.Patterns) == len(rep.Means)
}
