package sched

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/llama-regress/llama-regress/ci/internal/proc"
)

// A Refusal says why no sched_ext scheduler, or not this one, can be loaded.
type Refusal struct {
	Kind    Obstacle `json:"kind"`
	Message string   `json:"message"` // with the next step
}

func (r *Refusal) Error() string { return r.Message }

// An Obstacle is a kind of refusal.
type Obstacle string

const (
	NoKernel   Obstacle = "no_sched_ext"      // the kernel has no sched_ext
	Isolated   Obstacle = "isolcpus"          // the kernel was started with isolcpus=
	Occupied   Obstacle = "scheduler_active"  // another scheduler is loaded
	Managed    Obstacle = "service_active"    // a service loads schedulers
	NoRights   Obstacle = "no_privileges"     // neither root nor sudo without a password
	NotFound   Obstacle = "program_not_found" // the scheduler's program is not here
	BadProgram Obstacle = "bad_program"       // it is not a program
)

func refuse(kind Obstacle, format string, args ...any) *Refusal {
	return &Refusal{kind, fmt.Sprintf(format, args...)}
}

// Obstacles says everything that keeps any sched_ext scheduler from being
// loaded on this machine now.
func (m *Manager) Obstacles(ctx context.Context) []*Refusal {
	if !m.root.exists(schedExt + "state") {
		return []*Refusal{refuse(NoKernel, "this kernel has no sched_ext (%s is not there): boot Linux 6.12 or newer built with CONFIG_SCHED_CLASS_EXT=y%s",
			"/sys/kernel/sched_ext", m.kernelNow())}
	}
	var found []*Refusal
	if now := m.root.snapshot(); !now.off() && m.current == nil {
		found = append(found, refuse(Occupied, "another scheduler is active: %s (state %s)%s; end it first, its owner may start it again", now.name(), now.state, m.owners()))
	}
	if services := m.services(); len(services) > 0 {
		found = append(found, refuse(Managed, "%s would load a scheduler again that was thrown out, and hide it: sudo systemctl stop scx.service scx_loader.service", strings.Join(services, " and ")))
	}
	if list := m.isolated(); list != "" {
		found = append(found, refuse(Isolated, "the kernel was started with isolcpus=%s, beside which no sched_ext scheduler loads: remove it from the kernel's command line and boot again", list))
	}
	if r := m.rights(ctx); r != nil {
		found = append(found, r)
	}
	return found
}

func (m *Manager) kernelNow() string {
	if release := m.root.text("proc/sys/kernel/osrelease"); release != "" {
		return "; this is " + release
	}
	return "; this is " + runtime.GOOS
}

// owners names the processes that may have loaded a scheduler.
func (m *Manager) owners() string {
	var names []string
	for pid, name := range m.processes() {
		if strings.HasPrefix(name, "scx_") && len(names) < 3 {
			names = append(names, fmt.Sprintf("%s, process %s", proc.OneLine(name, mostWords), pid))
		}
	}
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	return ", loaded by " + strings.Join(names, "; ")
}

// processes maps the ID of every process to its name. The kernel's own threads,
// which have no command line, are left out: one is called scx_enable_helper.
func (m *Manager) processes() map[string]string {
	all := make(map[string]string)
	for _, pid := range proc.PIDs(m.root.path("proc")) {
		dir := m.root.path(fmt.Sprintf("proc/%d", pid))
		if line, err := os.ReadFile(filepath.Join(dir, "cmdline")); err == nil && len(line) == 0 {
			continue
		}
		if data, err := os.ReadFile(filepath.Join(dir, "comm")); err == nil {
			all[filepath.Base(dir)] = string(bytes.TrimSpace(data))
		}
	}
	return all
}

// services names what runs that loads schedulers by itself: units by their
// control groups, which systemd removes when they stop, and scx_loader also
// without systemd.
func (m *Manager) services() []string {
	var running []string
	for _, unit := range []string{"scx.service", "scx_loader.service"} {
		for _, hierarchy := range []string{"", "unified/", "systemd/"} {
			if m.root.text("sys/fs/cgroup/"+hierarchy+"system.slice/"+unit+"/cgroup.procs") != "" {
				running = append(running, unit)
				break
			}
		}
	}
	for _, name := range m.processes() {
		if name == "scx_loader" && !slices.Contains(running, "scx_loader.service") {
			return append(running, "scx_loader")
		}
	}
	return running
}

func (m *Manager) isolated() string {
	for option := range strings.FieldsSeq(m.root.text("proc/cmdline")) {
		if list, ok := strings.CutPrefix(option, "isolcpus="); ok {
			return proc.OneLine(list, mostWords)
		}
	}
	return ""
}

// rights finds out how to get the rights that a scheduler needs, by asking a
// guard: as this user, else by sudo. What it finds holds from then on.
func (m *Manager) rights(ctx context.Context) *Refusal {
	if m.privileged {
		return nil
	}
	var why string
	for _, sudo := range [][]string{nil, m.opts.Sudo} {
		if sudo == nil && !m.isRoot {
			continue
		}
		said, err := m.probe(ctx, sudo)
		switch {
		case err == nil && said == "privileged":
			m.sudo, m.privileged = sudo, true
			return nil
		case sudo == nil:
			_, why, _ = strings.Cut(said, " ")
			return refuse(NoRights, "this process is root and may not load a scheduler: %s; in a container, give it CAP_SYS_ADMIN, or measure outside", why)
		default:
			if why = said; why == "" && err != nil {
				why = err.Error()
			}
		}
	}
	return refuse(NoRights, "loading a scheduler needs root: run as root, or let this user do it without a password, in a file of /etc/sudoers.d: %s ALL=(root) NOPASSWD: %s * (%s says: %s)",
		userName(), strings.Join(m.opts.Guard, " "), strings.Join(m.opts.Sudo, " "), proc.OneLine(cmp.Or(why, "nothing"), mostWords))
}

func userName() string {
	for _, name := range []string{"USER", "LOGNAME"} {
		if user := os.Getenv(name); user != "" {
			return user
		}
	}
	return "USER"
}

// probe runs a guard that only says whether it has the rights.
func (m *Manager) probe(ctx context.Context, sudo []string) (string, error) {
	command := slices.Concat(sudo, m.opts.Guard, []string{probeFlag})
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	out := newOutput(nil)
	cmd.Stdout, cmd.Stderr = out, out
	err := cmd.Run()
	return proc.OneLine(out.String(), mostWords), err
}

// find resolves the program of a scheduler: a path, or a name that is looked
// up in PATH and where packages and cargo put such programs.
func (m *Manager) find(s spec) (string, *Refusal) {
	if strings.Contains(s.program, "/") {
		path, err := filepath.Abs(s.program)
		if err != nil {
			return "", refuse(BadProgram, "%s: %v", s.program, err)
		}
		switch info, err := os.Stat(path); {
		case err != nil:
			return "", refuse(NotFound, "%s: %v; correct the path", s.program, errors.Unwrap(err))
		case !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0:
			return "", refuse(BadProgram, "%s is not a program: want an executable file", s.program)
		}
		return path, nil
	}
	for _, dir := range m.opts.Path {
		path := filepath.Join(dir, s.program)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0 {
			return path, nil
		}
	}
	return "", refuse(NotFound, "%s is not in PATH; %s", s.program, s.install())
}

// install says where a program comes from.
func (s spec) install() string {
	switch s.known.Source {
	case "rust":
		return "install your distribution's scx-scheds, or build it: cargo install " + s.known.Name
	case "kernel":
		return "build it from the kernel's source, make -C tools/sched_ext, or from sched-ext/scx-c-examples"
	}
	return "give its path; 'llama-regress schedulers' lists those that are known"
}
