package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
)

// SegmentSchema names the format of a segment's marker.
const SegmentSchema = "llama-regress/segment/v1"

// A Segment marks where the history of a machine begins anew, because somebody
// accepted a change: sessions before it are no baseline for those after. The
// marker is an object of its own, written once like every other; no record is
// touched. A mistaken one is taken back by another that revokes it.
type Segment struct {
	Schema  string    `json:"schema"` // always SegmentSchema
	Machine string    `json:"machine"`
	From    string    `json:"from,omitempty"`    // key of the segment's first session; "" in one that only revokes
	Cells   []string  `json:"cells,omitempty"`   // keys of the cells it is about; none for all of them
	Revokes string    `json:"revokes,omitempty"` // key of the marker it takes back
	Reason  string    `json:"reason"`            // why, for whoever reads the history later
	By      string    `json:"by,omitempty"`      // who
	Made    time.Time `json:"made"`

	Key string `json:"-"` // where it is stored
}

// Start is when the segment's first session began.
func (g Segment) Start() time.Time {
	key, _ := ParseKey(g.From) // checked as it was read
	return key.Started
}

// About says whether the segment is about a cell.
func (g Segment) About(cell string) bool {
	return g.From != "" && (len(g.Cells) == 0 || slices.Contains(g.Cells, cell))
}

func (g Segment) validate() error {
	from, err := ParseKey(g.From)
	switch {
	case g.Schema != SegmentSchema:
		return fmt.Errorf("schema is %q, this version reads %q", short(g.Schema), SegmentSchema)
	case g.Machine == "" || Slug(g.Machine) != g.Machine:
		return fmt.Errorf("machine %q", short(g.Machine))
	case strings.TrimSpace(g.Reason) == "" || len(g.Reason) > 2000 || strings.ContainsFunc(g.Reason, unicode.IsControl):
		return fmt.Errorf("reason: want one line that says why")
	case g.Revokes != "" && (g.From != "" || !markerForm.MatchString(g.Revokes)):
		return fmt.Errorf("revokes %q: want the key of a marker, and nothing else beside it", short(g.Revokes))
	case g.Revokes != "":
		return nil
	case err != nil:
		return fmt.Errorf("from: %w", err)
	case from.Machine != g.Machine:
		return fmt.Errorf("from: %s is a session of another machine than %s", g.From, g.Machine)
	}
	return nil
}

var markerForm = regexp.MustCompile(`^segments/[a-z0-9][a-z0-9._-]{0,63}/\d{8}T\d{6}Z-[0-9a-f]{16}\.json$`)

// Promote stores a segment and returns its key. Schema is filled in.
func Promote(ctx context.Context, s Store, g Segment) (string, error) {
	g.Schema, g.Made = SegmentSchema, g.Made.UTC().Truncate(time.Second)
	if err := g.validate(); err != nil {
		return "", fmt.Errorf("segment: %w", err)
	}
	data, err := json.MarshalIndent(g, "", " ")
	if err != nil {
		return "", err
	}
	data = append(data, '\n')
	key := fmt.Sprintf("%s%s/%s-%s.json", segmentsFolder, g.Machine, g.Made.Format(keyTime), digest(string(data)))
	err = s.Put(ctx, key, data)
	if errors.Is(err, ErrExists) { // its key is its content
		err = nil
	}
	return key, err
}

// loadSegments adds the segments that were not taken back.
func loadSegments(ctx context.Context, s Store, prefix string, c *Contents) error {
	objects, err := s.List(ctx, prefix)
	if err != nil {
		return err
	}
	revoked := make(map[string]bool)
	for _, object := range objects {
		g, err := readSegment(ctx, s, object)
		var unreachable *unreachableError
		switch {
		case errors.As(err, &unreachable):
			return unreachable.error
		case err != nil:
			c.Faults = append(c.Faults, Fault{object.Key, err})
		case g.Revokes != "":
			revoked[g.Revokes] = true
		default:
			c.Segments = append(c.Segments, g)
		}
	}
	c.Segments = slices.DeleteFunc(c.Segments, func(g Segment) bool { return revoked[g.Key] })
	slices.SortFunc(c.Segments, func(a, b Segment) int { return strings.Compare(a.Key, b.Key) })
	slices.SortStableFunc(c.Segments, func(a, b Segment) int { return a.Made.Compare(b.Made) })
	return nil
}

// An unreachableError is a store's, not an object's.
type unreachableError struct{ error }

// getBounded reads an object that is what it says, which has at most so many bytes.
func getBounded(ctx context.Context, s Store, o Object, most int64, what string) ([]byte, error) {
	if o.Size > most {
		return nil, fmt.Errorf("%s: %d bytes, which no %s has", o.Key, o.Size, what)
	}
	data, err := s.Get(ctx, o.Key)
	if err != nil {
		return nil, &unreachableError{err}
	}
	return data, nil
}

const maxSegmentBytes = 1 << 20

func readSegment(ctx context.Context, s Store, o Object) (Segment, error) {
	var g Segment
	if !markerForm.MatchString(o.Key) {
		return g, fmt.Errorf("no key of a segment")
	}
	data, err := getBounded(ctx, s, o, maxSegmentBytes, "segment")
	if err != nil {
		return g, err
	}
	if err := json.NewDecoder(bytes.NewReader(data)).Decode(&g); err != nil {
		return g, fmt.Errorf("%s: not a segment: %w", o.Key, err)
	}
	if err := g.validate(); err != nil {
		return g, fmt.Errorf("%s: %w", o.Key, err)
	}
	if folder, _, _ := strings.Cut(strings.TrimPrefix(o.Key, segmentsFolder), "/"); folder != g.Machine {
		return g, fmt.Errorf("%s is about another machine, %s", o.Key, g.Machine)
	}
	g.Key = o.Key
	return g, nil
}

// Segment returns the segment that a machine's cell is in, the one that starts
// last, and false while its history was never begun anew.
func (c *Contents) Segment(machine, cell string) (Segment, bool) {
	var current Segment
	found := false
	for _, g := range c.Segments {
		if g.Machine == machine && g.About(cell) && (!found || !g.Start().Before(current.Start())) {
			current, found = g, true
		}
	}
	return current, found
}
