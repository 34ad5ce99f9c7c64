package runner_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/llama-regress/llama-regress/ci/device"
	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/runner"
)

// hot is a bench that uses the second of two devices and leaves it hot.
type hot struct {
	fakeBench
	after func()
}

func (h *hot) Measure(ctx context.Context, p *plan.Plan, t plan.Trial) (record.Trial, error) {
	trial, err := h.fakeBench.Measure(ctx, p, t)
	trial.Samples = &record.Samples{Every: 1, Series: map[string][]float64{"gpu1.busy": {1, 1}, "cpu_other": {0, 0}}}
	h.after()
	return trial, err
}

// The record names the devices, each trial those that it used; a used device is waited
// for until it is cool, and one that nobody uses is not. What could not be read is noted.
func TestDevices(t *testing.T) {
	files := fstest.MapFS{}
	warm := func(i, celsius int) {
		files[fmt.Sprintf("sys/class/drm/card%d/device/hwmon/hwmon1/temp1_input", i)] = &fstest.MapFile{Data: fmt.Appendf(nil, "%d000", celsius)}
	}
	for i := range 2 {
		files[fmt.Sprintf("sys/class/drm/card%d/device/uevent", i)] = &fstest.MapFile{Data: fmt.Appendf(nil, "DRIVER=amdgpu\nPCI_SLOT_NAME=0000:0%d:00.0", i)}
	}
	warm(0, 99)
	warm(1, 90)
	set := device.Open(t.Context(), device.Options{Root: files, SMI: filepath.Join(t.TempDir(), "none")})
	defer set.Close()
	now, celsius := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC), 40
	opts := options(t.TempDir())
	opts.Devices, opts.CoolDevices, opts.CoolLimit = set, 60, time.Minute
	opts.Temperature = func() (float64, bool) { return 0, false }
	opts.Now = func() time.Time { return now }
	opts.Sleep = func(_ context.Context, d time.Duration) bool {
		now, celsius = now.Add(d), celsius-5
		warm(1, celsius)
		return true
	}
	run, err := runner.Run(context.Background(), makePlan(t, t.TempDir(), 2), &hot{after: func() { celsius = 80; warm(1, celsius) }}, opts)
	if err != nil {
		t.Fatal(err)
	}
	if len(run.Devices) != 2 || run.Devices[1].ID != "0000:01:00.0" {
		t.Errorf("devices: %+v", run.Devices)
	}
	for i, trial := range run.Trials {
		if len(trial.Devices) != 1 || trial.Devices[0] != "0000:01:00.0" {
			t.Errorf("trial %d used %q", i, trial.Devices)
		}
		p := trial.Preparation
		if i == 0 {
			if p != nil && p.Cooled > 0 {
				t.Errorf("the first trial waited for a device that nothing used: %+v", p)
			}
			continue
		}
		if p == nil || p.Cooled != 4 || p.DeviceC == nil || *p.DeviceC != 60 || p.TemperatureC != nil {
			t.Errorf("trial %d: %+v, want 4 s and 60 °C", i, p)
		}
	}
	if notes := strings.Join(run.Notes, "\n"); !strings.Contains(notes, "nvidia-smi does not tell of its devices") {
		t.Errorf("notes: %s", notes)
	}
}
