package device

import (
	"context"
	"slices"
	"strings"

	"github.com/llama-regress/llama-regress/ci/internal/proc"
	"github.com/llama-regress/llama-regress/ci/record"
)

// details fills in what only other outputs of nvidia-smi tell: the temperature at which
// a device slows down, and the slices of one that is split. Old versions tell neither.
func (q query) details(ctx context.Context, list []record.Device) {
	lines, _ := q.run(ctx, "-q", "-d", "TEMPERATURE")
	slowdowns(list, lines)
	if slices.ContainsFunc(list, func(d record.Device) bool { return d.MIG == "Enabled" }) {
		lines, _ = q.run(ctx, "-L")
		slicesOf(list, lines)
	}
}

// slowdowns reads "GPU Slowdown Temp : 96 C" below "GPU 00000000:01:00.0". Newer devices
// tell a distance from the limit in its place, "GPU Slowdown T.Limit Temp", which
// is no temperature.
func slowdowns(list []record.Device, lines []string) {
	at := -1
	for _, line := range lines {
		if address, ok := strings.CutPrefix(line, "GPU 0"); ok {
			pci := strings.ToLower(shortPCI("0" + address))
			at = slices.IndexFunc(list, func(d record.Device) bool { return d.PCI == pci })
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		if at >= 0 && strings.TrimSpace(name) == "GPU Slowdown Temp" {
			if v := number(strings.TrimSpace(value)); v > 0 && v < most[Temperature] {
				list[at].Slowdown = &v
			}
		}
	}
}

// slicesOf reads "MIG 1g.10gb Device 0: (UUID: MIG-...)" below "GPU 0: NVIDIA A100 (UUID: GPU-...)".
func slicesOf(list []record.Device, lines []string) {
	at := -1
	for _, line := range lines {
		_, rest, _ := strings.Cut(line, "(UUID: ")
		uuid := strings.TrimSuffix(rest, ")")
		switch fields := strings.Fields(line); {
		case strings.HasPrefix(line, "GPU "):
			at = slices.IndexFunc(list, func(d record.Device) bool { return d.ID == uuid })
		case at >= 0 && len(fields) > 1 && fields[0] == "MIG" && len(list[at].Slices) < mostDevices:
			list[at].Slices = append(list[at].Slices, proc.OneLine(fields[1]+" "+uuid, 120))
		}
	}
}
