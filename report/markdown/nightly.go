package markdown

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/report"
)

// recent is how long a change that is over is still told of.
const recent = 30 * 24 * time.Hour

// WriteNightly writes the digest of a store of nights in at most
// Options.MaxBytes bytes: what is open stands first, what is over is folded.
// Options.Detail is not used.
func WriteNightly(w io.Writer, n report.Nightly, o Options) error {
	d, err := newDigest(o)
	if err != nil {
		return err
	}
	for _, plan := range digests {
		d.b.Reset()
		d.digest = plan
		d.write(n)
		if d.size() <= d.limit {
			_, err := io.WriteString(w, d.b.String())
			return err
		}
	}
	return fmt.Errorf("markdown: %d bytes do not hold even the shortest digest, which takes more than %d", d.limit, d.size())
}

// WriteChangePoint writes what an issue says of one change point, or, where
// closing is not empty, why it is over.
func WriteChangePoint(w io.Writer, p report.ChangePoint, closing report.Text, o Options) error {
	d, err := newDigest(o)
	if err != nil {
		return err
	}
	for _, plan := range digests {
		d.b.Reset()
		d.digest = plan
		if d.marker != "" {
			d.line("%s", d.marker)
		}
		if len(closing) > 0 {
			d.line("**Over:** %s\n", inline(closing))
		}
		d.line("On %s, %s.\n", named(p.Machine), inline(p.When))
		d.point(p)
		d.ways(p.Steps)
		if d.links != "" {
			d.line("%s\n", d.links)
		}
		if d.size() <= d.limit {
			_, err := io.WriteString(w, d.b.String())
			return err
		}
	}
	return fmt.Errorf("markdown: %d bytes do not hold even the shortest issue", d.limit)
}

// A digest is how much is told.
type digest struct {
	open    int // change points that stand open
	rows    int // of each
	commits int // of each
	over    int // folded ones
	night   int // rows of the last night
}

var digests = []digest{{50, 30, 20, 200, 60}, {25, 15, 10, 60, 30}, {12, 6, 5, 12, 12}, {5, 3, 0, 0, 5}, {0, 1, 0, 0, 0}}

// A digester writes a digest by a plan.
type digester struct {
	document
	digest digest
}

func newDigest(o Options) (*digester, error) {
	if o.MaxBytes == 0 {
		o.MaxBytes = CommentBytes
	}
	if o.Marker != "" && !marker.MatchString(o.Marker) {
		return nil, fmt.Errorf("markdown: marker %q is not a hidden comment of plain words", o.Marker)
	}
	links, err := linkLine(o.Links)
	return &digester{document: document{marker: o.Marker, links: links, limit: o.MaxBytes}}, err
}

func (d *digester) write(n report.Nightly) {
	if d.marker != "" {
		d.line("%s", d.marker)
	}
	d.line("## %s %s: %s\n", nightlySymbol(n), prose(n.Status), prose(n.Headline))
	if !n.Title.IsEmpty() {
		d.line("%s\n", code(n.Title))
	}
	d.line("%s\n", inline(n.Lead))
	if d.digest.open > 0 {
		d.ways(n.Steps)
	}
	if d.links != "" {
		d.line("%s\n", d.links)
	}
	for _, m := range n.Machines {
		d.machine(m, n.Time)
	}
	if d.digest.over == 0 {
		d.line("Left out here for lack of room: the rest. It is in the other reports.\n")
		return
	}
	for _, note := range n.Notes {
		d.line("- %s", inline(note))
	}
	if len(n.Facts) > 0 {
		d.folded(report.Titles.Measured, func() {
			d.line("")
			for _, f := range n.Facts {
				d.line("- %s: %s", prose(f.Label), inline(f.Value))
			}
		})
	}
	if len(n.Definitions) > 0 {
		d.folded(report.Titles.Definitions, func() {
			d.line("")
			for _, def := range n.Definitions {
				d.line("- **%s**: %s", prose(def.Term), prose(def.Meaning))
			}
		})
	}
}

// sentinel writes what the sentinel says, where it moved lately.
func (d *digester) sentinel(m report.NightlyMachine) {
	s := m.Sentinel
	if s == nil || !s.Recent || d.digest.night == 0 {
		return
	}
	d.line("### Sentinel of %s\n", named(m.Name))
	d.line("%s\n", inline(s.Text))
	for i, shift := range s.Shifts[:min(len(s.Shifts), 5)] {
		if i == 0 {
			d.line("New levels of the machine since\n")
		}
		d.line("- %s", inline(shift))
	}
	for i, t := range s.Withheld[:min(len(s.Withheld), d.digest.night)] {
		if i == 0 {
			d.line("\nWithheld (%d), because the machine moved:\n", len(s.Withheld))
		}
		d.line("- %s", inline(t))
	}
	d.line("")
}

func (d *digester) machine(m report.NightlyMachine, now time.Time) {
	d.sentinel(m)
	var over []report.ChangePoint
	shown := 0
	for _, p := range m.Recent(now.Add(-recent)) {
		if !p.Open() && !p.Gained() {
			over = append(over, p)
			continue
		}
		if shown++; shown > d.digest.open {
			continue
		}
		symbol := "❌"
		if !p.Worse {
			symbol = "🟢"
		}
		fresh := ""
		if p.New {
			fresh = " (new)"
		}
		d.line("### %s %s%s\n", symbol, inline(p.Title), fresh)
		d.line("On %s, %s.\n", named(m.Name), inline(p.When))
		d.point(p)
	}
	if more := shown - d.digest.open; more > 0 {
		d.line("… and %d more change points.\n", more)
	}
	d.night(m)
	if len(m.Lost) > 0 && d.digest.over > 0 {
		d.line("**No longer measured** on %s: %s\n", named(m.Name), inline(report.Join("; ", m.Lost[:min(len(m.Lost), 12)]...)))
	}
	if len(m.Gaps) > 0 && d.digest.over > 0 {
		d.line("**Missing nights** of %s: %s\n", named(m.Name), inline(report.Join("; ", m.Gaps[:min(len(m.Gaps), 12)]...)))
	}
	if len(m.Breaks) > 0 && d.digest.over > 0 {
		d.line("**Breaks** of %s: %s\n", named(m.Name), inline(report.Join("; ", m.Breaks[:min(len(m.Breaks), 6)]...)))
	}
	if len(over) > 0 && d.digest.over > 0 {
		d.folded(fmt.Sprintf("Over (%d)", len(over)), func() {
			d.line("")
			for i, p := range over {
				if i == d.digest.over {
					d.line("- … and %d more", len(over)-i)
					break
				}
				d.line("- %s; %s; %s", inline(p.Title), inline(p.When), inline(p.Standing))
			}
		})
	}
}

// point writes what moved, what speaks against it, and the commits between.
func (d *digester) point(p report.ChangePoint) {
	if !p.Lasts() {
		d.line("It is %s.\n", inline(p.Standing))
	}
	d.line("| metric | cell | before → since | change | interval |\n|---|---|--:|--:|--:|")
	for i, row := range p.Rows {
		if i == d.digest.rows {
			d.line("\n… and %d more.", len(p.Rows)-i)
			break
		}
		change := whole(figure(row.Figures.Change))
		if row.Class == report.Regression && change != "" {
			change = "**" + change + "**"
		}
		d.line("| %s | %s | %s | %s | %s |", cell(row.Comparison.Metric.Name), cell(row.Label), arrow(row.Figures), change, figure(row.Figures.Interval()))
	}
	d.line("")
	for _, caveat := range p.Caveats {
		d.line("- %s", inline(caveat))
	}
	if len(p.Caveats) > 0 {
		d.line("")
	}
	if len(p.CommitsUnder) > 0 {
		d.line("%s\n", inline(p.CommitsUnder))
	}
	for i, c := range p.Commits {
		if i == d.digest.commits {
			d.line("- … and %d more", p.CommitCount-i)
			break
		}
		d.line("- %s %s, %s", named(c.SHA[:min(len(c.SHA), 12)]), code(c.Subject), code(c.Author))
	}
	if len(p.Commits) > 0 {
		d.line("")
	}
}

// night writes what the last night makes one suspect.
func (d *digester) night(m report.NightlyMachine) {
	if m.Last == nil || d.digest.night == 0 {
		return
	}
	var rows []report.Row
	for _, row := range m.Last.Rows {
		if row.Class == report.Suspected || row.Class == report.NotMeasured {
			rows = append(rows, row)
		}
	}
	if len(rows) == 0 {
		return
	}
	d.line("### Last night of %s\n", named(m.Name))
	d.table(rows, d.digest.night, false)
	d.line("")
}

func (d *digester) ways(steps []report.Step) {
	if len(steps) == 0 {
		return
	}
	d.line("**What to do next**\n")
	for i, s := range steps {
		d.line("%d. %s", i+1, inline(s.Text))
		if !s.Command.IsEmpty() {
			d.line("\n%s", shell(s.Command))
		}
	}
	d.line("")
}

func nightlySymbol(n report.Nightly) string {
	if n.Status == report.Steady {
		return "✅"
	}
	s := symbol(report.Report{Outcome: n.Outcome})
	return strings.TrimSpace(s)
}
