package github

import (
	"context"
	"fmt"
	"strings"

	gh "github.com/google/go-github/v60/github"
)

// A CheckRun is a verdict in the list of checks. Whoever may write one can
// forge any, so it is for jobs that run no code of a pull request.
type CheckRun struct {
	Name    string // 1 to 100 printable characters, the same in every run
	Marker  Marker // its SHA is the head commit of the pull request, not the merge commit that GITHUB_SHA names
	Passed  bool
	Title   string // one line
	Summary string // Markdown, at most MaxCheckSummary bytes
}

// MaxCheckSummary is GitHub's limit for a summary, in bytes; beyond it the
// whole check run is refused.
const MaxCheckSummary = 65_535

// PostCheck creates the completed check run, or updates the one that an
// earlier attempt left on the same commit.
func (c *Client) PostCheck(ctx context.Context, want CheckRun) (Posted, error) {
	if err := want.check(); err != nil {
		return Posted{}, err
	}
	want.Title, want.Summary = c.redact(want.Title), c.redact(want.Summary)
	return c.settle(ctx, fmt.Sprintf("check run %q", want.Name), "checks: write", func(ctx context.Context) (Posted, error) { return c.writeCheck(ctx, want) })
}

func (r *CheckRun) check() error {
	if r.Name == "" || len(r.Name) > 100 || strings.ContainsFunc(r.Name, func(c rune) bool { return c < ' ' || c > '~' }) {
		return fmt.Errorf("check run name %q: want 1 to 100 printable ASCII characters", r.Name)
	}
	if len(r.Summary) > MaxCheckSummary {
		return fmt.Errorf("check run summary of %d bytes: want at most %d", len(r.Summary), MaxCheckSummary)
	}
	return r.Marker.check()
}

// externalID names a check run as ours, and by which run.
func (r *CheckRun) externalID() string { return r.Marker.String() }

func (c *Client) writeCheck(ctx context.Context, want CheckRun) (Posted, error) {
	old, newest, err := c.findCheck(ctx, want)
	if err != nil {
		return Posted{}, err
	}
	if newest.newer(want.Marker) {
		return Posted{Action: Skipped, URL: old.GetHTMLURL(), Why: fmt.Sprintf("run %d attempt %d is newer and has reported", newest.Run, newest.Attempt)}, nil
	}
	conclusion := "failure"
	if want.Passed {
		conclusion = "success"
	}
	output := &gh.CheckRunOutput{Title: &want.Title, Summary: &want.Summary}
	owner, name := c.repo.Owner, c.repo.Name
	if old == nil {
		made, _, err := c.api.Checks.CreateCheckRun(ctx, owner, name, gh.CreateCheckRunOptions{
			Name: want.Name, HeadSHA: want.Marker.SHA, ExternalID: gh.String(want.externalID()),
			Status: gh.String("completed"), Conclusion: &conclusion, Output: output,
		})
		return Posted{Action: Created, URL: made.GetHTMLURL()}, err
	}
	_, _, err = c.api.Checks.UpdateCheckRun(ctx, owner, name, old.GetID(), gh.UpdateCheckRunOptions{
		Name: want.Name, ExternalID: gh.String(want.externalID()),
		Status: gh.String("completed"), Conclusion: &conclusion, Output: output,
	})
	return Posted{Action: Updated, URL: old.GetHTMLURL()}, err
}

// findCheck returns our check run of that name on the commit, nil when there is
// none, and the newest marker.
func (c *Client) findCheck(ctx context.Context, want CheckRun) (first *gh.CheckRun, newest Marker, err error) {
	err = eachPage(func(page gh.ListOptions) (*gh.Response, error) {
		list, resp, err := c.api.Checks.ListCheckRunsForRef(ctx, c.repo.Owner, c.repo.Name, want.Marker.SHA, &gh.ListCheckRunsOptions{CheckName: &want.Name, ListOptions: page})
		if err != nil {
			return resp, err
		}
		for _, run := range list.CheckRuns {
			m, ok := ParseMarker(run.GetExternalID())
			if !ok || m.Key != want.Marker.Key || run.GetName() != want.Name {
				continue
			}
			if first == nil {
				first = run
			}
			if m.newer(newest) {
				newest = m
			}
		}
		return resp, nil
	})
	return first, newest, err
}
