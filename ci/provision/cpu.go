package provision

import (
	"bufio"
	"cmp"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A variant is one way in which llama.cpp compiles its CPU backend, and what
// the processor must have for it, as Linux calls it in /proc/cpuinfo.
type variant struct {
	name  string
	needs []string
}

// variants are listed from slowest to fastest: names and features as in
// llama.cpp's ggml/src/CMakeLists.txt, the order that of the scores in its
// ggml/src/ggml-cpu/arch/*/cpu-feats.cpp.
var variants = []variant{
	{"x64", nil},
	{"sse42", sse42},
	{"sandybridge", with(sse42, "avx")},
	{"ivybridge", with(sse42, "avx", "f16c")},
	{"piledriver", with(sse42, "avx", "f16c", "fma")},
	{"haswell", avx2},
	{"alderlake", with(avx2, "avx_vnni")},
	{"skylakex", avx512},
	{"cannonlake", with(avx512, "avx512vbmi")},
	{"cascadelake", with(avx512, "avx512_vnni")},
	{"icelake", with(avx512, "avx512vbmi", "avx512_vnni")},
	{"cooperlake", with(avx512, "avx512_vnni", "avx512_bf16")},
	{"zen4", with(avx512, "avx512vbmi", "avx512_vnni", "avx512_bf16")},
	{"sapphirerapids", with(avx512, "avx512vbmi", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_int8")},

	{"armv8.0_1", nil},
	{"armv8.2_1", []string{"asimddp"}},
	{"armv8.2_2", armFP16},
	{"armv8.2_3", with(armFP16, "sve")},
	{"armv8.6_1", with(armFP16, "sve", "i8mm")},
	{"armv8.6_2", with(armFP16, "sve", "i8mm", "sve2")},
	{"armv9.2_1", with(armFP16, "sve", "i8mm", "sme")},
	{"armv9.2_2", with(armFP16, "sve", "i8mm", "sve2", "sme")},
}

var (
	sse42   = []string{"sse4_2"}
	avx2    = with(sse42, "avx", "f16c", "fma", "avx2", "bmi2")
	avx512  = with(avx2, "avx512f", "avx512cd", "avx512vl", "avx512dq", "avx512bw")
	armFP16 = []string{"asimddp", "fphp", "asimdhp"}
)

func with(base []string, more ...string) []string {
	return append(slices.Clone(base), more...)
}

// cpuFeatures reads the features that every processor in a /proc/cpuinfo has:
// those of the first, since cores that differ (Arm's big and little ones) list
// what they share. It is empty where the file names none.
func cpuFeatures(cpuinfo io.Reader) map[string]bool {
	features := map[string]bool{}
	in := bufio.NewReader(io.LimitReader(cpuinfo, 1<<20))
	for {
		line, err := in.ReadString('\n')
		key, value, _ := strings.Cut(line, ":")
		switch strings.TrimSpace(key) {
		case "flags", "Features": // x86, Arm
			for _, name := range strings.Fields(value) {
				features[name] = true
			}
			return features
		}
		if err != nil {
			return features
		}
	}
}

func (f *finder) cpuFeatures() map[string]bool {
	file, err := os.Open(filepath.Join(f.root, "proc", "cpuinfo"))
	if err != nil {
		return nil
	}
	defer file.Close()
	return cpuFeatures(file)
}

// rank returns the backends, the fastest first; those that this package does
// not know come last, the later name first.
func rank(backends map[string]string, features map[string]bool) []Backend {
	speed := map[string]int{}
	for i, v := range variants {
		speed[v.name] = i + 1
	}
	var ranked []Backend
	for name := range backends {
		b := Backend{Name: name}
		if i := speed[name]; i > 0 && len(features) > 0 {
			missing := func(need string) bool { return !features[need] }
			b.Usable = !slices.ContainsFunc(variants[i-1].needs, missing)
		}
		ranked = append(ranked, b)
	}
	slices.SortFunc(ranked, func(a, b Backend) int {
		return cmp.Or(-cmp.Compare(speed[a.Name], speed[b.Name]), -cmp.Compare(a.Name, b.Name))
	})
	return ranked
}
