package device

import (
	"errors"
	"io"
	"io/fs"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/ci/internal/proc"
	"github.com/llama-regress/llama-regress/ci/record"
)

// A tree is a machine's root folder, of which /sys and /proc are read.
type tree struct{ fs.FS }

// text is a small file's content without blanks around it; "" when it cannot be read.
func (t tree) text(name string) string {
	text, _ := t.read(name)
	return text
}

func (t tree) read(name string) (string, error) {
	f, err := t.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, 64<<10))
	return strings.TrimSpace(string(data)), err
}

func (t tree) exists(name string) bool {
	_, err := fs.Stat(t.FS, name)
	return err == nil
}

// number is that of a file of one number; NaN when there is none.
func (t tree) number(name string) float64 {
	v, err := strconv.ParseFloat(t.text(name), 64)
	if err != nil || math.IsInf(v, 0) {
		return math.NaN()
	}
	return v
}

// first is the first file of a pattern that there is, "" for none.
func (t tree) first(patterns ...string) string {
	for _, p := range patterns {
		if found, _ := fs.Glob(t.FS, p); len(found) > 0 {
			return found[0]
		}
	}
	return ""
}

// sys reads the devices of AMD and Intel from the files of their drivers.
type sys struct {
	tree     tree
	warnings *warnings
	list     []record.Device
	cards    []card
}

// A card is one device: where its files are, and what reads them.
type card struct {
	pci     string
	sensors []sensor
	more    func(*State) // reads what is told in a form of its own
	energy  counter      // used so far, µJ
	idle    counter      // for how long it slept so far, ms
}

// A counter is a file of a number that grows.
type counter struct {
	file string  // "" for none
	last float64 // NaN before the first reading
}

// since is by how much it grew since it was read before; NaN where that is not known,
// such as when it began again because it was full.
func (c *counter) since(t tree) float64 {
	if c.file == "" {
		return math.NaN()
	}
	now := t.number(c.file)
	grew := now - c.last
	c.last = now
	if grew < 0 {
		return math.NaN()
	}
	return grew
}

// A sensor is a file of one number.
type sensor struct {
	quantity int
	file     string
	factor   float64
}

var cardName = regexp.MustCompile(`^sys/class/drm/card\d+$`)

// openSys finds the cards of the drivers amdgpu, i915 and xe.
func openSys(t tree, w *warnings) *sys {
	s := &sys{tree: t, warnings: w}
	cards, _ := fs.Glob(t.FS, "sys/class/drm/card*")
	slices.SortFunc(cards, func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b) // card2 before card10
		}
		return strings.Compare(a, b)
	})
	for _, dir := range cards {
		if !cardName.MatchString(dir) || len(s.list) == mostDevices {
			continue
		}
		facts := make(map[string]string)
		for line := range strings.SplitSeq(t.text(dir+"/device/uevent"), "\n") {
			name, value, _ := strings.Cut(line, "=")
			facts[name] = proc.OneLine(strings.TrimSpace(value), 60)
		}
		d := record.Device{PCI: facts["PCI_SLOT_NAME"], ID: facts["PCI_SLOT_NAME"], Model: "PCI " + facts["PCI_ID"]}
		c := card{pci: d.PCI, energy: counter{last: math.NaN()}, idle: counter{last: math.NaN()}}
		switch driver := facts["DRIVER"]; driver {
		case "amdgpu":
			t.amd(dir, &d, &c)
		case "i915", "xe":
			t.intel(driver, dir, &d, &c)
		default:
			continue
		}
		d.Driver = strings.TrimSpace(facts["DRIVER"] + " " + proc.OneLine(t.driver(facts["DRIVER"]), 60))
		d.Display = t.display(dir)
		c.sensors = s.readable(c, c.sensors)
		for _, count := range []*counter{&c.energy, &c.idle} {
			if len(s.readable(c, []sensor{{file: count.file}})) == 0 {
				count.file = ""
			}
		}
		s.list, s.cards = append(s.list, d), append(s.cards, c)
	}
	return s
}

// driver is the version of a kernel module, or of the kernel that it came with.
func (t tree) driver(module string) string {
	if v := t.text("sys/module/" + module + "/version"); v != "" {
		return v
	}
	if release := t.text("proc/sys/kernel/osrelease"); release != "" {
		return "of Linux " + release
	}
	return ""
}

// display says whether a screen is connected to a card; "" for one without outputs.
func (t tree) display(dir string) string {
	outputs, _ := fs.Glob(t.FS, dir+"-*/status")
	for _, file := range outputs {
		if t.text(file) == "connected" {
			return "Enabled"
		}
	}
	if len(outputs) == 0 {
		return ""
	}
	return "Disabled"
}

// readable leaves out files that are not there. Those that may not be read are told of.
func (s *sys) readable(c card, all []sensor) (kept []sensor) {
	for _, one := range all {
		if one.file == "" {
			continue
		}
		_, err := s.tree.read(one.file)
		if errors.Is(err, fs.ErrPermission) {
			s.warnings.add("permission "+c.pci, "the device at %s: /%s may not be read by this user: what it tells is not recorded", c.pci, one.file)
		}
		if err == nil || !errors.Is(err, fs.ErrPermission) && !errors.Is(err, fs.ErrNotExist) {
			kept = append(kept, one) // a device that sleeps answers later
		}
	}
	return kept
}

func (s *sys) devices() []record.Device { return s.list }

func (s *sys) read(states []State, passed time.Duration) {
	for i := range s.cards {
		c, state := &s.cards[i], &states[i]
		told := 0
		for _, one := range c.sensors {
			v := s.tree.number(one.file) * one.factor
			if state.set(one.quantity, v) {
				told++
			} else if !math.IsNaN(v) {
				s.warnings.add(one.file, "the device at %s: /%s says %.0f, which cannot be: not recorded", c.pci, one.file, v/one.factor)
			}
		}
		c.more(state)
		if used := c.energy.since(s.tree) / 1e6; c.energy.file != "" {
			state.set(Energy, used)
			state.set(Power, used/passed.Seconds())
		} else if !math.IsNaN(state[Power]) {
			state.set(Energy, state[Power]*passed.Seconds())
		}
		if slept := c.idle.since(s.tree) / 1e3; slept >= 0 {
			state.set(Busy, max(0, 1-slept/passed.Seconds()))
		}
		if told == 0 && len(c.sensors) > 0 {
			s.warnings.add("gone "+c.pci, "the device at %s tells nothing any more: what it does is not recorded from then on", c.pci)
		}
	}
}

// processes: the drivers tell a process only of what it does itself.
func (s *sys) processes() ([]Process, bool) { return nil, false }

func (s *sys) pids() []int { return nil }

func (s *sys) close() {}
