package llama

import (
	"regexp"
	"slices"
	"strings"

	"github.com/llama-regress/llama-regress/ci/internal/proc"
	"github.com/llama-regress/llama-regress/ci/record"
)

// A phrase is something that llama.cpp's programs say and that changes what is
// measured: a build that is slow by intent, a setting that was not taken. It is a
// part of a line, found in the source of the builds named; more words of a line may
// differ from build to build.
type phrase struct {
	text  string
	since string // the builds in which it was seen
}

// phrases are told under the arm, with the line in which they stand. Examples are
// in fixtures/llamabench and fixtures/llamaserver.
var phrases = []phrase{
	{"debug build, performance may be affected", "llama-bench, all"},
	{"asserts enabled, performance may be affected", "llama-bench, all"},
	{"sanitizer enabled, performance may be affected", "llama-bench, all"},
	{"environment variable is set, but will be overwritten by command line argument", "llama-server, b11669"},
	{"failed to initialize speculative decoding context", "llama-server, b11669"},
	{"speculative decoding not supported by this context", "llama-server, b11669"},
	{"is not supported by multimodal, it will be disabled", "llama-server, b11669"},
	{"is not supported by this context, it will be disabled", "llama-server, b11669"},
	{"is not supported by this model, it will be disabled", "llama-server, b11669"},
	{"exceeds the training context of the model", "llama-server, b11669"},
	{"to avoid assertion failure", "llama-server, b11669: n_batch is lowered to n_ubatch"},
	{"specified multiple times, use comma-separated values instead", "llama-server, b11669"},
	{"not supported, set to disabled", "libllama, b11669: flash attention"},
	{"flash attention disabled", "libllama, b11669"},
	{"Warning: Device type is CPU", "ggml-vulkan 0.27.0: a software device"},
}

// driverless says that a backend of a GPU was there and could not be used: its
// driver is missing.
var driverless = regexp.MustCompile(`^load_backend: failed to initialize backend from \S*(?:` + strings.Join(gpuLibraries, "|") + `)`)

// gpuBackends are ggml's backends that compute on a GPU, as llama-bench names them,
// and gpuLibraries the names of their libraries after "ggml-".
var (
	gpuBackends  = []string{"CUDA", "ROCm", "HIP", "MUSA", "Vulkan", "Kompute", "Metal", "MTL", "SYCL", "OpenCL", "CANN", "WebGPU"}
	gpuLibraries = []string{"ggml-cuda", "ggml-hip", "ggml-musa", "ggml-vulkan", "ggml-kompute", "ggml-metal", "ggml-sycl", "ggml-opencl", "ggml-cann", "ggml-webgpu"}
)

var warningLine = regexp.MustCompile(`(?i)^\s*warning: `)

// noGPU is what llama-server says where it has no device to put layers on, and
// withoutGPU also what it goes on with: a build for the CPU alone says this to our
// defaults.
var (
	noGPU      = regexp.MustCompile(`(?i)no usable GPU`)
	withoutGPU = regexp.MustCompile(`(?i)no usable GPU|without (support for )?GPU|^warning: (one possible reason is|consult docs/build\.md)`)
)

// warningsIn collects from a program's log what a reader of its numbers should
// know: its warnings, and the phrases.
func warningsIn(log string) []string {
	const most = 20
	var found []string
	for line := range strings.Lines(log) {
		told := warningLine.MatchString(line) || driverless.MatchString(line) ||
			slices.ContainsFunc(phrases, func(p phrase) bool { return strings.Contains(line, p.text) })
		if told && len(found) < most {
			found = add(found, logPrefix.ReplaceAllString(proc.OneLine(line, 300), ""))
		}
	}
	return found
}

// computesOnGPU says whether one of llama-bench's backends is a GPU's.
func computesOnGPU(backends string) bool {
	return slices.ContainsFunc(strings.Split(backends, ","), func(b string) bool {
		return slices.Contains(gpuBackends, strings.TrimSpace(b))
	})
}

// loadsGPULibrary says whether one of the libraries is a backend of a GPU.
func loadsGPULibrary(libraries []record.Library) bool {
	return slices.ContainsFunc(libraries, func(l record.Library) bool {
		return slices.ContainsFunc(gpuLibraries, func(name string) bool { return strings.HasPrefix(strings.TrimPrefix(l.Name, "lib"), name) })
	})
}

// wantsGPU says whether a trial with these settings is to keep layers on a GPU.
func wantsGPU(values map[string]string) bool {
	return values["gpu_layers"] != "" && values["gpu_layers"] != "0" && values["devices"] != "none"
}

const deviceAdvice = "look whether the driver is there and the job may use it (nvidia-smi, vulkaninfo), name the device with devices, or set gpu_layers: 0 if the CPU is meant"
