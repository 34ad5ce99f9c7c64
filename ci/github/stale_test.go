package github_test

import (
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/github"
	"github.com/llama-regress/llama-regress/ci/github/githubtest"
)

// A comment about an earlier commit says so when the newer one left nothing to
// report, once however often it is told, and no other comment is touched.
func TestMarkStale(t *testing.T) {
	const later, latest = "1111111111111111111111111111111111111111", "2222222222222222222222222222222222222222"
	s := githubtest.New(t, list, list, list, list, update, list, list, update, list, update)
	client, _ := dial(t, s)
	mark := func(m github.Marker) github.Posted {
		t.Helper()
		posted, err := client.MarkStale(t.Context(), 7, m, "")
		if err != nil {
			t.Fatal(err)
		}
		return posted
	}
	of := func(run int64, sha string) github.Marker {
		return github.Marker{Key: "main", Run: run, Attempt: 1, SHA: sha}
	}
	if posted := mark(of(100, later)); posted.Action != github.Skipped || len(s.Comments(7)) > 0 {
		t.Errorf("without a comment: %+v", posted)
	}
	s.Write(7, "mallory", "User", of(99, sha).String()+"\nplanted")
	s.Write(7, github.ActionsBot, "Bot", of(99, sha).String()+"\n## Pass\n\nall of it")
	body := func() string { return s.Comments(7)[1].Body }
	if posted := mark(of(99, sha)); posted.Action != github.Skipped || strings.Contains(body(), "earlier") {
		t.Errorf("of the same commit: %+v\n%s", posted, body())
	}
	if posted := mark(of(98, later)); posted.Action != github.Skipped || strings.Contains(body(), "earlier") {
		t.Errorf("of an older run: %+v\n%s", posted, body())
	}
	for _, next := range []github.Marker{of(100, later), of(100, later), of(101, latest)} {
		mark(next)
		want := next.String() + "\n> ⚠️ **Of an earlier commit.** The run for " + next.SHA + " left nothing to report; what follows was measured for " + sha + ".\n\n## Pass\n\nall of it"
		if body() != want {
			t.Errorf("got\n%s\nwant\n%s", body(), want)
		}
	}
	if planted := s.Comments(7)[0]; planted.Edits > 0 {
		t.Error("a comment of somebody else was edited")
	}
	// A run that measured the new commit after all takes the notice away.
	if _, err := client.PostComment(t.Context(), commentOf(of(102, latest), "## Pass again")); err != nil || strings.Contains(body(), "earlier") {
		t.Errorf("%v\n%s", err, body())
	}
}
