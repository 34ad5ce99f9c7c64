package llama

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-regress/llama-regress/ci/record"
)

// helpOf is a help text with the given option lines beside the usual ones.
func helpOf(lines ...string) capabilities {
	c, ok := readHelp("usage: llama-bench [options]\n  -m, --model <filename>\n  -p, --n-prompt <n>\n  -n, --n-gen <n>\n  -r, --repetitions <n>\n" +
		"  -o, --output <csv|json|md|sql>\n" + strings.Join(lines, "\n"))
	if !ok {
		panic("not a llama-bench help")
	}
	return c
}

func TestReadHelpRecorded(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(recorded + "help.txt")
	if err != nil {
		t.Fatal(err)
	}
	c, ok := readHelp(string(text))
	if !ok {
		t.Fatal("not recognised")
	}
	for flag, form := range map[string]string{
		"-fa": "<on|off|auto>", "--flash-attn": "<on|off|auto>", "-lm": "<auto|none|mmap|mlock|mmap+mlock|dio>", "-pg": "<pp,tg>",
		"-o": "<csv|json|jsonl|md|sql>", "--version": "", "--no-warmup": "", "-h": "", "--poll": "<0...100>", "-C": "<hex,hex>",
		"-ot": "<tensor name pattern>", "--override-tensor": "<tensor name pattern>", "-hf": "<user>", "--hf-repo": "<user>", "--prio": "<-1|0|1|2|3>",
	} {
		if got, ok := c.forms[flag]; !ok || got != form {
			t.Errorf("%s: %q, %v; want %q", flag, got, ok, form)
		}
	}
	for _, flag := range []string{"-mmp", "-dio", "-dt", "-Multiple"} {
		if c.has(flag) {
			t.Errorf("has %s", flag)
		}
	}
	for _, other := range []string{"", "usage: llama-server [options]\n  -m,    --model FNAME\n  -o, --output FNAME\n", "--n-prompt --n-gen --repetitions --output"} {
		if _, ok := readHelp(other); ok {
			t.Errorf("%q is taken for llama-bench", other)
		}
	}
}

// Each parameter in each form that a build has had.
func TestParameterArgs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		help, param, value string
		want               string // "" when it is left out
		err                string
	}{
		{"  -t, --threads <n>", "threads", "8", "-t 8", ""},
		{"  -fa, --flash-attn <0|1>", "flash_attn", "on", "-fa 1", ""},
		{"  -fa, --flash-attn <0|1>", "flash_attn", "off", "-fa 0", ""},
		{"  -fa, --flash-attn <0|1>", "flash_attn", "auto", "", "flash_attn=auto cannot be passed: this build does not take the value (flag -fa); it takes <0|1>"},
		{"  -fa, --flash-attn <on|off|auto>", "flash_attn", "on", "-fa on", ""},
		{"  -fa, --flash-attn <on|off|auto>", "flash_attn", "auto", "-fa auto", ""},
		{"  -lm, --load-mode <auto|none|mmap>\n  -mmp, --mmap <0|1>", "mmap", "on", "-lm mmap", ""},
		{"  -lm, --load-mode <auto|none|mmap>", "mmap", "off", "-lm none", ""},
		{"  -mmp, --mmap <0|1>", "mmap", "off", "-mmp 0", ""},
		{"  -mmp, --mmap <0|1>\n  -dio, --direct-io <0|1>", "mmap", "on", "-mmp 1 -dio 0", ""},
		{"  -mmp, --mmap <0|1>\n  -dio, --direct-io <0|1>\n  -lm <none|mmap>", "mmap", "on", "-lm mmap", ""},
		{"  -nkvo, --no-kv-offload <0|1>", "kv_offload", "on", "-nkvo 0", ""},
		{"  -nkvo, --no-kv-offload <0|1>", "kv_offload", "off", "-nkvo 1", ""},
		{"  -nopo, --no-op-offload <i>", "op_offload", "off", "-nopo 1", ""},
		{"", "op_offload", "on", "", ""}, // builds without the flag offload
		{"", "op_offload", "off", "", "op_offload=off cannot be passed: this build has no such flag (flag -nopo); llama.cpp has it since build 5346: use a newer one, or leave op_offload out"},
		{"", "n_cpu_moe", "0", "", ""},
		{"", "n_cpu_moe", "3", "", "since build 6490"},
		{"", "poll", "50", "", "since build 3644"}, // older builds poll otherwise
		{"", "cpu_mask", "0x0", "", ""},
		{"  --poll <0...100>", "poll", "0", "--poll 0", ""},
		{"  -sm, --split-mode <none|layer|row>", "split_mode", "row", "-sm row", ""},
		{"  -sm, --split-mode <none|layer|row>", "split_mode", "tensor", "", "it takes <none|layer|row>"},
		{"  --cpu-strict <0|1>", "cpu_strict", "on", "--cpu-strict 1", ""},
		{"  --numa <distribute|isolate>", "numa", "isolate", "--numa isolate", ""},
		{"  --numa <distribute|isolate>", "numa", "numactl", "", "it takes <distribute|isolate>"},
		{"  -ctk <t>, --cache-type-k <t>", "type_k", "q8_0", "-ctk q8_0", ""},
		{"  -ctk <t>", "type_k", "q8_0,f16", "", "would take a comma for a list"},
		{"  -ts <ts0/ts1/..>", "tensor_split", "3;1", "-ts 3;1", ""},
		{"  -t <n>", "threads", "1-4", "", `threads: "1-4" is not a whole number`},
		{"  -t <n>", "thread", "4", "", "llama-bench has no such parameter"},
	} {
		args, err := parameterArgs(helpOf(c.help), map[string]string{c.param: c.value})
		if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s=%s: error %v, want %q", c.param, c.value, err, c.err)
		}
		if got := strings.Join(args, " "); got != c.want {
			t.Errorf("%s=%s with %q: %s, want %s", c.param, c.value, c.help, got, c.want)
		}
	}
	// What nobody sets is not passed.
	args, err := parameterArgs(helpOf("  -t, --threads <n>", "  -b <n>", "  -dio, --direct-io <0|1>"), parameters(record.BenchWorkload, nil, nil))
	if len(args) > 0 || err != nil {
		t.Errorf("defaults: %s, %v", args, err)
	}
	// Every parameter of the configuration is covered.
	for _, p := range record.Params {
		if p.Of(record.BenchWorkload) && p.Target == record.LlamaCpp && !slices.ContainsFunc(settings, func(s setting) bool { return s.param == p.Name }) {
			t.Errorf("no setting for %s", p.Name)
		}
	}
}

func TestParametersMerge(t *testing.T) {
	t.Parallel()
	cell := map[string]string{"threads": "4", "batch": "512"}
	values := parameters(record.BenchWorkload, cell, map[string]string{"batch": "64"})
	if values["threads"] != "4" || values["batch"] != "64" || cell["batch"] != "512" || len(values) != 2 {
		t.Errorf("%v", values)
	}
}

func TestInvocations(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		tests string
		want  []string
	}{
		{"pp512", []string{"-p 512 -n 0 -d 0"}},
		{"tg128", []string{"-p 0 -n 128 -d 0"}},
		{"pp512 tg128", []string{"-p 512 -n 128 -d 0"}},
		{"pp512 pp1024 tg32 tg128 pp512+tg128 pp64+tg8", []string{"-p 512,1024 -n 32,128 -pg 512,128 -pg 64,8 -d 0"}},
		{"pp512@d64", []string{"-p 512 -n 0 -d 64"}},
		{"pp512 tg128 pp512@d64 tg128@d64", []string{"-p 512 -n 128 -d 0,64"}},
		{"pp512 tg128@d64", []string{"-p 512 -n 0 -d 0", "-p 0 -n 128 -d 64"}},
		{"pp512 tg128 pp512@d4096", []string{"-p 512 -n 128 -d 0", "-p 512 -n 0 -d 4096"}},
		{"pp512 tg128 pp512@d8 pp512@d16 tg128@d32 pp512@d32", []string{"-p 512 -n 128 -d 0,32", "-p 512 -n 0 -d 8,16"}},
		{"pp512 pp512", []string{"-p 512 -n 0 -d 0"}},
	} {
		var tests []record.Test
		for name := range strings.FieldsSeq(c.tests) {
			test, err := record.ParseTest(name)
			if err != nil {
				t.Fatal(err)
			}
			tests = append(tests, test)
		}
		var got []string
		for _, group := range invocations(tests) {
			args, err := testArgs(helpOf("  -d, --n-depth <n>"), group)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, strings.Join(args, " "))
			checkProduct(t, args, group)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.tests, diff)
		}
	}
	deep := []record.Test{{Prompt: 8, Depth: 8}}
	var bad *badArgument
	if _, err := testArgs(helpOf(), deep); !errors.As(err, &bad) {
		t.Errorf("depth on a build without: %v", err)
	}
	if args, err := testArgs(helpOf(), []record.Test{{Gen: 8}}); err != nil || strings.Join(args, " ") != "-p 0 -n 8" {
		t.Errorf("%v, %v", args, err)
	}
}

// checkProduct multiplies the options out as llama-bench does: exactly the
// tests of the group must come of it.
func checkProduct(t *testing.T, args []string, group []record.Test) {
	t.Helper()
	var shapes, depths []string
	for i := 0; i < len(args); i += 2 {
		values := strings.Split(args[i+1], ",")
		switch {
		case args[i] == "-d":
			depths = values
		case args[i] == "-pg":
			shapes = append(shapes, "pp"+values[0]+"+tg"+values[1])
		case args[i+1] != "0":
			for _, v := range values {
				shapes = append(shapes, map[string]string{"-p": "pp", "-n": "tg"}[args[i]]+v)
			}
		}
	}
	var got, want []string
	for _, d := range depths {
		for _, s := range shapes {
			got = append(got, strings.TrimSuffix(s+"@d"+d, "@d0"))
		}
	}
	for _, test := range group {
		want = append(want, test.Name())
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%v runs %v, want %v", args, got, want)
	}
}

// Builds before September 2024 have no jsonl.
func TestCommandsFormat(t *testing.T) {
	t.Parallel()
	for form, want := range map[string]string{"<csv|json|md|sql>": "json", "<csv|json|jsonl|md|sql>": "jsonl"} {
		c := helpOf()
		c.forms["-o"] = form
		p := onePlan("", "/m.gguf", nil, "pp512")
		m := &measurement{program: &program{caps: c}, plan: p, cell: p.Cells[0]}
		commands, err := m.commands()
		if got := strings.Join(commands[0], " "); err != nil || got != "-m /m.gguf -o "+want+" -r 4 -p 512 -n 0" {
			t.Errorf("%s, %v", got, err)
		}
	}
}
