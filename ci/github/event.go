package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	gh "github.com/google/go-github/v60/github"
)

// maxEvent is above GitHub's own limit for a payload, 25 MB.
const maxEvent = 32 << 20

// An Event is what started a workflow, as far as it tells where to post. The
// runner writes it; nothing that was measured has a part in it.
type Event struct {
	Name string `json:"-"` // "pull_request", "workflow_run"

	Action      string       `json:"action"`
	Label       label        `json:"label"`        // of the action "labeled"
	PullRequest *eventPull   `json:"pull_request"` // of pull_request
	WorkflowRun *WorkflowRun `json:"workflow_run"` // of workflow_run
	Repository  eventRepo    `json:"repository"`   // the one that the workflow belongs to
}

type label struct {
	Name string `json:"name"`
}

type eventRepo struct {
	ID       int64  `json:"id"`
	FullName string `json:"full_name"`
	Owner    struct {
		Login string `json:"login"`
	} `json:"owner"`
}

type eventPull struct {
	Number int `json:"number"`
	Head   struct {
		SHA string `json:"sha"`
	} `json:"head"`
}

// A WorkflowRun is the run whose end started ours.
type WorkflowRun struct {
	ID             int64     `json:"id"`
	Attempt        int       `json:"run_attempt"`
	Event          string    `json:"event"` // what had started that run
	Path           string    `json:"path"`  // of its workflow file, in its repository
	HeadBranch     string    `json:"head_branch"`
	HeadSHA        string    `json:"head_sha"`
	HeadRepository eventRepo `json:"head_repository"`
}

// ReadEvent reads the payload that GITHUB_EVENT_PATH names; name is
// GITHUB_EVENT_NAME.
func ReadEvent(path, name string) (*Event, error) {
	if path == "" || name == "" {
		return nil, errors.New("GITHUB_EVENT_PATH and GITHUB_EVENT_NAME are not set: outside GitHub Actions name the pull request with --pr")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("event: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxEvent+1))
	if err != nil {
		return nil, fmt.Errorf("event: %w", err)
	}
	if len(data) > maxEvent {
		return nil, fmt.Errorf("%s: larger than %d MiB, which no event is", path, maxEvent>>20)
	}
	e := &Event{Name: name}
	if err := json.Unmarshal(data, e); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return e, nil
}

// A Pull is the pull request that a measurement belongs to.
type Pull struct {
	Number int
	SHA    string // head commit that was measured
}

// A NoPullError says why a run has no pull request to report on. It is no
// fault: the branch may have moved on, or the request been closed.
type NoPullError struct{ Why string }

func (e *NoPullError) Error() string { return e.Why }

// FindPull says which pull request an event is about. workflow, if not "", is
// the path that the measuring workflow must have.
func (c *Client) FindPull(ctx context.Context, e *Event, workflow string) (Pull, error) {
	if e.Repository.FullName != "" && !strings.EqualFold(e.Repository.FullName, c.repo.String()) {
		return Pull{}, fmt.Errorf("the event is of repository %q, not of %s", e.Repository.FullName, c.repo)
	}
	switch {
	case e.Name == "pull_request" && e.PullRequest != nil:
		p := Pull{e.PullRequest.Number, e.PullRequest.Head.SHA}
		if p.Number <= 0 || !shaPattern.MatchString(p.SHA) {
			return Pull{}, errors.New("the event names no pull request and head commit")
		}
		return p, nil
	case e.Name == "workflow_run" && e.WorkflowRun != nil:
		return c.pullOfRun(ctx, e, workflow)
	}
	return Pull{}, fmt.Errorf("an event %q has no pull request: comment in a workflow started by pull_request or workflow_run, or name one with --pr", e.Name)
}

// pullOfRun finds the one open pull request whose head is exactly what the run
// measured. The event lists none for a fork, and GitHub's search by commit does
// not know a fork's commits; owner and branch lead there, and commit and
// repository prove it.
func (c *Client) pullOfRun(ctx context.Context, e *Event, workflow string) (Pull, error) {
	run := e.WorkflowRun
	owner, branch := run.HeadRepository.Owner.Login, run.HeadBranch
	switch path, _, _ := strings.Cut(run.Path, "@"); {
	case run.Event != "pull_request":
		return Pull{}, &NoPullError{fmt.Sprintf("the run was started by %q, not by a pull request", run.Event)}
	case workflow != "" && path != workflow:
		return Pull{}, fmt.Errorf("the run is of workflow %q, not of %s", path, workflow)
	case !shaPattern.MatchString(run.HeadSHA) || run.HeadRepository.ID <= 0 || e.Repository.ID <= 0:
		return Pull{}, errors.New("the event does not say which commit of which repository was measured")
	case !ownerPattern.MatchString(owner) || branch == "" || len(branch) > 255:
		return Pull{}, fmt.Errorf("the event names no branch: owner %q, branch %q", owner, branch)
	}
	var found []int
	err := eachPage(func(page gh.ListOptions) (*gh.Response, error) {
		list, resp, err := c.api.PullRequests.List(ctx, c.repo.Owner, c.repo.Name, &gh.PullRequestListOptions{State: "open", Head: owner + ":" + branch, ListOptions: page})
		for _, p := range list {
			if p.GetHead().GetSHA() == run.HeadSHA && p.GetHead().GetRepo().GetID() == run.HeadRepository.ID && p.GetBase().GetRepo().GetID() == e.Repository.ID {
				found = append(found, p.GetNumber())
			}
		}
		return resp, err
	})
	switch {
	case err != nil:
		return Pull{}, explain(err, "find the pull request", "pull-requests: read")
	case len(found) == 0:
		return Pull{}, &NoPullError{"no open pull request has this commit as its head: it was closed, or newer commits were pushed"}
	case len(found) > 1:
		return Pull{}, &NoPullError{fmt.Sprintf("several open pull requests have this commit as their head: %v", found)}
	}
	return Pull{found[0], run.HeadSHA}, nil
}
