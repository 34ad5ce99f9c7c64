package github

import (
	"context"
	"fmt"
	"strings"
)

// stale begins the line that says that a comment is about an earlier commit.
const stale = "> ⚠️ **Of an earlier commit.** "

// MarkStale says in the comment of this key that it is about an earlier commit:
// the run that marker names was to measure a newer one and left nothing to
// report. A comment that is about the same commit, or by a newer run, stays as
// it is, and where there is none, none is written.
func (c *Client) MarkStale(ctx context.Context, pull int, marker Marker, author string) (Posted, error) {
	if author == "" {
		author = ActionsBot
	}
	if err := marker.check(); err != nil {
		return Posted{}, err
	}
	w := commentWriter{client: c, want: Comment{Pull: pull, Marker: marker, Author: author}}
	return c.settle(ctx, fmt.Sprintf("comment on pull request %d", pull), "pull-requests: write", w.markStale)
}

func (w *commentWriter) markStale(ctx context.Context) (Posted, error) {
	old, newest, err := w.find(ctx)
	if err != nil {
		return Posted{}, err
	}
	was, _ := ParseMarker(old.GetBody())
	switch {
	case old == nil:
		return Posted{Action: Skipped, Why: "no comment is there that could be out of date"}, nil
	case newest.newer(w.want.Marker) || was.SHA == w.want.Marker.SHA:
		return Posted{Action: Skipped, URL: old.GetHTMLURL(), Why: "the comment that is there is not out of date"}, nil
	}
	_, rest, _ := strings.Cut(strings.ReplaceAll(old.GetBody(), "\r\n", "\n"), "\n")
	measured := was.SHA
	if line, after, _ := strings.Cut(rest, "\n"); strings.HasPrefix(line, stale) { // from the commit before this one
		if i := strings.LastIndexByte(line, ' '); i >= 0 {
			measured = strings.TrimSuffix(line[i+1:], ".")
		}
		rest = strings.TrimPrefix(after, "\n")
	}
	head := fmt.Sprintf("%s\n%sThe run for %s left nothing to report; what follows was measured for %s.\n", w.want.Marker, stale, w.want.Marker.SHA, measured)
	posted, err := w.put(ctx, old, head+"\n"+rest)
	if tooLong(err) { // it was as long as a comment may be
		return w.put(ctx, old, head+"\nIt was too long to be kept here.")
	}
	return posted, err
}
