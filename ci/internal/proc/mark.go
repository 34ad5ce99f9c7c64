package proc

import (
	"crypto/rand"
	"fmt"
	"sync/atomic"
)

// marks is how the entries begin that this process gives to its children, and
// nobody else does.
var marks = "LLAMA_REGRESS_CHILD=" + rand.Text() + "."

var marked atomic.Uint32

// Mark returns an entry for the environment of a child, different for each, by
// which KillMarked finds the child and what it started. All are of one length,
// for the size of its environment can change how fast a program is.
func Mark() string { return fmt.Sprintf("%s%010d", marks, marked.Add(1)) }
