package config

import (
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// A Sentinel is a pinned build that is measured with every session that is no pull
// request's, so that a machine that changed is told from a build that did.
type Sentinel struct {
	Bin    string  `yaml:"bin"`    // folder of its programs, as written; see Config.Abs
	Cells  Control `yaml:"cells"`  // ControlOne: the first cell, or ControlAll
	Blocks int     `yaml:"blocks"` // its rounds, 2 to 1000: half of them before those of the arms, half after
}

// NewSentinel is the sentinel of that folder, all else as it is by default.
func NewSentinel(bin string) *Sentinel { return &Sentinel{Bin: bin, Cells: ControlOne, Blocks: 6} }

func (r *reader) sentinel(path string, n ast.Node, to **Sentinel) {
	if _, ok := n.(*ast.NullNode); ok {
		return // a section whose lines are all commented out
	}
	s := NewSentinel("")
	r.object(path, n, map[string]setter{
		"bin":    r.text(&s.Bin),
		"cells":  r.text((*string)(&s.Cells)),
		"blocks": r.whole(&s.Blocks),
	})
	*to = s
}

func (k *checker) sentinel(c *Config) {
	s := c.Sentinel
	if s == nil {
		return
	}
	if s.Bin == "" {
		k.fault("sentinel.bin", "missing: the folder that holds the programs of a build that never changes")
	} else if strings.ContainsAny(s.Bin, "\x00\n\r") {
		k.fault("sentinel.bin", "want the path of a folder")
	}
	if s.Cells != ControlOne && s.Cells != ControlAll {
		k.fault("sentinel.cells", "want %s or %s, have %q", ControlOne, ControlAll, short(string(s.Cells)))
	}
	k.between("sentinel.blocks", s.Blocks, 2, 1000)
}
