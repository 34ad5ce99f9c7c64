package sched

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Parameters of placement, beside the scheduler.
const (
	Numactl     = "numactl"
	CPUs        = "cpus"
	Nice        = "nice"
	CPULimit    = "cpu_limit"
	MemoryLimit = "memory_limit"
)

// PlacementParams lists them.
var PlacementParams = []string{Numactl, CPUs, Nice, CPULimit, MemoryLimit}

// A Placement is where and how a process is to run. The zero value leaves that
// to the machine.
type Placement struct {
	numactl []string // options
	cpus    []int    // that it may use
	nice    *int
	cores   float64 // processor time a second, of a control group; 0 for no limit
	memory  int64   // bytes, of a control group; 0 for no limit

	wrap  []string // the programs that bring it about, before its own
	names []string // of these programs
	root  tree     // of /proc and /sys; "": /
}

// NewPlacement reads the parameters of placement out of sets of parameters; of
// one that comes twice the last counts.
func NewPlacement(sets ...map[string]string) (Placement, error) {
	all := make(map[string]string)
	for _, set := range sets {
		maps.Copy(all, set)
	}
	var p Placement
	for _, name := range PlacementParams {
		if value, ok := all[name]; ok {
			if err := p.set(name, value); err != nil {
				return Placement{}, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return p, nil
}

// None says whether nothing is asked for.
func (p Placement) None() bool {
	return p.numactl == nil && p.cpus == nil && p.nice == nil && p.cores == 0 && p.memory == 0
}

var (
	listForm   = regexp.MustCompile(`^[0-9]{1,5}(-[0-9]{1,5})?(,[0-9]{1,5}(-[0-9]{1,5})?)*$`)
	coresForm  = regexp.MustCompile(`^[0-9]{1,4}(\.[0-9]{1,3})?$`)
	memoryForm = regexp.MustCompile(`^([0-9]{1,9})([KMGT])$`)
)

// set takes one parameter; the error says what is wrong with its value.
func (p *Placement) set(name, value string) error {
	switch name {
	case Numactl:
		options, err := numactlOptions(value)
		p.numactl = options
		return err
	case CPUs:
		list, err := parseList(value)
		p.cpus = list
		return err
	case Nice:
		n, err := strconv.Atoi(value)
		if err != nil || n < -20 || n > 19 {
			return fmt.Errorf("%q: want -20 (goes first) to 19", value)
		}
		p.nice = &n
	case CPULimit:
		cores, err := strconv.ParseFloat(value, 64)
		if err != nil || !coresForm.MatchString(value) || cores < 0.01 {
			return fmt.Errorf("%q: want processors' worth of time, at least 0.01, such as 1.5", value)
		}
		p.cores = cores
	case MemoryLimit:
		m := memoryForm.FindStringSubmatch(value)
		if m == nil {
			return fmt.Errorf("%q: want a whole number with K, M, G or T, such as 4G", value)
		}
		n, _ := strconv.ParseInt(m[1], 10, 64)
		shift := 10 * (1 + strings.Index("KMGT", m[2]))
		if n > 1<<50>>shift || n<<shift < 1<<20 {
			return fmt.Errorf("%q: want 1M to 1024T", value)
		}
		p.memory = n << shift
	}
	return nil
}

// policies are the options of numactl that a placement may have, each with
// whether it takes a list of nodes or processors.
var policies = map[string]bool{
	"--interleave": true, "-i": true, "--weighted-interleave": true, "-w": true, "--membind": true, "-m": true,
	"--preferred": true, "-p": true, "--preferred-many": true, "-P": true, "--localalloc": false, "-l": false,
	"--cpunodebind": true, "-N": true, "--physcpubind": true, "-C": true, "--balancing": false, "-b": false,
}

var shortPolicies = map[string]string{
	"-i": "--interleave", "-w": "--weighted-interleave", "-m": "--membind", "-p": "--preferred", "-P": "--preferred-many",
	"-l": "--localalloc", "-N": "--cpunodebind", "-C": "--physcpubind", "-b": "--balancing",
}

// numactlOptions reads what a user of numactl would write, "--interleave=3" or
// "-i 0,1 -N 0", as options with long names and their values.
func numactlOptions(text string) ([]string, error) {
	var options []string
	fields := strings.Fields(text)
	for i := 0; i < len(fields); i++ {
		name, value, given := strings.Cut(fields[i], "=")
		takes, known := policies[name]
		if !known {
			return nil, fmt.Errorf("%q: not a policy of numactl; want such as --interleave=0,1, --membind=0 or --cpunodebind=0", fields[i])
		}
		if long, short := shortPolicies[name]; short {
			name = long
		}
		if takes && !given {
			if i++; i == len(fields) {
				return nil, fmt.Errorf("%s: which nodes?", name)
			}
			value = fields[i]
		}
		if !takes {
			options = append(options, name)
			continue
		}
		if value != "all" && !listForm.MatchString(value) {
			return nil, fmt.Errorf("%s=%s: want a list of numbers such as 0,2-3, or all", name, value)
		}
		options = append(options, name+"="+value)
	}
	if options == nil {
		return nil, errors.New("no policy; want such as --interleave=0,1")
	}
	return options, nil
}

// parseList reads "0-3,8" as numbers in order, each once.
func parseList(text string) ([]int, error) {
	if !listForm.MatchString(text) {
		return nil, fmt.Errorf("%q: want a list of processors such as 0-3,8", text)
	}
	var list []int
	for _, part := range strings.Split(text, ",") {
		low, high, ranged := strings.Cut(part, "-")
		if !ranged {
			high = low
		}
		first, _ := strconv.Atoi(low)
		last, _ := strconv.Atoi(high)
		if last < first || last >= 8192 {
			return nil, fmt.Errorf("%q: %s is no range of processors", text, part)
		}
		for n := first; n <= last; n++ {
			list = append(list, n)
		}
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

// formatList is the inverse of parseList, as the kernel writes it.
func formatList(list []int) string {
	var parts []string
	for i := 0; i < len(list); {
		j := i
		for j+1 < len(list) && list[j+1] == list[j]+1 {
			j++
		}
		part := strconv.Itoa(list[i])
		if j > i {
			part += "-" + strconv.Itoa(list[j])
		}
		parts = append(parts, part)
		i = j + 1
	}
	return strings.Join(parts, ",")
}

// resolve finds the programs that bring the placement about.
func (p *Placement) resolve() error {
	p.wrap, p.names = nil, nil
	add := func(program, install string, options ...string) error {
		path, err := exec.LookPath(program)
		if err != nil {
			return fmt.Errorf("%s is not in PATH: install %s", program, install)
		}
		p.wrap = append(append(p.wrap, path), options...)
		p.names = append(p.names, path)
		return nil
	}
	var faults []error
	if p.nice != nil {
		now, err := niceness(p.root, os.Getpid())
		if err != nil {
			return err
		}
		faults = append(faults, add("nice", "coreutils", "-n", strconv.Itoa(*p.nice-now)))
	}
	if p.cpus != nil {
		faults = append(faults, add("taskset", "util-linux", "-c", formatList(p.cpus)))
	}
	if p.numactl != nil {
		faults = append(faults, add("numactl", "numactl", p.numactl...))
	}
	return errors.Join(faults...)
}
