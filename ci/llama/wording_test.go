package llama

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

func recording(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{"..", "..", "fixtures"}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestWhatProgramsSayIsHeard(t *testing.T) {
	t.Parallel()
	rejected := warningsIn(recording(t, "llamaserver", "b11669-rejected", "draft-rejected.stderr"))
	for _, want := range []string{
		"warn: LLAMA_ARG_CACHE_PROMPT environment variable is set, but will be overwritten by command line argument --no-cache-prompt",
		"load_model: failed to initialize speculative decoding context: draft model vocab type must match target model to use speculation",
	} {
		if !slices.Contains(rejected, want) {
			t.Errorf("not heard: %s\nheard: %q", want, rejected)
		}
	}
	driver := warningsIn(recording(t, "llamabench", "b11669-vulkan", "no-driver.stderr"))
	if len(driver) != 1 || !strings.HasPrefix(driver[0], "load_backend: failed to initialize backend from") {
		t.Errorf("a missing driver: %q", driver)
	}
	if software := warningsIn(recording(t, "llamabench", "b11669-vulkan", "llvmpipe.stderr")); len(software) != 1 || !strings.Contains(software[0], "Device type is CPU") {
		t.Errorf("a software device: %q", software)
	}
	if quiet := warningsIn(recording(t, "llamabench", "b11669-vulkan", "no-device.stderr")); quiet != nil {
		t.Errorf("of a run without a device %q is told; the trial fails", quiet)
	}
	// What a plain server says is nothing to tell.
	if plain := warningsIn(recording(t, "llamaserver", "b11669", "two-slots.stderr")); slices.ContainsFunc(plain, func(w string) bool { return !withoutGPU.MatchString(w) }) {
		t.Errorf("a plain server: %q", plain)
	}
}

func TestNoDevice(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		file    string
		params  map[string]string
		fails   bool
		message string
	}{
		"no device":               {file: "no-device", params: map[string]string{"gpu_layers": "99"}, fails: true, message: "backend Vulkan found no device"},
		"no device by default":    {file: "no-device", fails: true, message: "backend Vulkan found no device"},
		"the CPU is meant":        {file: "no-device", params: map[string]string{"gpu_layers": "0"}},
		"no device is meant":      {file: "no-device", params: map[string]string{"gpu_layers": "99", "devices": "none"}},
		"a device":                {file: "llvmpipe", params: map[string]string{"gpu_layers": "99"}},
		"no driver, nobody asked": {file: "no-driver"},
		"no driver":               {file: "no-driver", params: map[string]string{"gpu_layers": "99"}, fails: true, message: "failed to initialize backend"},
	} {
		results, err := ReadResults(strings.NewReader(recording(t, "llamabench", "b11669-vulkan", test.file+".jsonl")), "x")
		if err != nil {
			t.Fatal(err)
		}
		m := &measurement{values: test.params, results: results,
			warnings: warningsIn(recording(t, "llamabench", "b11669-vulkan", test.file+".stderr"))}
		m.checkDevice()
		switch {
		case test.fails != (m.failure != nil):
			t.Errorf("%s: %+v", name, m.failure)
		case test.fails && (m.failure.Class != record.NoDevice || !strings.Contains(m.failure.Message, test.message) || !strings.Contains(m.failure.Message, "gpu_layers: 0")):
			t.Errorf("%s: %s: %s", name, m.failure.Class, m.failure.Message)
		}
	}
}

func TestGPUBackends(t *testing.T) {
	t.Parallel()
	for backends, want := range map[string]bool{"CPU": false, "BLAS": false, "Vulkan": true, "CUDA,RPC": true, "BLAS, Metal": true, "": false, "RPC": false} {
		if computesOnGPU(backends) != want {
			t.Errorf("%q: %t", backends, !want)
		}
	}
	libraries := func(names ...string) (all []record.Library) {
		for _, name := range names {
			all = append(all, record.Library{Name: name})
		}
		return all
	}
	if !loadsGPULibrary(libraries("libggml.so.0", "libggml-vulkan.so")) || loadsGPULibrary(libraries("libggml-cpu.so", "libggml-blas.so")) {
		t.Error("libraries of GPU backends are not told from others")
	}
}
