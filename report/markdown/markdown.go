package markdown

import (
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strings"

	"github.com/llama-regress/llama-regress/report"
)

// Sizes that GitHub takes, with room to spare.
const (
	CommentBytes = 60_000  // of a comment, whichever way its limit is counted
	SummaryBytes = 1 << 20 // of a step summary; one byte more and nothing of it is shown
)

// A Detail says how much is told.
type Detail int

const (
	Full      Detail = iota // everything
	Attention               // only what is not equivalent, without folded sections
	Brief                   // the verdict, the worst finding and links
)

// Options of a Markdown report. The zero value writes a whole comment.
type Options struct {
	MaxBytes int    // 0 means CommentBytes
	Detail   Detail // the most that is told; less, where MaxBytes demands it
	Marker   string // hidden comment that begins the report, such as "<!-- llama-regress:v1:key=main -->"; "" for none
	Links    []Link // where to read more
}

// A Link leads to a page that the tool itself knows.
type Link struct {
	Text string // words of our own
	URL  string // http or https
}

// marker admits nothing that could end the hidden comment early.
var marker = regexp.MustCompile(`^<!-- [A-Za-z0-9_.:=]+(?:[ -][A-Za-z0-9_.:=]+)* -->$`)

// Write writes r to w in at most Options.MaxBytes bytes. What does not fit is
// left out by whole rows and sections, the least important first, and said to
// be. It is an error if not even the verdict fits, or if a marker or link is
// not fit to be one.
func Write(w io.Writer, r report.Report, o Options) error {
	if o.MaxBytes == 0 {
		o.MaxBytes = CommentBytes
	}
	if o.Marker != "" && !marker.MatchString(o.Marker) {
		return fmt.Errorf("markdown: marker %q is not a hidden comment of plain words", o.Marker)
	}
	links, err := linkLine(o.Links)
	if err != nil {
		return err
	}
	shortest := 0
	for _, p := range plans {
		if p.detail < o.Detail {
			continue
		}
		d := document{report: r, plan: p, marker: o.Marker, links: links, limit: o.MaxBytes}
		if body, fits := d.render(); fits {
			_, err := io.WriteString(w, body)
			return err
		}
		shortest = d.size()
	}
	return fmt.Errorf("markdown: %d bytes do not hold even the shortest report, which takes more than %d", o.MaxBytes, shortest)
}

// A plan says how many rows of what are told, from everything down to the
// verdict alone.
type plan struct {
	detail Detail
	open   int // rows in the open table
	all    int // rows in the folded table of all results, failures and lists
}

var plans = []plan{
	{Full, 50, 1 << 30}, {Full, 50, 2000}, {Full, 50, 500}, {Full, 50, 150}, {Full, 30, 50}, {Full, 20, 15},
	{Attention, 50, 0}, {Attention, 20, 0}, {Attention, 8, 0},
	{Brief, 0, 0},
}

// linkLine writes the links on one line.
func linkLine(links []Link) (string, error) {
	var parts []string
	for _, l := range links {
		u, err := url.Parse(l.URL)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
			return "", fmt.Errorf("markdown: link %q is not an http address", l.URL)
		}
		safe := strings.NewReplacer("(", "%28", ")", "%29", "<", "%3C", ">", "%3E", "|", "%7C", "`", "%60", "\\", "%5C", " ", "%20", "\"", "%22").Replace(u.String())
		parts = append(parts, "["+prose(l.Text)+"]("+safe+")")
	}
	return strings.Join(parts, " · "), nil
}
