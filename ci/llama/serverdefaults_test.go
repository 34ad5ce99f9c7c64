package llama

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What the recorded program does where nobody sets a parameter stands in its help.
func TestUnsetDefaults(t *testing.T) {
	t.Parallel()
	help, err := os.ReadFile("../../fixtures/llamaserver/b11669/help.txt")
	if err != nil {
		t.Fatal(err)
	}
	caps, ok := readServerHelp(string(help))
	if !ok {
		t.Fatal("the recorded help is not read")
	}
	p := &program{caps: caps}
	want := map[string]string{
		"batch": "2048", "ubatch": "512", "flash_attn": "auto", "gpu_layers": "auto", "type_k": "f16", "type_v": "f16", "mmap": "auto", "poll": "50",
		"main_gpu": "0", "kv_offload": "on", "op_offload": "on", "repack": "on", "cpu_strict": "off", "cont_batching": "on",
		"cache_prompt": "on", "cache_ram": "8192", "ctx_checkpoints": "32", "slot_similarity": "0.10", // of conversations
	}
	held := map[string]string{"parallel": "4", "ctx_size": "8192", "cache_reuse": "0"}
	if diff := cmp.Diff(want, unsetDefaults(p, held, nil)); diff != "" {
		t.Error(diff)
	}
	// What is set, by a flag or by a variable, is no default.
	held["batch"] = "64"
	delete(want, "batch")
	delete(want, "flash_attn")
	if diff := cmp.Diff(want, unsetDefaults(p, held, map[string]string{"LLAMA_ARG_FLASH_ATTN": "off"})); diff != "" {
		t.Error(diff)
	}
}

func TestServerDefaultThreads(t *testing.T) {
	t.Parallel()
	log, err := os.ReadFile("../../fixtures/llamaserver/b11669/one-slot.stderr")
	if err != nil {
		t.Fatal(err)
	}
	srv := &Server{log: newServerLog(nil), values: map[string]string{}, unset: map[string]string{"parallel": "1"}}
	_, _ = srv.log.Write(log)
	if diff := cmp.Diff(map[string]string{"threads": "1"}, srv.Defaults()); diff != "" {
		t.Error(diff)
	}
}
