package sched

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/ci/internal/environ"
	"github.com/llama-regress/llama-regress/ci/internal/proc"
)

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
		p.await(pid, quit)
		seen, err := p.verify(pid, g)
		got <- answer{seen, errors.Join(err, g.keeps(quit))}
	}()
	return func() (map[string]string, error) {
		close(quit)
		a := <-got
		return a.seen, a.err
	}
}

// await returns once a process runs its own program, or quit is closed.
func (p *Placement) await(pid int, quit <-chan struct{}) {
	for wait := 200 * time.Microsecond; !p.arrived(pid); wait = min(2*wait, 20*time.Millisecond) {
		select {
		case <-quit:
			return
		case <-time.After(wait):
		}
	}
}

// arrived says whether the programs of Wrap have made way for the process's own.
func (p *Placement) arrived(pid int) bool {
	line, err := os.ReadFile(p.root.path(fmt.Sprintf("proc/%d/cmdline", pid)))
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
	said := newOutput(nil)
	cmd.Stdout, cmd.Stderr = said, said
	cmd.SysProcAttr = proc.OwnGroup()
	cmd.Env = environ.Without(os.Environ())
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
	if words := proc.OneLine(said.String(), mostWords); err != nil && words != "" {
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
		have, err := niceness(p.root, pid)
		faults = append(faults, err)
		if err == nil {
			differ(Nice, strconv.Itoa(*p.nice), strconv.Itoa(have))
		}
	}
	if want := p.boundCPUs(); want != nil {
		differ(CPUs, formatList(want), statusField(p.root, pid, "Cpus_allowed_list"))
	}
	if policy := p.policy(); policy != "" {
		have := memoryPolicy(p.root, pid)
		seen[Numactl] = have
		if !samePolicy(policy, have) {
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
				list, _ := parseList(p.root.text(fmt.Sprintf("sys/devices/system/node/node%d/cpulist", n)))
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

// samePolicy says whether the kernel's word is what was asked for, whose nodes may
// be open.
func samePolicy(asked, have string) bool {
	return have == asked || strings.HasSuffix(asked, ":") && strings.HasPrefix(have, asked)
}

// memoryPolicy is the policy of the first mapping of a process.
func memoryPolicy(root tree, pid int) string {
	line, _, _ := strings.Cut(root.text(fmt.Sprintf("proc/%d/numa_maps", pid)), "\n")
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
func statusField(root tree, pid int, name string) string {
	for line := range strings.Lines(root.text(fmt.Sprintf("proc/%d/status", pid))) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return "nothing"
}

// niceness is field 19 of /proc/PID/stat; see proc(5).
func niceness(root tree, pid int) (int, error) {
	text := root.text(fmt.Sprintf("proc/%d/stat", pid))
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:]) // from the third on; the name before may hold blanks
	if len(fields) < 17 {
		return 0, errors.New("its niceness cannot be read")
	}
	return strconv.Atoi(fields[16])
}
