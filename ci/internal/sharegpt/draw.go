package sharegpt

import (
	"bytes"
	"cmp"
	"container/heap"
	"slices"
)

const (
	maxDraw   = 12 << 20  // bytes of records that one pass may hold
	maxSample = 256 << 20 // bytes of text in a sample
)

// A candidate is a record that may be drawn, as it lies in the file: to decode
// only what is drawn in the end is what makes a large file quick.
type candidate struct {
	priority uint64
	number   int
	record   []byte
}

// A draw keeps the records of lowest priority among those offered to it, and
// so needs no second look at the file to put them in order. Priorities are
// unique; those below from are left to earlier passes.
type draw struct {
	order      func(record int) uint64
	from       uint64
	limit      int // of candidates
	held       byPriority
	bytes      int
	overflowed bool
	cutoff     uint64 // if overflowed: held is complete below it
}

// newDraw makes room for more records than the sample needs, so that most files
// and rules fill it in one pass although some records are passed over. Where they
// do not, each further pass has more room, up to maxDraw.
func newDraw(order func(int) uint64, sample, passes int, from uint64) *draw {
	return &draw{order: order, from: from, limit: (2*min(sample, 1<<20) + 64) << min(3*passes, 30)}
}

// offer keeps a copy of the record if it is among the ones drawn so far.
func (d *draw) offer(number int, record []byte) {
	p := d.order(number)
	if p < d.from || d.overflowed && p >= d.cutoff {
		return
	}
	heap.Push(&d.held, candidate{p, number, bytes.Clone(record)})
	d.bytes += len(record)
	for len(d.held) > d.limit || d.bytes > maxDraw && len(d.held) > 1 {
		last := heap.Pop(&d.held).(candidate)
		d.bytes -= len(last.record)
		d.overflowed, d.cutoff = true, last.priority
	}
}

// sorted returns what was drawn, lowest priority first.
func (d *draw) sorted() []candidate {
	slices.SortFunc(d.held, func(a, b candidate) int { return cmp.Compare(a.priority, b.priority) })
	return d.held
}

// byPriority is a heap with the highest priority at its top.
type byPriority []candidate

func (h byPriority) Len() int           { return len(h) }
func (h byPriority) Less(i, j int) bool { return h[i].priority > h[j].priority }
func (h byPriority) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *byPriority) Push(x any)        { *h = append(*h, x.(candidate)) }
func (h *byPriority) Pop() any {
	last := len(*h) - 1
	c := (*h)[last]
	(*h)[last] = candidate{} // lets its record go
	*h = (*h)[:last]
	return c
}

// fileOrder takes the records as they come.
func fileOrder(record int) uint64 { return uint64(record) }

// seededOrder shuffles: the priority of a record is the number of that index in
// the SplitMix64 sequence of the seed (Steele, Lea and Flood 2014, "Fast
// splittable pseudorandom number generators"), whose numbers never repeat. It
// needs neither the file's length nor its order of arrival, and has nothing that
// could differ between machines or versions of Go. The seed is mixed first:
// else seed 1 would draw what seed 0 draws one record later.
func seededOrder(seed uint64) func(record int) uint64 {
	start := mix64(seed)
	return func(record int) uint64 { return mix64(start + uint64(record)*0x9e3779b97f4a7c15) }
}

func mix64(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
