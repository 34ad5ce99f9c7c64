package llama

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/gguf"
	"github.com/llama-regress/llama-regress/ci/record"
)

// On the synthetic mixture of experts the parameters of experts do what they are
// for: the real program says of each tensor that it puts elsewhere that it does.
func TestRealMixture(t *testing.T) {
	dir, _ := realLlama(t)
	shape, _ := gguf.Preset("tiny-moe")
	shape.Type = gguf.Q4_0
	model := filepath.Join(t.TempDir(), "moe.gguf")
	if _, err := gguf.WriteFile(t.Context(), model, shape, 1); err != nil {
		t.Fatal(err)
	}
	p, err := identify(t.Context(), record.Arm{Name: "a", Bin: dir}, os.Environ(), "llama-bench", readHelp)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		values map[string]string
		moved  int // tensors; a block has three of experts
	}{
		{nil, 0},
		{map[string]string{"n_cpu_moe": "2"}, 6},
		{map[string]string{"override_tensor": "exps=CPU"}, 12},
		{map[string]string{"override_tensor": "blk\\.0.*exps=CPU;blk\\.3.*exps=CPU", "repack": "off"}, 6},
	} {
		args, err := parameterArgs(p.caps, c.values)
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), p.path, slices.Concat([]string{"-m", model, "-p", "8", "-n", "0", "-r", "1", "-t", "1", "-v"}, args)...)
		said, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", cmd.Args, err, said)
		}
		if n := strings.Count(string(said), "buffer type overridden to"); n != c.moved {
			t.Errorf("%v: %d tensors were moved, want %d", c.values, n, c.moved)
		}
		if repacks := strings.Contains(string(said), "CPU_REPACK"); repacks == (c.values["repack"] == "off") {
			t.Errorf("%v: repacked %v", c.values, repacks)
		}
	}
}
