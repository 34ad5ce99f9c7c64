package record

import "strings"

// A Device is an accelerator of the machine: what it is and how it was set when
// the run began. A text is "" and a pointer nil where the driver does not tell it.
type Device struct {
	Name   string `json:"name"`             // within the run: "gpu0"; its series in Samples begin with it
	ID     string `json:"id"`               // the driver's UUID, else the address on the PCI bus
	PCI    string `json:"pci,omitempty"`    // address, such as "0000:03:00.0"
	Vendor string `json:"vendor,omitempty"` // "nvidia", "amd" or "intel"
	Model  string `json:"model,omitempty"`  // as the driver names it
	Driver string `json:"driver,omitempty"` // name and version
	VBIOS  string `json:"vbios,omitempty"`

	MemoryBytes int64    `json:"memory_bytes,omitempty"`
	PowerLimit  *float64 `json:"power_limit_w,omitempty"`         // W, in force
	Default     *float64 `json:"power_limit_default_w,omitempty"` // W, of the maker
	MostClock   *float64 `json:"clock_most_mhz,omitempty"`        // MHz that its processors can take
	Slowdown    *float64 `json:"slowdown_c,omitempty"`            // °C at which it slows itself down

	Persistence string   `json:"persistence,omitempty"` // "Enabled" or "Disabled", as are the next three
	ECC         string   `json:"ecc,omitempty"`
	MIG         string   `json:"mig,omitempty"`
	Display     string   `json:"display,omitempty"`  // whether a screen is driven by it
	Slices      []string `json:"slices,omitempty"`   // of a device that is split (MIG): the profile and UUID of each
	Link        string   `json:"link,omitempty"`     // to the machine, at its best: "gen 4 x16"
	LinkNow     string   `json:"link_now,omitempty"` // as the run began; an idle device may slow it down

	Extra Extra `json:"-"`
}

// Series returns the name of the device's series of a quantity in Samples.
func (d Device) Series(quantity string) string { return d.Name + "." + quantity }

// DeviceSeries splits the name of a series that belongs to a device into the
// device's name and the quantity; ok is false for a series of the machine.
func DeviceSeries(series string) (device, quantity string, ok bool) {
	device, quantity, ok = strings.Cut(series, ".")
	return device, quantity, ok && strings.HasPrefix(device, "gpu") && quantity != ""
}

// Uses reports whether the samples have a series of the device, which they do where
// the watched processes used it.
func (s *Samples) Uses(device string) bool {
	if s != nil {
		for series := range s.Series {
			if d, _, ok := DeviceSeries(series); ok && d == device {
				return true
			}
		}
	}
	return false
}
