package github

import (
	"context"
	"fmt"
	"slices"
	"strings"

	gh "github.com/google/go-github/v60/github"
)

// IssueLabel marks issues of ours, which is how they are found again.
const IssueLabel = "llama-regress"

// An Issue follows one finding for as long as it lasts: there is one for each
// key, never one for each night.
type Issue struct {
	Key    string // what it follows: [a-z0-9_.], at most 64
	Author string // login that the token writes as; "" is ActionsBot
	Lasts  bool   // false when the finding is gone, or never was
	Title  string // one line of plain words
	Body   string // Markdown that begins with IssueMarker(Key)
}

// IssueMarker is the hidden line that begins the issue of a key.
func IssueMarker(key string) string { return "<!-- llama-regress:v1:issue=" + key + " -->" }

// TrackIssue opens the issue of a finding, brings it up to date, or closes it.
// One that a person closed stays closed.
func (c *Client) TrackIssue(ctx context.Context, want Issue) (Posted, error) {
	if want.Author == "" {
		want.Author = ActionsBot
	}
	switch {
	case !keyPattern.MatchString(want.Key):
		return Posted{}, fmt.Errorf("issue key %q: want at most 64 letters a-z, digits, dots and underscores", want.Key)
	case want.Title == "" || len(want.Title) > 200 || strings.ContainsAny(want.Title, "\r\n"):
		return Posted{}, fmt.Errorf("issue title %q: want one line", want.Title)
	case !strings.HasPrefix(want.Body, IssueMarker(want.Key)+"\n"):
		return Posted{}, fmt.Errorf("issue: the body does not begin with its marker")
	}
	want.Title, want.Body = c.redact(want.Title), c.redact(want.Body)
	return c.settle(ctx, "issue "+want.Key, "issues: write", func(ctx context.Context) (Posted, error) { return c.writeIssue(ctx, want) })
}

func (c *Client) writeIssue(ctx context.Context, want Issue) (Posted, error) {
	old, err := c.findIssue(ctx, want)
	owner, name := c.repo.Owner, c.repo.Name
	switch {
	case err != nil:
		return Posted{}, err
	case old == nil && !want.Lasts:
		return Posted{Action: Skipped, Why: "there is nothing to follow"}, nil
	case old == nil:
		return c.openIssue(ctx, want)
	case old.GetState() == "closed":
		return Posted{Action: Skipped, URL: old.GetHTMLURL(), Why: "its issue is closed"}, nil
	case want.Lasts && sameText(old.GetBody(), want.Body):
		return Posted{Action: Unchanged, URL: old.GetHTMLURL()}, nil
	}
	change := &gh.IssueRequest{Body: &want.Body}
	if !want.Lasts {
		change.State, change.StateReason = gh.String("closed"), gh.String("completed")
	}
	_, _, err = c.api.Issues.Edit(ctx, owner, name, old.GetNumber(), change)
	return Posted{Action: Updated, URL: old.GetHTMLURL()}, err
}

// openIssue makes sure of the label: GitHub drops it without a word where the
// token may not set any, and the issue would never be found again.
func (c *Client) openIssue(ctx context.Context, want Issue) (Posted, error) {
	made, _, err := c.api.Issues.Create(ctx, c.repo.Owner, c.repo.Name, &gh.IssueRequest{Title: &want.Title, Body: &want.Body, Labels: &[]string{IssueLabel}})
	posted := Posted{Action: Created, URL: made.GetHTMLURL()}
	if err == nil && c.through.dry == nil && !hasLabel(made) {
		err = &RefusedError{fmt.Sprintf("GitHub made %s without its label %s; set it there by hand, else the next run opens another", posted.URL, IssueLabel)}
	}
	return posted, err
}

func hasLabel(issue *gh.Issue) bool {
	return slices.ContainsFunc(issue.Labels, func(l *gh.Label) bool { return l.GetName() == IssueLabel })
}

// findIssue returns our issue of that key, open or closed, nil when there is
// none.
func (c *Client) findIssue(ctx context.Context, want Issue) (found *gh.Issue, err error) {
	err = eachPage(func(page gh.ListOptions) (*gh.Response, error) {
		list, resp, err := c.api.Issues.ListByRepo(ctx, c.repo.Owner, c.repo.Name, &gh.IssueListByRepoOptions{State: "all", Labels: []string{IssueLabel}, Direction: "asc", ListOptions: page})
		for _, issue := range list {
			if found == nil && !issue.IsPullRequest() && isLogin(issue.GetUser(), want.Author) && strings.HasPrefix(issue.GetBody(), IssueMarker(want.Key)) {
				found = issue
			}
		}
		return resp, err
	})
	return found, err
}
