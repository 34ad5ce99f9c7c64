package llama

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

// recordedHelp is what llama-server -h of build 11669 (Debian 0.7.0) printed.
func recordedHelp(t *testing.T) capabilities {
	t.Helper()
	text, err := os.ReadFile("testdata/help-server-b11669.txt")
	if err != nil {
		t.Fatal(err)
	}
	c, ok := readServerHelp(string(text))
	if !ok {
		t.Fatal("not taken for llama-server's help")
	}
	return c
}

func TestReadServerHelp(t *testing.T) {
	t.Parallel()
	c := recordedHelp(t)
	for flag, want := range map[string]string{
		"-t": "N", "--threads": "N", "--host": "HOST", "--metrics": "", "--version": "",
		"-fa": "[on|off|auto]", "--flash-attn": "[on|off|auto]", "--fit": "[on|off]", "--cpu-strict": "<0|1>",
		"-sm": "{none,layer,row,tensor}", "-nkvo": "", "--no-kv-offload": "", "-kvo": "", "-no-kvu": "", "--no-ui": "",
		"--gpu-layers": "N", "--ctx-checkpoints": "N", "-ot": "<tensor name pattern>=<buffer type>,...",
		"--control-vector-layer-range": "START END", "--slot-prompt-similarity": "SIMILARITY",
	} {
		if got, ok := c.forms[flag]; !ok || got != want {
			t.Errorf("%s: %q (there: %v), want %q", flag, got, ok, want)
		}
	}
	for flag := range c.forms {
		if strings.ContainsAny(flag, " ,<[{") {
			t.Errorf("flag %q", flag)
		}
	}
	if n := len(c.forms); n < 350 {
		t.Errorf("%d flags", n)
	}
	for flag, want := range map[string]string{"-fa": "on off auto", "-sm": "none layer row tensor", "--cpu-strict": "0 1", "-t": "", "-dev": "", "-ts": ""} {
		if got := strings.Join(c.choices(flag), " "); got != want {
			t.Errorf("choices of %s: %s, want %s", flag, got, want)
		}
	}
	for _, other := range []string{"", "  -m, --model <f>\n  -p, --n-prompt <n>\n", "-m,    --model FNAME                    model\n-c,    --ctx-size N\n-np,   --parallel N\n"} {
		if _, ok := readServerHelp(other); ok {
			t.Errorf("taken for llama-server's: %q", other)
		}
	}
}

// Lines of older builds: the forms of the reference, in the layout of their time.
const helpB6082 = `-h,    --help, --usage                  print usage and exit
-t,    --threads N                      number of threads to use during generation (default: -1)
-tb,   --threads-batch N                number of threads
-C,    --cpu-mask M                     CPU affinity mask
--cpu-strict <0|1>                      use strict CPU placement (default: 0)
--poll <0...100>                        use polling level
-c,    --ctx-size N                     size of the prompt context (default: 4096, 0 = loaded from model)
-b,    --batch-size N                   logical maximum batch size (default: 2048)
-ub,   --ubatch-size N                  physical maximum batch size (default: 512)
--no-context-shift                      disables context shift
-fa,   --flash-attn                     enable Flash Attention (default: disabled)
-kvu,  --kv-unified                     use single unified KV buffer
-nkvo, --no-kv-offload                  disable KV offload
-ctk,  --cache-type-k TYPE              KV cache data type for K
-ctv,  --cache-type-v TYPE              KV cache data type for V
-np,   --parallel N                     number of parallel sequences to decode (default: 1)
--mlock                                 force system to keep model in RAM
--no-mmap                               do not memory-map model
--numa TYPE                             attempt optimizations
-dev,  --device <dev1,dev2,..>          comma-separated list of devices
-ngl,  --gpu-layers, --n-gpu-layers N   number of layers to store in VRAM
-sm,   --split-mode {none,layer,row}    how to split the model
-ts,   --tensor-split N0,N1,N2,...      fraction of the model
-mg,   --main-gpu INDEX                 the GPU to use
--no-op-offload                         disable offloading host tensor operations
-m,    --model FNAME                    model path
-cb,   --cont-batching                  enable continuous batching (default: enabled)
-nocb, --no-cont-batching               disable continuous batching
--host HOST                             ip address to listen
--port PORT                             port to listen (default: 8080)
--no-webui                              Disable the Web UI (default: enabled)
-to,   --timeout N                      server read/write timeout in seconds (default: 600)
--cache-reuse N                         min chunk size
--metrics                               enable prometheus compatible metrics endpoint
--slots                                 enable slots monitoring endpoint (default: disabled)
--jinja                                 use jinja template for chat (default: disabled)
-sps,  --slot-prompt-similarity SIMILARITY
                                        how much the prompt must match (default: 0.50, 0.0 = disabled)
                                        --metrics-in-a-description is no flag
`

func TestServerArgs(t *testing.T) {
	t.Parallel()
	old, ok := readServerHelp(helpB6082)
	if !ok {
		t.Fatal("not taken for llama-server's help")
	}
	if old.has("--metrics-in-a-description") {
		t.Error("a word of a description is taken for a flag")
	}
	now := recordedHelp(t)
	const oldFixed = "--metrics --slots --no-webui --no-context-shift --jinja --timeout 3600"
	const nowFixed = "--metrics --slots --no-webui --fit off --no-kv-unified --no-context-shift --jinja --timeout 3600"
	for _, c := range []struct{ param, value, old, now string }{
		{"threads", "3", "-t 3 -tb 3", "-t 3 -tb 3"},
		{"flash_attn", "on", "-fa", "-fa on"},
		{"flash_attn", "off", "", "-fa off"},
		{"flash_attn", "auto", "!does not take the value", "-fa auto"},
		{"mmap", "on", "", "-lm mmap"},
		{"mmap", "off", "--no-mmap", "-lm none"},
		{"kv_offload", "on", "", "-kvo"},
		{"kv_offload", "off", "-nkvo", "-nkvo"},
		{"op_offload", "on", "", "--op-offload"},
		{"op_offload", "off", "--no-op-offload", "--no-op-offload"},
		{"cont_batching", "on", "-cb", "-cb"},
		{"cont_batching", "off", "-nocb", "-nocb"},
		{"cpu_strict", "on", "--cpu-strict 1", "--cpu-strict 1"},
		{"cpu_mask", "0x3", "-C 0x3", "-C 0x3"},
		{"tensor_split", "3/1", "-ts 3,1", "-ts 3,1"},
		{"devices", "CUDA0/CUDA1", "-dev CUDA0,CUDA1", "-dev CUDA0,CUDA1"},
		{"devices", "auto", "", ""},
		{"split_mode", "tensor", "!it takes {none,layer,row}", "-sm tensor"},
		{"n_cpu_moe", "4", "!this build has no such flag (flag -ncmoe); llama.cpp has it since build", "-ncmoe 4"},
		{"n_cpu_moe", "0", "", "-ncmoe 0"},
		{"parallel", "4", "-np 4", "-np 4"},
		{"ctx_size", "4096", "-c 4096", "-c 4096"},
		{"cache_prompt", "on", "", "--cache-prompt"},
		{"cache_prompt", "off", "", "--no-cache-prompt"}, // older builds are told with each request
		{"cache_ram", "0", "", "--cache-ram 0"},
		{"cache_ram", "64", "!llama.cpp has it since build", "--cache-ram 64"},
		{"cache_reuse", "256", "--cache-reuse 256", "--cache-reuse 256"},
		{"ctx_checkpoints", "8", "!this build has no such flag", "--ctx-checkpoints 8"},
		{"slot_similarity", "0.3", "--slot-prompt-similarity 0.3", "--slot-prompt-similarity 0.3"},
		{"slot_similarity", "2", "!is not a number from 0 to 1", "!is not a number from 0 to 1"},
		{"turns", "2-8", "", ""},
		{"numa", "distribute", "--numa distribute", "--numa distribute"},
		{"concurrency", "8", "", ""},
		{"rate", "2.5", "", ""},
		{"threads", "1-4", `!"1-4" is not a whole number`, `!"1-4" is not a whole number`},
		{"slots", "4", "!llama-server has no such parameter", "!llama-server has no such parameter"},
	} {
		for _, build := range []struct {
			caps        capabilities
			want, fixed string
		}{{old, c.old, oldFixed}, {now, c.now, nowFixed}} {
			args, err := serverArgs(build.caps, map[string]string{c.param: c.value})
			if fault, refused := strings.CutPrefix(build.want, "!"); refused {
				if err == nil || !strings.Contains(err.Error(), fault) {
					t.Errorf("%s=%s: error %v, want %s", c.param, c.value, err, fault)
				}
				continue
			}
			want := strings.TrimSpace(build.want + " " + build.fixed)
			if got := strings.Join(args, " "); err != nil || got != want {
				t.Errorf("%s=%s: %s, %v\nwant %s", c.param, c.value, got, err, want)
			}
		}
	}
	// What nobody sets is not passed, but for what is held fixed.
	bare, _ := readServerHelp("--host HOST\n--port PORT\n-m, --model F\n-c, --ctx-size N\n-np, --parallel N\n-t N\n")
	if args, err := serverArgs(bare, parameters(record.ServeWorkload, nil, nil)); err != nil || strings.Join(args, " ") != "-np 4 -c 8192" {
		t.Errorf("defaults: %q, %v", args, err)
	}
	for _, p := range record.Params {
		if p.Target == record.LlamaCpp && !slices.ContainsFunc(serverSettings, func(s serverSetting) bool { return s.param == p.Name }) && !slices.Contains(clientParameters, p.Name) {
			t.Errorf("no setting for %s", p.Name)
		}
	}
}
