package provision

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
)

// dir opens the folder that the user named. A build tree keeps its programs in
// bin/, and a source tree that in build/bin/.
func (f *finder) dir(ctx context.Context) (*Llama, error) {
	if f.LlamaDir == "" {
		return nil, errors.New("no folder is named (--llama-dir)")
	}
	top, err := filepath.Abs(f.LlamaDir)
	if err != nil {
		return nil, err
	}
	for _, dir := range []string{top, filepath.Join(top, "bin"), filepath.Join(top, "build", "bin")} {
		if checkExecutable(filepath.Join(dir, "llama-bench")) == nil {
			return f.open(ctx, SourceDir, dir)
		}
	}
	return nil, fmt.Errorf("no executable llama-bench in %s, its bin or its build/bin", top)
}

// path opens the folder in which PATH finds llama-bench. The other programs
// must lie beside it: two builds in one run would be compared as one.
func (f *finder) path(ctx context.Context) (*Llama, error) {
	bench, err := exec.LookPath("llama-bench")
	if err != nil {
		return nil, errors.New("no llama-bench in PATH")
	}
	if bench, err = filepath.Abs(bench); err != nil {
		return nil, err
	}
	return f.open(ctx, SourcePath, filepath.Dir(bench))
}
