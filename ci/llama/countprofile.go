package llama

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/llama-regress/llama-regress/ci/callgrind"
)

// clears are what llama-bench calls before each repetition, by the age of a build, and
// freed what it calls after the last one. They are of llama.cpp's C interface: a
// library keeps such names when it is stripped.
var (
	clears = []string{"llama_memory_clear", "llama_kv_self_clear", "llama_kv_cache_clear"}
	freed  = "llama_free"
)

// markArgs tell callgrind to write what was counted until then, in a file of its own,
// before each of them is called.
func markArgs() (args []string) {
	for _, name := range append(slices.Clip(clears), freed) {
		args = append(args, "--dump-before="+name)
	}
	return args
}

// readProfiles reads what the processes of one invocation executed: a wrapper
// script is a process too, and what it starts. Their count is that of all, the
// profile that of the largest.
func readProfiles(dir string) (n counted, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.out"))
	if err != nil {
		return n, err
	}
	for _, file := range files {
		parts, err := filepath.Glob(file + ".*")
		if err != nil {
			return n, err
		}
		number := func(name string) int { n, _ := strconv.Atoi(name[strings.LastIndexByte(name, '.')+1:]); return n }
		slices.SortFunc(parts, func(a, b string) int { return number(a) - number(b) })
		var all, after []*callgrind.Profile // of the process, and since the last repetition began
		var before, sum int64
		var repetition *callgrind.Profile
		for _, part := range append(parts, file) {
			p, trigger, err := readProfile(part)
			if err != nil {
				return n, err
			}
			all, after, sum = append(all, p), append(after, p), sum+p.Instructions
			switch {
			case slices.Contains(clears, trigger):
				before, after, repetition = sum, nil, nil
			case trigger == freed && before > 0 && repetition == nil:
				repetition = callgrind.Sum(after...)
			}
		}
		p := callgrind.Sum(all...)
		n.instructions += p.Instructions
		if n.profile == nil || p.Instructions > n.profile.Instructions {
			n.profile = p
		}
		if repetition != nil && repetition.Instructions > 0 && (n.repetition == nil || repetition.Instructions > n.repetition.Instructions) {
			n.before, n.repetition = before, repetition
		}
	}
	if n.profile == nil {
		return n, errors.New("it wrote no profile")
	}
	return n, nil
}

// triggerLine says why callgrind wrote a part.
const triggerLine = "desc: Trigger: --dump-before="

// readProfile reads one file, and before what function it was written; "" where no
// function is the reason.
func readProfile(file string) (p *callgrind.Profile, trigger string, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	head := bufio.NewScanner(io.LimitReader(f, 16<<10))
	for head.Scan() && trigger == "" && !strings.HasPrefix(head.Text(), "events:") {
		trigger, _ = strings.CutPrefix(head.Text(), triggerLine)
		if trigger == head.Text() {
			trigger = ""
		}
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, "", err
	}
	p, err = callgrind.Read(f)
	return p, trigger, err
}

// libcVersion is what glibc says of itself within its library.
var libcVersion = regexp.MustCompile(`GNU C Library [^\n]{0,200}?version (\d{1,2}\.\d{1,3})`)

// cLibrary names the C library that a profile shows; "" where it shows none.
func cLibrary(p *callgrind.Profile) string {
	if p == nil {
		return ""
	}
	for _, f := range p.Functions {
		if !strings.HasPrefix(filepath.Base(f.Object), "libc.so") && !strings.HasPrefix(filepath.Base(f.Object), "libc-") {
			continue
		}
		if data, err := os.ReadFile(f.Object); err == nil {
			if m := libcVersion.FindSubmatch(data); m != nil {
				return "glibc " + string(m[1])
			}
		}
		break
	}
	return ""
}

// cLibraryOfSystem is that of the machine; "" where nothing tells.
func cLibraryOfSystem() string {
	out, err := exec.Command("getconf", "GNU_LIBC_VERSION").Output()
	if text := strings.TrimSpace(string(out)); err == nil && strings.HasPrefix(text, "glibc ") && len(text) < 40 {
		return text
	}
	return ""
}

// tunables keep the C library from choosing its functions by what is new in a
// processor, and by the sizes of its caches. A library that does not know one leaves
// it out.
const tunables = "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-ERMS,-FSRM:" +
	"glibc.cpu.x86_data_cache_size=32768:glibc.cpu.x86_shared_cache_size=1048576:glibc.cpu.x86_non_temporal_threshold=786432"

const tunablesVariable = "GLIBC_TUNABLES"

// pinned is an environment with the tunables, unless it has some, and those that are
// in force.
func pinned(env []string) (all []string, inForce string) {
	for _, entry := range slices.Backward(env) {
		if value, ok := strings.CutPrefix(entry, tunablesVariable+"="); ok {
			return env, value
		}
	}
	return append(slices.Clip(env), tunablesVariable+"="+tunables), tunables
}
