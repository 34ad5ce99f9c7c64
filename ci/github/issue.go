package github

import (
	"context"
	"fmt"
	"regexp"
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

// closedByUs ends the body of an issue that TrackIssue closed.
const closedByUs = "<!-- llama-regress:v1:closed -->"

// A TrackedIssue is an issue of ours as it is there.
type TrackedIssue struct {
	Key   string
	Open  bool
	Body  string // somebody may have edited it
	Title string
	URL   string
}

// TrackedIssues lists the issues of ours whose keys begin with prefix, the
// oldest first. author is Issue.Author.
func (c *Client) TrackedIssues(ctx context.Context, prefix, author string) (found []TrackedIssue, err error) {
	if author == "" {
		author = ActionsBot
	}
	err = c.eachIssue(ctx, author, func(issue *gh.Issue) {
		if m := issueMarker.FindStringSubmatch(issue.GetBody()); m != nil && strings.HasPrefix(m[1], prefix) {
			found = append(found, TrackedIssue{Key: m[1], Open: issue.GetState() != "closed", Body: issue.GetBody(), Title: issue.GetTitle(), URL: issue.GetHTMLURL()})
		}
	})
	return found, explain(err, "issues", "issues: read")
}

var issueMarker = regexp.MustCompile(`^<!-- llama-regress:v1:issue=([a-z0-9_.]{1,64}) -->(?:\r?\n|$)`)

// TrackIssue opens the issue of a finding, brings it up to date, or closes it.
// One that a person closed stays closed; one that it closed itself is opened
// again where the finding is back.
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
	case old.GetState() == "closed" && !(want.Lasts && strings.Contains(old.GetBody(), closedByUs)):
		return Posted{Action: Skipped, URL: old.GetHTMLURL(), Why: "its issue is closed"}, nil
	case want.Lasts && sameText(old.GetBody(), want.Body):
		return Posted{Action: Unchanged, URL: old.GetHTMLURL()}, nil
	}
	change := &gh.IssueRequest{Body: &want.Body}
	switch {
	case !want.Lasts:
		change.Body = gh.String(strings.TrimRight(want.Body, "\n") + "\n\n" + closedByUs + "\n")
		change.State, change.StateReason = gh.String("closed"), gh.String("completed")
	case old.GetState() == "closed":
		change.State, change.StateReason = gh.String("open"), gh.String("reopened")
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
	err = c.eachIssue(ctx, want.Author, func(issue *gh.Issue) {
		if found == nil && strings.HasPrefix(issue.GetBody(), IssueMarker(want.Key)) {
			found = issue
		}
	})
	return found, err
}

// eachIssue calls f for every issue of ours, open or closed, the oldest first.
func (c *Client) eachIssue(ctx context.Context, author string, f func(*gh.Issue)) error {
	return eachPage(func(page gh.ListOptions) (*gh.Response, error) {
		list, resp, err := c.api.Issues.ListByRepo(ctx, c.repo.Owner, c.repo.Name, &gh.IssueListByRepoOptions{State: "all", Labels: []string{IssueLabel}, Direction: "asc", ListOptions: page})
		for _, issue := range list {
			if !issue.IsPullRequest() && isLogin(issue.GetUser(), author) {
				f(issue)
			}
		}
		return resp, err
	})
}
