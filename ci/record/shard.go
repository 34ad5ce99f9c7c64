package record

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// MostShards is how many a plan may be cut into: GitHub runs at most that many
// jobs of one matrix.
const MostShards = 256

// A Shard is one of the parts that a plan is cut into, each for a machine of
// its own. All arms of a cell are in the same shard.
type Shard struct {
	Index int    `json:"index"` // from 1 to Of
	Of    int    `json:"of"`    // how many shards there are, at most MostShards
	Plan  string `json:"plan"`  // ID of the whole plan; "" where that is not known yet
}

// ParseShard reads "2/4", the second of four.
func ParseShard(text string) (Shard, error) {
	index, of, ok := strings.Cut(text, "/")
	i, errI := strconv.Atoi(index)
	n, errN := strconv.Atoi(of)
	if !ok || errI != nil || errN != nil || i < 1 || i > n || n > MostShards {
		return Shard{}, fmt.Errorf("shard %q: want i/n with i from 1 to n and n at most %d, such as 2/4", text, MostShards)
	}
	return Shard{Index: i, Of: n}, nil
}

// String is such as "2/4".
func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.Index, s.Of) }

// A Part is the session of one shard in a merged record: each cell was measured
// in one part alone, and parts are never compared with each other.
type Part struct {
	Shard       Shard     `json:"shard"`
	ID          string    `json:"id"` // of the shard's own record
	Started     time.Time `json:"started"`
	Finished    time.Time `json:"finished"`
	Host        Host      `json:"host"`
	Cells       []string  `json:"cells"` // Cell.Key
	Interrupted string    `json:"interrupted,omitempty"`

	Extra Extra `json:"-"`
}

// PartOfCells says by Cell.Key which of Parts measured a cell; nil where the
// record was not merged and so is of one machine.
func (r *Run) PartOfCells() map[string]int {
	if len(r.Parts) == 0 {
		return nil
	}
	parts := make(map[string]int, len(r.Cells))
	for i, p := range r.Parts {
		for _, key := range p.Cells {
			parts[key] = i
		}
	}
	return parts
}
