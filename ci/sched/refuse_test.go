//go:build linux

package sched

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/fixtures/fakesched"
)

// Each thing that is in the way has a message of its own, all of them at once,
// and none comes without its cause.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name    string
		spoil   func(k fakesched.Kernel, m *Manager)
		kind    Obstacle
		message string
	}{
		{"no sched_ext", func(k fakesched.Kernel, _ *Manager) { os.RemoveAll(filepath.Join(string(k), "sys/kernel/sched_ext")) },
			NoKernel, "CONFIG_SCHED_CLASS_EXT=y; this is 7.2.13-fake"},
		{"another scheduler", func(k fakesched.Kernel, _ *Manager) {
			k.Set("root/ops", "lavd_1.0")
			k.Set("state", "enabled")
			k.Write("proc/321/comm", "scx_lavd\n")
			k.Write("proc/322/comm", "scx_enable_helper\n") // a thread of the kernel
			k.Write("proc/322/cmdline", "")
		}, Occupied, `"lavd_1.0" (state enabled), loaded by scx_lavd, process 321; end`},
		{"scx.service", func(k fakesched.Kernel, _ *Manager) {
			k.Write("sys/fs/cgroup/system.slice/scx.service/cgroup.procs", "12\n")
		}, Managed, "scx.service would load"},
		{"scx_loader", func(k fakesched.Kernel, _ *Manager) { k.Write("proc/77/comm", "scx_loader\n") }, Managed, "scx_loader would load"},
		{"isolcpus", func(k fakesched.Kernel, _ *Manager) { k.Write("proc/cmdline", "quiet isolcpus=2-3 ro\n") }, Isolated, "isolcpus=2-3"},
		{"no sudo", func(_ fakesched.Kernel, m *Manager) { m.isRoot = false; m.opts.Sudo = []string{"/bin/false"} }, NoRights, "NOPASSWD: " + os.Args[0] + " guard *"},
		{"sudo wants a password", func(_ fakesched.Kernel, m *Manager) {
			m.isRoot = false
			m.opts.Sudo = []string{"/bin/sh", "-c", "echo sudo: a password is required >&2; exit 1"}
		}, NoRights, "sudo: a password is required"},
		{"root without capabilities", func(fakesched.Kernel, *Manager) {
			os.Setenv(rightsVariable, "failed neither CAP_SYS_ADMIN nor CAP_BPF")
		},
			NoRights, "CAP_SYS_ADMIN"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, k := rig(t)
			if err := m.Check(t.Context(), []string{Default, "scx_simple"}); err != nil {
				t.Fatalf("refused without a cause: %v", err)
			}
			m.privileged, m.isRoot = false, true
			c.spoil(k, m)
			found := m.Obstacles(t.Context())
			if len(found) != 1 || found[0].Kind != c.kind || !strings.Contains(found[0].Message, c.message) {
				t.Errorf("found %v, want %s: %s", found, c.kind, c.message)
			}
			if err := m.Check(t.Context(), []string{"scx_simple"}); err == nil {
				t.Error("not refused")
			}
			err := m.Check(t.Context(), []string{Default})
			if hinders := c.kind == Occupied || c.kind == Managed; (err != nil) != hinders {
				t.Errorf("for the default: %v", err)
			}
			k.Set("state", "disabled")
		})
	}
}

func TestSudoIsUsedWithoutRoot(t *testing.T) {
	m, k := rig(t, func(o *Options) { o.Sudo = []string{"/usr/bin/env", "TEST_SUDO=1"} })
	m.privileged, m.isRoot = false, false
	if trial := under(t, m, "scx_simple", ok); trial.Outcome != record.OK {
		t.Fatalf("%+v", trial.Failure)
	}
	env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", k.PID()))
	if err != nil || !strings.Contains(string(env), "TEST_SUDO=1") {
		t.Errorf("the scheduler was not started by sudo (%v)", err)
	}
	if err := m.Close(); err != nil || k.State() != "disabled" {
		t.Errorf("%v, state %s", err, k.State())
	}
}

func TestProgramsThatAreNotThere(t *testing.T) {
	m, k := rig(t)
	plain := filepath.Join(string(k), "scx_plain")
	if err := os.WriteFile(plain, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	err := m.Check(t.Context(), []string{"scx_lavd", "scx_central", "scx_mine", plain, "/nowhere/scx_x", "scx_simple"})
	if err == nil {
		t.Fatal("not refused")
	}
	for _, want := range []string{
		"scx_lavd is not in PATH; install your distribution's scx-scheds, or build it: cargo install scx_lavd",
		"scx_central is not in PATH; build it from the kernel's source",
		"scx_mine is not in PATH; give its path",
		plain + " is not a program",
		"/nowhere/scx_x: no such file or directory",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q lacks %q", err, want)
		}
	}
	if strings.Contains(err.Error(), "scx_simple is") {
		t.Errorf("refuses one that is there: %v", err)
	}
}

func TestCheckScheduler(t *testing.T) {
	for text, want := range map[string]string{
		"default": "", "scx_rusty": "", "scx_layered --run-example": "", "/opt/my -s 5": "", "./scx_x": "",
		"":       "want default",
		"rusty":  "did you mean scx_rusty?",
		"cfs":    "a name that begins with scx_",
		"--fail": "want default",
	} {
		err := CheckScheduler(text)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("CheckScheduler(%q) = %v, want %q", text, err, want)
		}
	}
}

func TestNamesTheKernelGives(t *testing.T) {
	for _, c := range []struct {
		spec, ops string
		is        bool
	}{
		{"scx_lavd", "lavd_1.0.14_g7a58_x86_64_unknown_linux_gnu", true},
		{"scx_simple", "simple", true},
		{"scx_rust", "rusty_1.0", false},
		{"scx_rusty", "", false},
		{"/opt/scx_flow", "flow_2.0", true},
		{"/opt/anything", "whatever", true}, // nobody can know
		{"/opt/anything", "", false},
	} {
		s, err := parse(c.spec)
		if err != nil {
			t.Fatal(err)
		}
		if s.is(c.ops) != c.is {
			t.Errorf("%s is %q: %v", c.spec, c.ops, !c.is)
		}
	}
}

// The watchdog's limits and upstream's word are data that a slip of the hand
// would change without a sound.
func TestCatalogue(t *testing.T) {
	production := ""
	for i, s := range Catalogue {
		if i > 0 && Catalogue[i-1].Name >= s.Name {
			t.Errorf("%s is not in order", s.Name)
		}
		if s.Production {
			production += strings.TrimPrefix(s.Name, "scx_") + " "
		}
		if !strings.HasPrefix(s.Name, "scx_") || s.Watchdog <= 0 || s.Watchdog > kernelWatchdog {
			t.Errorf("%+v", s)
		}
	}
	if want := "beerland bpfland cosmos flash flatcg lavd layered p2dq rusty "; production != want {
		t.Errorf("fit for production: %s", production)
	}
}
