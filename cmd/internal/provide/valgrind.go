package provide

import (
	"context"
	"fmt"

	"github.com/llama-regress/llama-regress/ci/provision"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
)

// Valgrind looks for valgrind and reports each step on standard error.
func Valgrind(ctx context.Context, a *cli.App, o provision.Options) (*provision.Valgrind, error) {
	o.Log = func(line string) { fmt.Fprintln(a.Err, "provision: "+line) }
	found, err := provision.FindValgrind(ctx, o)
	return found, cli.Unmeasured(err)
}
