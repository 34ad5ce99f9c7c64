package quickstart

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/provision"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/measure"
)

// No limit of quickstart is so short that the slower backend reaches it because
// the machine is busy: a trial takes two seconds on a quiet one and took more
// than 60 beside 15 other programs. A failed trial is no regression.
func TestQuickstartLimits(t *testing.T) {
	t.Setenv("LLAMA_REGRESS_CACHE", t.TempDir())
	a := &cli.App{Streams: cli.Streams{Err: t.Output(), Getenv: os.Getenv}}
	cfg, err := quickstartConfig(context.Background(), a, &provision.Llama{Dir: "bin"}, measure.Flags{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if least := config.Default().Sampling.Timeout; cfg.Sampling.Timeout < least {
		t.Errorf("a trial may take %v, in every other run %v", cfg.Sampling.Timeout, least)
	}
	for what, limit := range map[string]time.Duration{"request": cfg.Serve.RequestTimeout, "start of a server": cfg.Serve.Server.StartTimeout} {
		if limit < 5*time.Minute || limit > cfg.Sampling.Timeout {
			t.Errorf("a %s may take %v, want at least 5 minutes and no more than its trial, %v", what, limit, cfg.Sampling.Timeout)
		}
	}
}
