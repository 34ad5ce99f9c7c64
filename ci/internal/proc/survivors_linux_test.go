package proc

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The test's program under another role: as a process of its own it may adopt,
// be killed, and be a guard.
func TestMain(m *testing.M) {
	switch role := os.Getenv("PROC_TEST_ROLE"); role {
	case "":
		os.Exit(m.Run())
	case "adopter":
		adopter()
	case "siblings":
		siblings()
	case "starter":
		starter()
	case "guard":
		if err := Guard(os.Stdin, os.Args[len(os.Args)-1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// adopter runs a command that leaves three processes behind, as a program that
// adopts, and prints what it ended and which of its children stay.
func adopter() {
	check(Adopt())
	bystander := exec.Command("sleep", "600")
	check(bystander.Start())
	cmd := exec.Command("sh", "-c", `
env -i setsid sh -c 'echo left; exec sleep 601' &
env -i setsid sh -c 'setsid sh -c "echo left; exec sleep 602" & wait' &
sleep 603 &
exit 0`)
	cmd.SysProcAttr = OwnGroup()
	out, err := cmd.StdoutPipe()
	check(err)
	_, err = StartMarked(cmd)
	check(err)
	var left [2]string
	_, err = fmt.Fscan(out, &left[0], &left[1]) // both have a session of their own now
	check(err)
	check(cmd.Wait())
	killed := EndAdopted(cmd.Process.Pid)
	fmt.Println("killed", strings.Join(killed, ", "))
	fmt.Println("left", children(), bystander.Process.Pid)
	check(bystander.Process.Kill())
}

// siblings runs two commands at once, each of which leaves a process behind, and
// prints how each ended and what the end of each ended.
func siblings() {
	check(Adopt())
	var first, second *exec.Cmd
	for _, cmd := range []**exec.Cmd{&first, &second} {
		*cmd = exec.Command("sh", "-c", "env -i setsid sh -c 'echo left; exec sleep 600' & read line")
		one := *cmd
		one.SysProcAttr = OwnGroup()
		_, err := one.StdinPipe()
		check(err)
		out, err := one.StdoutPipe()
		check(err)
		_, err = StartMarked(one)
		check(err)
		var left string
		_, err = fmt.Fscan(out, &left)
		check(err)
	}
	for _, cmd := range []*exec.Cmd{first, second} {
		KillGroup(cmd)
		var info unix.Siginfo
		check(unix.Waitid(unix.P_PID, cmd.Process.Pid, &info, unix.WEXITED|unix.WNOWAIT, nil))
		fmt.Println("killed", len(EndAdopted(cmd.Process.Pid)))
	}
	for _, cmd := range []*exec.Cmd{first, second} {
		fmt.Println(cmd.Wait())
	}
	fmt.Println("left", children())
}

// starter starts a guard and a marked command that goes out of sight, and waits.
func starter() {
	os.Setenv("PROC_TEST_ROLE", "guard")
	self, err := os.Executable()
	check(err)
	check(StartGuard(self, "end-processes"))
	cmd := exec.Command("sh", "-c", "setsid sleep 600 & echo $!; env -i setsid sleep 600 & echo $!; exec sleep 600")
	cmd.Env = os.Environ()
	cmd.Stdout = os.Stdout
	fmt.Println(marks)
	_, err = StartMarked(cmd)
	check(err)
	check(cmd.Wait())
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func role(t *testing.T, name string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "PROC_TEST_ROLE="+name)
	cmd.Stderr = os.Stderr
	return cmd
}

// Who left its group, its session and its environment is found and ended, and so
// is what it started; other children are left alone.
func TestAdopted(t *testing.T) {
	out, err := role(t, "adopter").Output()
	if err != nil {
		t.Fatal(err)
	}
	var left, bystander int
	killed, rest, _ := strings.Cut(string(out), "\n")
	if _, err := fmt.Sscanf(rest, "left [%d] %d", &left, &bystander); err != nil || left != bystander {
		t.Errorf("%q: other children are left than the one before (%v)", rest, err)
	}
	// The members of its group are ended without a word: whoever started it does so.
	if n := strings.Count(killed, "("); !strings.HasPrefix(killed, "killed ") || n != 3 {
		t.Errorf("%q: want those three that left the group", killed)
	}
}

// Of two commands at once the end of one leaves the other and its process alone, and
// collects neither: whoever started them does. The last takes all along.
func TestAdoptedOfSiblings(t *testing.T) {
	out, err := role(t, "siblings").Output()
	if want := "killed 0\nkilled 2\nsignal: killed\nsignal: killed\nleft []\n"; err != nil || string(out) != want {
		t.Errorf("%q (%v), want %q", out, err, want)
	}
}

// Whoever kills the program, the guard ends what it started, also what dropped its
// environment.
func TestGuardEndsWhatIsLeft(t *testing.T) {
	cmd := role(t, "starter")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var mark string
	var hidden, bare int
	if _, err := fmt.Fscan(bufio.NewReader(out), &mark, &hidden, &bare); err != nil {
		t.Fatal(err)
	}
	if gone(hidden) || gone(bare) {
		t.Fatal("it has ended before")
	}
	for !named(bare, "sleep") { // before that it is a shell, which has the environment
		time.Sleep(time.Millisecond) // the test's own time limit ends this
	}
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	for !gone(hidden) || !gone(bare) || guarded(mark) { // the guard itself ends too
		time.Sleep(time.Millisecond) // the test's own time limit ends this
	}
}

func named(pid int, name string) bool {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return strings.TrimSpace(string(data)) == name
}

// guarded says whether a process has the mark as an argument.
func guarded(mark string) bool {
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	return slices.ContainsFunc(lines, func(path string) bool {
		line, _ := os.ReadFile(path)
		return strings.Contains(string(line), mark)
	})
}

// Who has ended is no member of a group, collected or not.
func TestGroupMembers(t *testing.T) {
	cmd := exec.Command("sleep", "600")
	cmd.SysProcAttr = OwnGroup()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := cmd.Process.Pid
	if got := GroupMembers(pid); !slices.Equal(got, []int{pid}) {
		t.Errorf("%v, want %d", got, pid)
	}
	KillGroup(cmd)
	for !gone(pid) {
		time.Sleep(time.Millisecond)
	}
	if got := GroupMembers(pid); got != nil {
		t.Errorf("%v have ended", got)
	}
	_ = cmd.Wait()
}

func TestGuardTakesNoOtherMark(t *testing.T) {
	for _, mark := range []string{"", "LLAMA_REGRESS_CHILD=", "PATH=", marks[:len(marks)-1]} {
		if err := Guard(strings.NewReader(""), mark); err == nil {
			t.Errorf("%q was taken", mark)
		}
	}
}

// Each child has a mark of its own, in its environment and in a limit that it passes
// on; this process keeps its limit.
func TestMarks(t *testing.T) {
	limit := func() (is unix.Rlimit) {
		t.Helper()
		if err := unix.Getrlimit(unix.RLIMIT_RTTIME, &is); err != nil {
			t.Fatal(err)
		}
		return is
	}
	before := limit()
	if before.Max != unix.RLIM_INFINITY {
		t.Skip("the limit of real-time microseconds is bounded here")
	}
	var given []string
	for range 2 {
		cmd := exec.Command("env", "-i", "sh", "-c", "sleep 600; exit 1")
		cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
		mark, err := StartMarked(cmd)
		if err != nil {
			t.Fatal(err)
		}
		given = append(given, mark)
		if !slices.Contains(cmd.Env, mark) || !strings.HasPrefix(mark, marks) {
			t.Errorf("%q is not of this process, or not in %q", mark, cmd.Env)
		}
		for !named(cmd.Process.Pid, "sh") {
			time.Sleep(time.Millisecond)
		}
		if !hasLimit(cmd.Process.Pid, limitOf(marks)) {
			t.Errorf("%s: its limit does not stand for it", mark)
		}
		if hasLimit(cmd.Process.Pid, limitOf("LLAMA_REGRESS_CHILD=other.")) || hasLimit(os.Getpid(), limitOf(marks)) {
			t.Error("a limit stands for others' marks, or is this process's")
		}
		if killed := KillMarked(mark, 0); killed != nil {
			t.Errorf("%s: %q have dropped it", mark, killed)
		}
		if killed := killLimited(marks); len(killed) == 0 {
			t.Errorf("%s: nobody has the limit", mark)
		}
		_ = cmd.Wait()
	}
	if given[0] == given[1] || len(given[0]) != len(given[1]) {
		t.Errorf("%q: want different ones of one length", given)
	}
	if after := limit(); after != before {
		t.Errorf("%v, before %v", after, before)
	}
	if n := limitOf(marks); n < 1<<62 || n >= 1<<63 {
		t.Errorf("%d can be reached, or is none", n)
	}
}
