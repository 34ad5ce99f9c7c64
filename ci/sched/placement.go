package sched

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
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
		now, err := niceness(os.Getpid())
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

// Wrap returns the command that runs a program in this place. Its process ends
// up as the program's own.
func (p *Placement) Wrap(program string, args []string) ([]string, error) {
	if err := p.resolve(); err != nil {
		return nil, err
	}
	return slices.Concat(p.wrap, []string{program}, args), nil
}

// Follow watches a process that was started by the command of Wrap, in the
// group of Enter, until it runs its own program, and then asks the kernel where
// it is. The result, to be taken before the process is collected, is what the
// kernel said by parameter, and an error when that is not what was asked for. Of a
// process that has ended before it was asked about the kernel still knows all but
// its memory.
func (p *Placement) Follow(pid int, g *Group) func() (map[string]string, error) {
	if p.None() {
		return func() (map[string]string, error) { return nil, nil }
	}
	type answer struct {
		seen map[string]string
		err  error
	}
	got, quit := make(chan answer, 1), make(chan struct{})
	go func() {
		for wait := 200 * time.Microsecond; ; wait = min(2*wait, 20*time.Millisecond) {
			if p.arrived(pid) {
				seen, err := p.verify(pid, g)
				got <- answer{seen, err}
				return
			}
			select {
			case <-quit:
				seen, err := p.verify(pid, g)
				got <- answer{seen, err}
				return
			case <-time.After(wait):
			}
		}
	}()
	return func() (map[string]string, error) {
		close(quit)
		a := <-got
		return a.seen, a.err
	}
}

// arrived says whether the programs of Wrap have made way for the process's own.
func (p *Placement) arrived(pid int) bool {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	first, _, _ := strings.Cut(string(line), "\x00")
	return err == nil && first != "" && !slices.Contains(p.names, first)
}

// Probe says why this placement cannot be had here, nil when it can: it puts a
// process there and asks the kernel.
func (p *Placement) Probe(ctx context.Context) error {
	if p.None() {
		return nil
	}
	if _, err := os.Stat("/proc/self/status"); err != nil {
		return errors.New("placement needs Linux, whose /proc shows whether it took effect")
	}
	program, err := exec.LookPath("cat")
	if err != nil {
		return err
	}
	command, err := p.Wrap(program, nil)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	var said output
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = ownGroup()
	hold, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	group, err := p.Enter(cmd.SysProcAttr)
	if err != nil {
		return err
	}
	defer group.Leave()
	if err := cmd.Start(); err != nil {
		return err
	}
	ask := p.Follow(cmd.Process.Pid, group)
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for waiting := true; waiting && !p.arrived(cmd.Process.Pid); {
		select {
		case err = <-ended: // a program before it refused
			waiting = false
		case <-time.After(time.Millisecond):
		}
	}
	if p.arrived(cmd.Process.Pid) {
		_, err = ask()
		_ = hold.Close()
		<-ended
	} else {
		_, _ = ask()
		err = cmp.Or(err, errors.New("it ended at once"))
	}
	if words := oneLine(said.String()); err != nil && words != "" {
		err = fmt.Errorf("%s: %s", filepath.Base(command[0]), words)
	}
	return err
}

// verify asks the kernel where a process runs and compares.
func (p *Placement) verify(pid int, g *Group) (map[string]string, error) {
	seen := make(map[string]string)
	var faults []error
	differ := func(name, want, have string) {
		seen[name] = have
		if want != have {
			faults = append(faults, fmt.Errorf("%s: asked for %s, the kernel says %s", name, want, have))
		}
	}
	if p.nice != nil {
		have, err := niceness(pid)
		faults = append(faults, err)
		if err == nil {
			differ(Nice, strconv.Itoa(*p.nice), strconv.Itoa(have))
		}
	}
	if want := p.boundCPUs(); want != nil {
		differ(CPUs, formatList(want), statusField(pid, "Cpus_allowed_list"))
	}
	if policy := p.policy(); policy != "" {
		have := memoryPolicy(pid)
		seen[Numactl] = have
		if have != policy && !(strings.HasSuffix(policy, ":") && strings.HasPrefix(have, policy)) {
			faults = append(faults, fmt.Errorf("numactl: asked for %s, the kernel says %s", policy, have))
		}
	}
	if g != nil && g.dir != "" {
		faults = append(faults, g.verify(pid, p, seen))
	}
	return seen, errors.Join(faults...)
}

// boundCPUs are the processors that the process must be bound to, nil for any.
// What numactl says comes after taskset.
func (p *Placement) boundCPUs() []int {
	bound := p.cpus
	for _, option := range p.numactl {
		name, value, _ := strings.Cut(option, "=")
		switch {
		case value == "all":
		case name == "--physcpubind":
			bound, _ = parseList(value)
		case name == "--cpunodebind":
			nodes, _ := parseList(value)
			bound = nil
			for _, n := range nodes {
				list, _ := parseList(tree("").text(fmt.Sprintf("sys/devices/system/node/node%d/cpulist", n)))
				bound = append(bound, list...)
			}
			slices.Sort(bound)
		}
	}
	return bound
}

// policy is how the kernel's numa_maps will call the memory policy, up to its
// colon where the nodes are not known in advance; "" for none.
func (p *Placement) policy() string {
	for _, option := range p.numactl {
		name, value, _ := strings.Cut(option, "=")
		kernel := map[string]string{
			"--interleave": "interleave:", "--weighted-interleave": "weighted interleave:", "--membind": "bind:",
			"--preferred": "prefer:", "--preferred-many": "prefer (many):", "--localalloc": "local",
		}[name]
		if list, err := parseList(value); err == nil && kernel != "" {
			return kernel + formatList(list)
		}
		if kernel != "" {
			return kernel
		}
	}
	return ""
}

// memoryPolicy is the policy of the first mapping of a process.
func memoryPolicy(pid int) string {
	line, _, _ := strings.Cut(tree("").text(fmt.Sprintf("proc/%d/numa_maps", pid)), "\n")
	_, rest, _ := strings.Cut(line, " ") // the address
	for _, two := range []string{"weighted interleave:", "prefer (many):"} {
		if strings.HasPrefix(rest, two) {
			nodes, _, _ := strings.Cut(rest[len(two):], " ")
			return two + nodes
		}
	}
	policy, _, _ := strings.Cut(rest, " ")
	if policy == "" {
		return "nothing (numa_maps cannot be read)"
	}
	return policy
}

// statusField is a field of /proc/PID/status.
func statusField(pid int, name string) string {
	for line := range strings.Lines(tree("").text(fmt.Sprintf("proc/%d/status", pid))) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return "nothing"
}

// niceness is field 19 of /proc/PID/stat; see proc(5).
func niceness(pid int) (int, error) {
	text := tree("").text(fmt.Sprintf("proc/%d/stat", pid))
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:]) // from the third on; the name before may hold blanks
	if len(fields) < 17 {
		return 0, errors.New("its niceness cannot be read")
	}
	return strconv.Atoi(fields[16])
}
