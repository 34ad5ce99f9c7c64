package measure

import (
	"os"
	"testing"

	"github.com/llama-regress/llama-regress/fixtures/fakebench"
)

func TestMain(m *testing.M) {
	fakebench.TakeOver() // does not return in a process named llama-bench
	os.Exit(m.Run())
}
