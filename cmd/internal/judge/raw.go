package judge

import (
	"github.com/spf13/pflag"

	"github.com/llama-regress/llama-regress/ci/llama"
)

// RegisterRaw defines the flags that say how files that llama-regress did not write
// are read.
func RegisterRaw(f *pflag.FlagSet, raw *llama.ImportOptions) {
	f.BoolVar(&raw.Partial, "partial", false, "use the whole results of a raw file that breaks off or holds other text too")
	f.BoolVar(&raw.Mixed, "mixed", false, "accept a raw file with results of several builds, machines or backends")
}

// RegisterBuild defines the flag that takes one build of a raw file with several.
func RegisterBuild(f *pflag.FlagSet, raw *llama.ImportOptions) {
	f.StringVar(&raw.Build, "build", "", "take the results of one build of a raw file with several: its commit, or the start of it, or its number")
}
