package device

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/llama-regress/llama-regress/ci/internal/proc"
	"github.com/llama-regress/llama-regress/ci/record"
)

// stale is how old a line may be that still says what a device does now.
const stale = 2 * time.Second

// unknownField is the field that nvidia-smi refuses, "" where it refuses none.
func unknownField(lines []string) string {
	for _, line := range lines {
		if m := refused.FindStringSubmatch(line); m != nil {
			return m[1]
		}
	}
	return ""
}

var refused = regexp.MustCompile(`^Field "([^"]+)" is not a valid field to query`)

// cells splits a row of nvidia-smi; the last one may hold commas. nil: it is none.
func cells(line string, n int) []string {
	all := strings.SplitN(line, ",", n)
	if len(all) != n {
		return nil
	}
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return all
}

// told is what nvidia-smi tells, "" for all the ways in which it says that it does not:
// "[N/A]", "[Not Supported]", "[Unknown Error]", "ERR!", "[GPU requires reset]".
func told(cell string) string {
	if strings.HasPrefix(cell, "[") || slices.Contains([]string{"N/A", "Not Supported", "ERR!", "Unknown Error", "GPU is lost"}, cell) {
		return ""
	}
	return cell
}

// plainly reports whether a cell says that the device does not have this; a device that
// fails, or may not be asked, says something else.
func plainly(cell string) bool {
	return slices.Contains([]string{"[N/A]", "N/A", "[Not Supported]", "Not Supported"}, cell)
}

// number reads "72.00" or "72.00 W"; NaN for what is none.
func number(cell string) float64 {
	text, _, _ := strings.Cut(told(cell), " ")
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(v, 0) {
		return math.NaN()
	}
	return v
}

// deviceOf reads a row of identity; ok is false for what is no row, such as an error.
func deviceOf(line string, fields []string) (d record.Device, ok bool) {
	row := cells(line, len(fields))
	if row == nil {
		return d, false
	}
	of := make(map[string]string, len(fields))
	for i, name := range fields {
		of[name] = proc.OneLine(told(row[i]), 120)
	}
	d = record.Device{
		ID: of["uuid"], PCI: strings.ToLower(shortPCI(of["pci.bus_id"])), Vendor: "nvidia", Model: of["name"], VBIOS: of["vbios_version"],
		Persistence: of["persistence_mode"], ECC: of["ecc.mode.current"], MIG: of["mig.mode.current"], Display: of["display_active"],
		PowerLimit: positive(of["power.limit"]), Default: positive(of["power.default_limit"]), MostClock: positive(of["clocks.max.sm"]),
		Link:    link(of["pcie.link.gen.max"], of["pcie.link.width.max"]),
		LinkNow: link(of["pcie.link.gen.current"], of["pcie.link.width.current"]),
	}
	if of["driver_version"] != "" {
		d.Driver = "nvidia " + of["driver_version"]
	}
	if mib := number(of["memory.total"]); mib > 0 && mib*(1<<20) <= most[Memory] {
		d.MemoryBytes = int64(mib) << 20
	}
	return d, strings.HasPrefix(d.ID, "GPU-")
}

func positive(cell string) *float64 {
	if v := number(cell); v > 0 && v < 1e6 {
		return &v
	}
	return nil
}

func link(generation, width string) string {
	if number(generation) > 0 && number(width) > 0 {
		return "gen " + generation + " x" + width
	}
	return ""
}

// shortPCI is an address with a domain of four digits, as the kernel writes it;
// nvidia-smi writes eight.
func shortPCI(address string) string {
	if len(address) == len("00000000:01:00.0") && strings.HasPrefix(address, "0000") {
		return address[4:]
	}
	return address
}

// rows are the latest readings of each device.
type rows struct {
	fields   []string
	warnings *warnings
	byID     map[string]int
	list     []record.Device

	mu     sync.Mutex
	states []State
	at     []time.Time // when it was read; zero for never
}

func newRows(list []record.Device, fields []string, w *warnings) *rows {
	r := &rows{fields: fields, warnings: w, byID: make(map[string]int), list: list, states: make([]State, len(list)), at: make([]time.Time, len(list))}
	for i, d := range list {
		r.byID[d.ID] = i
	}
	return r
}

// line takes in a line of nvidia-smi: a row, or a word about what is wrong.
func (r *rows) line(text string) {
	row := cells(text, len(r.fields))
	i, known := -1, false
	if row != nil {
		i, known = r.byID[row[slices.Index(r.fields, "uuid")]]
	}
	switch {
	case text == "" || strings.HasPrefix(text, "[Unknown Error], [Unknown Error]"): // a device that has no name any more was named in the line before
		return
	case !known:
		r.warnings.add("line "+r.about(text), "nvidia-smi%s: %s", r.about(text), text)
		return
	}
	state := absent()
	for c, field := range r.fields {
		r.cell(&state, i, field, row[c])
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.states[i], r.at[i] = state, time.Now()
}

// about names the device of which a message tells by its address, "" for none.
func (r *rows) about(text string) string {
	for _, d := range r.list {
		if short := strings.TrimPrefix(d.PCI, "0000:"); short != "" && strings.Contains(strings.ToLower(text), short) {
			return " of the device at " + d.PCI
		}
	}
	return ""
}

// quantityOf says which quantity a field is, and what it is multiplied by.
var quantityOf = map[string]struct {
	quantity int
	factor   float64
}{
	"clocks.sm": {Clock, 1}, "clocks.mem": {MemoryClock, 1}, "temperature.gpu": {Temperature, 1}, "power.draw": {Power, 1},
	"utilization.gpu": {Busy, 0.01}, "memory.used": {Memory, 1 << 20}, "pcie.link.gen.current": {LinkGeneration, 1},
}

func (r *rows) cell(state *State, i int, field, cell string) {
	if strings.HasSuffix(field, "_reasons.active") {
		if mask, err := strconv.ParseUint(told(cell), 0, 64); err == nil {
			throttle(state, mask)
		}
		return
	}
	q, ok := quantityOf[field]
	if !ok {
		return
	}
	where := "the device at " + r.list[i].PCI
	switch v := number(cell); {
	case !math.IsNaN(v):
		if !state.set(q.quantity, v*q.factor) {
			r.warnings.add(where+field, "nvidia-smi says of %s that %s is %s, which cannot be: not recorded", where, field, cell)
		}
	case !plainly(cell):
		r.warnings.add(where+cell, "nvidia-smi says %q of %s for %s: not recorded", cell, where, field)
	}
}

// throttle reads the mask of why the clocks are not higher. Source: the constants
// nvmlClocksEventReason* of nvml.h. Idle devices and reasons that it does not know
// count for nothing.
func throttle(s *State, mask uint64) {
	of := func(bits uint64) float64 {
		if mask&bits != 0 {
			return 1
		}
		return 0
	}
	const (
		applicationClocks, powerCap, slowdown, syncBoost = 0x2, 0x4, 0x8, 0x10
		thermal, hardThermal, powerBrake, displayClock   = 0x20, 0x40, 0x80, 0x100
	)
	s[ThrottlePower], s[ThrottleThermal], s[ThrottleBrake] = of(powerCap), of(thermal|hardThermal), of(powerBrake)
	s[ThrottleSetting] = of(applicationClocks | syncBoost | displayClock)
	if mask&(slowdown|thermal|hardThermal|powerBrake) == slowdown { // an old driver does not say which of the two
		s[ThrottleThermal] = 1
	}
}

// read fills in the latest readings that are not too old. Energy is the power of now,
// for as long as has passed.
func (r *rows) read(states []State, passed time.Duration, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range states {
		if now.Sub(r.at[i]) > stale {
			if !r.at[i].IsZero() {
				r.warnings.add("stale"+r.list[i].PCI, "nvidia-smi told nothing of the device at %s for %v: what it did then is not recorded", r.list[i].PCI, stale)
			}
			continue
		}
		states[i] = r.states[i]
		states[i][Energy] = states[i][Power] * passed.Seconds()
	}
}
