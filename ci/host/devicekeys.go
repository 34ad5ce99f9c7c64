package host

import (
	"fmt"
	"strings"

	"github.com/llama-regress/llama-regress/ci/device"
	"github.com/llama-regress/llama-regress/ci/record"
)

// describeDevices fills in the keys of accelerators. Those that changed the speed of a
// device for good are hard: its kind, driver, power limit, error correction and slices.
// Which one of several alike it is, its firmware and how it is attached are soft. A key
// that the kernel's files told already stays as it is, so that machines compare with
// their own older records.
func describeDevices(hard, soft keys, devices []record.Device, environ []string) {
	each := func(k keys, key string, of func(record.Device) string) {
		var all []string
		for _, d := range devices {
			if text := of(d); text != "" {
				all = append(all, text)
			}
		}
		if k[key] == "" {
			k.set(key, counted(all))
		}
	}
	each(hard, "gpu", func(d record.Device) string { return d.Model })
	each(hard, "gpu_driver", func(d record.Device) string { return d.Driver })
	each(hard, "gpu_power_limit", func(d record.Device) string {
		if d.PowerLimit == nil {
			return ""
		}
		return fmt.Sprintf("%.0f W", *d.PowerLimit)
	})
	each(hard, "gpu_ecc", func(d record.Device) string { return d.ECC })
	each(hard, "gpu_mig", func(d record.Device) string {
		if len(d.Slices) == 0 {
			return d.MIG
		}
		var kinds []string
		for _, slice := range d.Slices {
			kind, _, _ := strings.Cut(slice, " ")
			kinds = append(kinds, kind)
		}
		return strings.Join(kinds, "+")
	})
	each(soft, "gpu_ids", func(d record.Device) string { return d.ID })
	each(soft, "gpu_vbios", func(d record.Device) string { return d.VBIOS })
	each(soft, "gpu_persistence", func(d record.Device) string { return d.Persistence })
	each(soft, "gpu_link", func(d record.Device) string { return d.Link })
	soft.set("gpu_environment", strings.Join(device.Environment(environ), " "))
}
