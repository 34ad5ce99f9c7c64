package host

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/device"
	"github.com/llama-regress/llama-regress/ci/record"
)

// What is wrong with a device is told with what it costs and what mends it.
func TestDoctorOfDevices(t *testing.T) {
	l4 := record.Device{Name: "gpu0", Vendor: "nvidia", Model: "NVIDIA L4", PCI: "0000:01:00.0", Persistence: "Enabled", ECC: "Enabled", Display: "Disabled", PowerLimit: watts(72), Default: watts(72), Slowdown: watts(95), Link: "gen 4 x16", LinkNow: "gen 1 x16"}
	with := func(change func(*record.Device)) []record.Device {
		d := l4
		d.Name = "gpu1"
		change(&d)
		return []record.Device{l4, d}
	}
	state := func(q int, v float64) []device.State { s := make([]device.State, 2); s[1][q] = v; return s }
	for name, c := range map[string]struct {
		check         string
		devices       []record.Device
		states        []device.State
		on            []device.Process
		files         map[string]string
		severity      Severity
		found, change string
	}{
		"as it should be":    {check: "gpu_persistence", devices: with(func(*record.Device) {}), severity: Fine, found: "on"},
		"persistence":        {check: "gpu_persistence", devices: with(func(d *record.Device) { d.Persistence = "Disabled" }), severity: Soft, found: "off: gpu1 NVIDIA L4", change: "sudo nvidia-smi -pm 1"},
		"no persistence":     {check: "gpu_persistence", devices: []record.Device{{Name: "gpu0"}}, severity: Unknown, found: "only NVIDIA's driver has it"},
		"power":              {check: "gpu_power_limit", devices: with(func(d *record.Device) { d.PowerLimit = watts(60) }), severity: Soft, found: "below the default: gpu1 60 W of 72 W", change: "sudo nvidia-smi -i 1 -pl 72"},
		"power as made":      {check: "gpu_power_limit", devices: with(func(*record.Device) {}), severity: Fine, found: "as the maker set it"},
		"power of AMD":       {check: "gpu_power_limit", devices: []record.Device{{Name: "gpu0", Vendor: "amd", PCI: "0000:03:00.0", PowerLimit: watts(303), Default: watts(339)}}, severity: Soft, found: "below the default: gpu0 303 W of 339 W", change: "echo 339000000 | sudo tee /sys/bus/pci/devices/0000:03:00.0/hwmon/hwmon*/power1_cap"},
		"power not told":     {check: "gpu_power_limit", devices: []record.Device{{Name: "gpu0"}}, severity: Unknown, found: "not told"},
		"screen":             {check: "gpu_display", devices: with(func(d *record.Device) { d.Display = "Enabled" }), severity: Soft, found: "gpu1 drives a screen", change: "isolate multi-user.target"},
		"no screen":          {check: "gpu_display", devices: with(func(*record.Device) {}), severity: Fine, found: "no device drives a screen"},
		"programs":           {check: "gpu_programs", devices: with(func(*record.Device) {}), on: []device.Process{{Device: "gpu1", PID: 7, Name: "##[x", Busy: 0.25, Memory: 1 << 30}}, severity: Soft, found: "# #[x (7) on gpu1, 1024 MiB, 25% busy", change: "CUDA_VISIBLE_DEVICES"},
		"hidden programs":    {check: "gpu_programs", devices: with(func(*record.Device) {}), states: state(device.Busy, 0.4), severity: Soft, found: "gpu1 is 40% busy with something that is not to be seen from here", change: "stop them"},
		"no programs":        {check: "gpu_programs", devices: with(func(*record.Device) {}), states: state(device.Busy, 0.01), severity: Fine, found: "none is to be seen"},
		"ECC":                {check: "gpu_ecc", devices: with(func(*record.Device) {}), severity: Fine, found: "on: on devices with GDDR memory"},
		"ECC of one":         {check: "gpu_ecc", devices: with(func(d *record.Device) { d.ECC = "Disabled" }), severity: Soft, found: "gpu0 enabled, gpu1 disabled", change: "sudo nvidia-smi -e"},
		"no ECC":             {check: "gpu_ecc", devices: []record.Device{{Name: "gpu0"}}, severity: Unknown, found: "not told"},
		"hot":                {check: "gpu_heat", devices: with(func(*record.Device) {}), states: state(device.Temperature, 80), severity: Soft, found: "gpu1 is at 80 °C and slows down at 95 °C", change: "cool_below: {gpu: 60}"},
		"cool":               {check: "gpu_heat", devices: with(func(*record.Device) {}), states: state(device.Temperature, 40), severity: Fine, found: "at least 20 °C below"},
		"heat not told":      {check: "gpu_heat", devices: with(func(*record.Device) {}), severity: Unknown, found: "not told"},
		"lanes":              {check: "gpu_link", devices: with(func(d *record.Device) { d.LinkNow = "gen 4 x8" }), severity: Soft, found: "gpu1 has 8 of 16 lanes", change: "slot"},
		"slow while idle":    {check: "gpu_link", devices: with(func(*record.Device) {}), severity: Fine, found: "all lanes"},
		"links that sleep":   {check: "aspm", devices: with(func(*record.Device) {}), files: map[string]string{"sys/module/pcie_aspm/parameters/policy": "default performance [powersave] powersupersave"}, severity: Soft, found: "powersave", change: "echo performance | sudo tee /sys/module/pcie_aspm/parameters/policy"},
		"links that may not": {check: "aspm", devices: with(func(*record.Device) {}), files: map[string]string{"sys/module/pcie_aspm/parameters/policy": "[default] performance powersave powersupersave"}, severity: Fine, found: "default"},
	} {
		root := treeOf(c.files)
		at := time.Unix(1_700_000_000, 0)
		e := examination{tree: root, before: root.snapshot(at), after: root.snapshot(at.Add(time.Second)), devices: c.devices, states: c.states, onDevices: c.on,
			room: func(string) (uint64, error) { return 0, nil }}
		f := find(t, e.findings(), c.check)
		if f.Severity != c.severity || !strings.HasPrefix(f.Found, c.found) || !strings.Contains(f.Change, c.change) || (f.Severity == Soft) != (f.Why != "" && f.Change != "") {
			t.Errorf("%s: %+v", name, f)
		}
	}
	e := examination{tree: treeOf(nil), room: func(string) (uint64, error) { return 0, nil }}
	if slices.ContainsFunc(e.findings(), func(f Finding) bool { return strings.HasPrefix(f.Check, "gpu") || f.Check == "aspm" }) {
		t.Error("a machine without devices is asked about them")
	}
}
