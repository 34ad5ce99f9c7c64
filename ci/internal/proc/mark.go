package proc

import (
	"crypto/rand"
	"fmt"
	"os/exec"
	"slices"
	"sync/atomic"
)

// marks is how the entries begin that this process gives to its children, and
// nobody else does.
var marks = "LLAMA_REGRESS_CHILD=" + rand.Text() + "."

var marked atomic.Uint32

// StartMarked starts a command, whose Env is set, with a mark that is different for
// each, and returns the mark, by which KillMarked finds the command and what it
// started. All marks are of one length, for the size of its environment can change
// how fast a program is. The guard of this process finds them also by a limit.
// After Adopt each must be followed by EndAdopted.
func StartMarked(cmd *exec.Cmd) (mark string, err error) {
	mark = fmt.Sprintf("%s%010d", marks, marked.Add(1))
	cmd.Env = append(slices.Clip(cmd.Env), mark)
	return mark, startOfBrood(cmd, startLimited)
}
