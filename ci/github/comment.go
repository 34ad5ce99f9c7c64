package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	gh "github.com/google/go-github/v60/github"
)

// ActionsBot writes what is posted with a workflow's own token.
const ActionsBot = "github-actions[bot]"

// A Policy says when a comment is written.
type Policy string

const (
	// OnChange writes the first comment once there is something to say, and
	// from then on keeps it up to date, also when all is well again.
	OnChange Policy = "on-change"
	Always   Policy = "always"
	Never    Policy = "never"
)

// A Comment is what a run has to say on a pull request.
type Comment struct {
	Pull   int
	Marker Marker
	Author string // login that the token writes as; "" is ActionsBot
	Policy Policy // "" is OnChange
	Quiet  bool   // nothing in it is worth a first comment

	// Bodies hold the same report, the longest first, each beginning with the
	// marker. GitHub gets the first one that it takes.
	Bodies []string
}

// An Action is what became of a post.
type Action string

const (
	Created   Action = "created"
	Updated   Action = "updated"
	Unchanged Action = "unchanged" // it says so already
	Skipped   Action = "skipped"   // see Posted.Why
)

// Posted is what became of a post.
type Posted struct {
	Action Action
	URL    string // page of the comment or check run; "" when there is none
	Why    string // of Skipped: one clause
}

// writeTries bounds how often a write with an unknown end is looked after.
const writeTries = 3

// PostComment creates the one comment of this key, or brings it up to date. A
// write that GitHub may or may not have done is never just repeated: the
// comments are read again first, so that none is there twice.
func (c *Client) PostComment(ctx context.Context, want Comment) (Posted, error) {
	if want.Author == "" {
		want.Author = ActionsBot
	}
	if err := want.check(); err != nil {
		return Posted{}, err
	}
	if want.Policy == Never {
		return Posted{Action: Skipped, Why: "the policy is never to comment"}, nil
	}
	for i, body := range want.Bodies {
		want.Bodies[i] = c.redact(body)
	}
	w := commentWriter{client: c, want: want}
	return c.settle(ctx, fmt.Sprintf("comment on pull request %d", want.Pull), "pull-requests: write", w.write)
}

// settle calls write, which looks at what is there and does what is missing,
// until it is known to be done.
func (c *Client) settle(ctx context.Context, what, permission string, write func(context.Context) (Posted, error)) (Posted, error) {
	for try := 1; ; try++ {
		posted, err := write(ctx)
		if err == nil || try == writeTries || !unknown(err) || c.through.pause(ctx, backoff(try), "GitHub did not say whether it wrote the "+what) != nil {
			return posted, explain(err, what, permission)
		}
	}
}

func (c *Comment) check() error {
	switch c.Policy {
	case "":
		c.Policy = OnChange
	case OnChange, Always, Never:
	default:
		return fmt.Errorf("comment policy %q: want on-change, always or never", c.Policy)
	}
	if c.Pull <= 0 || len(c.Bodies) == 0 {
		return fmt.Errorf("comment: pull request %d with %d bodies: want both", c.Pull, len(c.Bodies))
	}
	if err := c.Marker.check(); err != nil {
		return err
	}
	c.Bodies = append([]string(nil), c.Bodies...)
	for _, body := range c.Bodies {
		if m, ok := ParseMarker(body); !ok || m != c.Marker {
			return errors.New("comment: a body does not begin with its marker")
		}
	}
	return nil
}

// A commentWriter remembers what it tried between looks at GitHub.
type commentWriter struct {
	client *Client
	want   Comment
	level  int    // index of the longest body that may still fit
	tried  Action // the last write begun, "" before any
}

// write looks at what is there and does what is missing.
func (w *commentWriter) write(ctx context.Context) (Posted, error) {
	old, newest, err := w.find(ctx)
	switch {
	case err != nil:
		return Posted{}, err
	case newest.newer(w.want.Marker):
		return Posted{Action: Skipped, URL: old.GetHTMLURL(), Why: fmt.Sprintf("run %d attempt %d is newer and has commented", newest.Run, newest.Attempt)}, nil
	case old == nil && w.want.Policy == OnChange && w.want.Quiet:
		return Posted{Action: Skipped, Why: "nothing is wrong, and no comment is there to bring up to date"}, nil
	}
	for ; ; w.level++ {
		body := w.want.Bodies[w.level]
		if old != nil && sameText(old.GetBody(), body) {
			action := Unchanged
			if w.tried != "" {
				action = w.tried // it was done after all
			}
			return Posted{Action: action, URL: old.GetHTMLURL()}, nil
		}
		posted, err := w.put(ctx, old, body)
		if !tooLong(err) || w.level == len(w.want.Bodies)-1 {
			return posted, err
		}
	}
}

// find returns our first comment, nil when there is none, and the newest
// marker of all of them: a marker alone can be planted by anyone.
func (w *commentWriter) find(ctx context.Context) (first *gh.IssueComment, newest Marker, err error) {
	err = eachPage(func(page gh.ListOptions) (*gh.Response, error) {
		list, resp, err := w.client.api.Issues.ListComments(ctx, w.client.repo.Owner, w.client.repo.Name, w.want.Pull, &gh.IssueListCommentsOptions{ListOptions: page})
		for _, comment := range list {
			m, ok := ParseMarker(comment.GetBody())
			if !ok || m.Key != w.want.Marker.Key || !isLogin(comment.GetUser(), w.want.Author) {
				continue
			}
			if first == nil {
				first = comment
			}
			if m.newer(newest) {
				newest = m
			}
		}
		return resp, err
	})
	return first, newest, err
}

func (w *commentWriter) put(ctx context.Context, old *gh.IssueComment, body string) (Posted, error) {
	issues, owner, name := w.client.api.Issues, w.client.repo.Owner, w.client.repo.Name
	if old == nil {
		w.tried = Created
		made, _, err := issues.CreateComment(ctx, owner, name, w.want.Pull, &gh.IssueComment{Body: &body})
		return Posted{Action: Created, URL: made.GetHTMLURL()}, err
	}
	w.tried = Updated
	_, _, err := issues.EditComment(ctx, owner, name, old.GetID(), &gh.IssueComment{Body: &body})
	return Posted{Action: Updated, URL: old.GetHTMLURL()}, err
}

// isLogin reports whether user is that account. Nobody can register a name with
// brackets, and a bot's type says that it is one.
func isLogin(user *gh.User, login string) bool {
	return strings.EqualFold(user.GetLogin(), login) && (user.GetType() == "Bot") == strings.HasSuffix(login, "[bot]")
}

// sameText compares without what GitHub changes in a body it stores.
func sameText(a, b string) bool {
	plain := func(s string) string { return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")) }
	return plain(a) == plain(b)
}

// tooLong reports whether GitHub refused what a body holds. It says so with 422
// alone; the words beside it are for people.
func tooLong(err error) bool { return status(err) == http.StatusUnprocessableEntity }
