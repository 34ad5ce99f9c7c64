// Package provide gets what a command needs and does not have: the programs of
// llama.cpp, a model, valgrind.
package provide

import (
	"context"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/llama-regress/llama-regress/ci/provision"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
)

// Flags are the flags that say where llama.cpp's programs may come from.
type Flags struct {
	provision.Options
}

// Register defines the flags.
func (o *Flags) Register(f *pflag.FlagSet) {
	f.StringVar(&o.LlamaDir, "llama-dir", "", "folder of llama.cpp's programs; nothing else is then looked for")
	f.StringVar(&o.Release, "release", "", "official release to download, such as b6082")
	f.StringVar(&o.SHA256, "sha256", "", "checksum its archive must have")
	f.BoolVar(&o.Offline, "offline", false, "use what is on this machine or in the cache, no network")
}

// Find looks for programs and reports each step on standard error.
func Find(ctx context.Context, a *cli.App, o Flags, need ...string) (*provision.Llama, error) {
	o.Need = need
	o.Log = func(line string) { fmt.Fprintln(a.Err, "provision: "+line) }
	found, err := provision.Find(ctx, o.Options)
	return found, cli.Unmeasured(err)
}
