package host

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/llama-regress/llama-regress/ci/record"
)

func watts(w float64) *float64 { return &w }

// What changes a device's speed for good is hard, which one it is is soft, and what the
// kernel's files told stays as older records have it.
func TestDeviceKeys(t *testing.T) {
	two := []record.Device{
		{Name: "gpu0", ID: "GPU-a", Model: "NVIDIA L4", Driver: "nvidia 580.1", VBIOS: "95", PowerLimit: watts(72), ECC: "Enabled", MIG: "Disabled", Persistence: "Enabled", Link: "gen 4 x16"},
		{Name: "gpu1", ID: "GPU-b", Model: "NVIDIA H100", Driver: "nvidia 580.1", VBIOS: "96", PowerLimit: watts(700), ECC: "Enabled", MIG: "Enabled", Slices: []string{"1g.10gb MIG-c", "2g.20gb MIG-d"}, Persistence: "Disabled", Link: "gen 5 x16"},
	}
	hard, soft := keys{"gpu": "2 x as the kernel says", "gpu_driver": "580.1"}, keys{}
	describeDevices(hard, soft, two, []string{"CUDA_VISIBLE_DEVICES=1", "PATH=/bin", "CUDA_DEVICE_ORDER=PCI_BUS_ID"})
	want := keys{"gpu": "2 x as the kernel says", "gpu_driver": "580.1", "gpu_power_limit": "1 x 700 W, 1 x 72 W", "gpu_ecc": "2 x Enabled", "gpu_mig": "1 x 1g.10gb+2g.20gb, 1 x Disabled"}
	if diff := cmp.Diff(want, hard); diff != "" {
		t.Errorf("hard, -want +got:\n%s", diff)
	}
	want = keys{
		"gpu_ids": "1 x GPU-a, 1 x GPU-b", "gpu_vbios": "1 x 95, 1 x 96", "gpu_persistence": "1 x Disabled, 1 x Enabled", "gpu_link": "1 x gen 4 x16, 1 x gen 5 x16",
		"gpu_environment": "CUDA_DEVICE_ORDER=PCI_BUS_ID CUDA_VISIBLE_DEVICES=1",
	}
	if diff := cmp.Diff(want, soft); diff != "" {
		t.Errorf("soft, -want +got:\n%s", diff)
	}
	hard, soft = keys{}, keys{}
	describeDevices(hard, soft, nil, nil)
	if len(hard)+len(soft) > 0 {
		t.Errorf("without a device: %v, %v", hard, soft)
	}
}
