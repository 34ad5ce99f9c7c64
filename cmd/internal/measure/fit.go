package measure

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/device"
	"github.com/llama-regress/llama-regress/ci/host"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/report"
)

// fit looks at the machine before a measurement. A hard finding is an error, or
// a note where it was to be overridden; soft ones are told in one line.
func fit(ctx context.Context, a *cli.App, cfg *config.Config, how Flags, devices *device.Set) (notes []string, err error) {
	sizes := make(map[string]int64)
	for _, m := range cfg.Models {
		if info, err := os.Stat(m.Path); err == nil { // the runner says what is wrong with it
			sizes[m.Name] = info.Size()
		}
	}
	found, err := host.Examine(ctx, host.Subject{Dir: how.Dir, Models: sizes, Interval: 250 * time.Millisecond, Devices: devices})
	if err != nil {
		return nil, err
	}
	return consider(a, found, how.unfit)
}

func consider(a *cli.App, found []host.Finding, override bool) (notes []string, err error) {
	var hard, soft []string
	for _, f := range found {
		switch f.Severity {
		case host.Hard:
			hard = append(hard, fmt.Sprintf("%s: %s (%s)", f.Check, f.Found, f.Why))
		case host.Soft:
			soft = append(soft, fmt.Sprintf("%s: %s", f.Check, report.Line(f.Found, 60)))
		}
	}
	if len(soft) > 0 {
		fmt.Fprintf(a.Err, "doctor: numbers may spread: %s; see 'llama-regress doctor'\n", strings.Join(soft, "; "))
	}
	if len(hard) > 0 && !override {
		return nil, cli.Unmeasured(fmt.Errorf("this machine is not fit to measure: %s; see 'llama-regress doctor', or measure all the same: --ignore-doctor", strings.Join(hard, "; ")))
	}
	for _, h := range hard {
		notes = append(notes, "measured with --ignore-doctor although "+h)
	}
	return notes, nil
}
