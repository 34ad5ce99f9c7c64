package llama

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
)

// stopped stops a server at the end of a test and finds nothing of it left.
func stopped(t *testing.T, srv *Server) {
	t.Cleanup(func() {
		srv.Stop(context.Background())
		groupGone(t, srv.PID())
	})
}

func mustStart(t *testing.T, s *Servers, spec ServerSpec) *Server {
	t.Helper()
	srv, f, err := s.Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if f != nil {
		t.Fatalf("%+v", f)
	}
	stopped(t, srv)
	return srv
}

// Every parameter is accepted by this build, and what /props says back agrees.
func TestRealServer(t *testing.T) {
	dir, model := realLlama(t)
	var log bytes.Buffer
	servers := &Servers{}
	spec := ServerSpec{
		Arm: record.Arm{Name: "base", Bin: dir, Params: map[string]string{"type_k": "q8_0"}},
		Params: map[string]string{
			"batch": "256", "ubatch": "128", "flash_attn": "on", "gpu_layers": "0", "type_v": "q8_0", "mmap": "off", "poll": "10",
			"split_mode": "none", "main_gpu": "0", "tensor_split": "3/1", "kv_offload": "off", "op_offload": "off", "cpu_mask": "0x01",
			"cpu_strict": "on", "n_cpu_moe": "1", "devices": "none", "parallel": "3", "ctx_size": "2048", "cont_batching": "on", "concurrency": "8",
		},
		ModelPath: model,
		Log:       &log,
	}
	build, err := servers.Identify(t.Context(), spec.Arm)
	if err != nil {
		t.Fatal(err)
	}
	if !filepath.IsAbs(build.Server) || len(build.ServerSHA256) != 64 || build.Number == 0 || build.Commit == "" || build.Program != "" {
		t.Errorf("%+v", build)
	}
	begin := time.Now()
	srv := mustStart(t, servers, spec)
	t.Logf("ready after %v: %q", time.Since(begin), srv.Command())
	props, err := srv.Props(t.Context())
	if err != nil || props.Slots != 3 || props.SlotContext != 768 || props.Model != model || props.Build == "" { // 2048/3 rounded up
		t.Errorf("%+v, %v", props, err)
	}
	if f := srv.Check(t.Context(), 0); f != nil {
		t.Errorf("check: %+v", f)
	}

	// Tokens are counted as the server itself counts them.
	const prompt = "Once upon a time, in a land of two cores"
	counted, err := srv.CountTokens(t.Context(), prompt)
	if err != nil {
		t.Fatal(err)
	}
	asked := time.Now()
	answer := complete(t, srv, prompt, 4)
	if answer.Evaluated != counted || counted < 10 {
		t.Errorf("counted %d tokens, the server %d", counted, answer.Evaluated)
	}
	if text := srv.LogBetween(asked, time.Now()); runtime.GOOS == "linux" && text == "" {
		t.Log("the server logged nothing of a request")
	} else if len(text) > 2<<10 {
		t.Errorf("log of %d bytes", len(text))
	}
	if text := srv.LogBetween(begin.Add(-time.Hour), begin.Add(-time.Minute)); text != "" {
		t.Errorf("log before the start: %s", text)
	}

	// While slots are busy, the polls see it.
	polling, enough := context.WithCancel(t.Context())
	polls := make(chan Polls)
	go func() { polls <- srv.Poll(polling, 5*time.Millisecond) }()
	for range 5 {
		complete(t, srv, strings.Repeat(prompt, 5), 64)
	}
	enough()
	if p := <-polls; p.Busy == nil || p.Busy.Max != 1 || p.Busy.N == 0 || p.Deferred == nil || p.Deferred.Max != 0 || p.Busy.Mean <= 0 {
		t.Errorf("%+v %+v", p, p.Busy)
	}

	used, f := srv.Stop(t.Context())
	if f != nil || used.UserSeconds == 0 || used.MaxRSSBytes == 0 {
		t.Errorf("%+v, %+v", used, f)
	}
	t.Logf("warnings %q", srv.Warnings())
	if !strings.HasPrefix(log.String(), "$ "+build.Server+" -m ") || !strings.Contains(log.String(), "model loaded") {
		t.Errorf("log %s", log.String())
	}
	if _, err := srv.CountTokens(t.Context(), "x"); err == nil {
		t.Error("a stopped server counts tokens")
	}
}

type completion struct {
	Evaluated int `json:"tokens_evaluated"`
	Predicted int `json:"tokens_predicted"`
}

func complete(t *testing.T, srv *Server, prompt string, n int) completion {
	t.Helper()
	body, _ := json.Marshal(map[string]any{"prompt": prompt, "n_predict": n, "cache_prompt": false, "ignore_eos": true})
	resp, err := http.Post(srv.URL()+"/completion", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var c completion
	if err := json.Unmarshal(data, &c); err != nil || c.Predicted != n {
		t.Fatalf("%d: %s", resp.StatusCode, data)
	}
	return c
}

func TestRealServersSideBySide(t *testing.T) {
	dir, model := realLlama(t)
	servers := &Servers{}
	spec := ServerSpec{Arm: record.Arm{Name: "base", Bin: dir}, Params: map[string]string{"ctx_size": "1024"}, ModelPath: model}
	one := mustStart(t, servers, spec)
	spec.Arm.Name = "head"
	spec.Params = map[string]string{"gpu_layers": "0", "ctx_size": "512", "parallel": "2"}
	two := mustStart(t, servers, spec)
	if one.URL() == two.URL() || one.PID() == two.PID() {
		t.Errorf("%s and %s", one.URL(), two.URL())
	}
	if _, f := one.Stop(t.Context()); f != nil {
		t.Errorf("%+v", f)
	}
	if w := one.Warnings(); w != nil { // although defaults for a GPU were passed to a build without one
		t.Errorf("warnings %q", w)
	}
	if p, err := two.Props(t.Context()); err != nil || p.Slots != 2 || p.SlotContext != 256 {
		t.Errorf("the other one: %+v, %v", p, err)
	}
}

func TestRealServerFailures(t *testing.T) {
	dir, model := realLlama(t)
	broken := filepath.Join(t.TempDir(), "broken.gguf")
	if err := os.WriteFile(broken, []byte("GGUF\x03\x00\x00\x00"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, model string
		params      map[string]string
		want        record.FailureClass
		message     string
	}{
		{"no model", "/no/such/model.gguf", nil, record.ModelLoad, "No such file or directory"},
		{"broken model", broken, nil, record.ModelLoad, ""},
		{"impossible combination", model, map[string]string{"type_v": "q8_0", "flash_attn": "off"}, record.ExitStatus, "quantized V cache requires flash_attn"},
		{"refused value", model, map[string]string{"cpu_mask": "xyz"}, record.BadArgument, "invalid cpumask"},
		{"unknown device", model, map[string]string{"devices": "gpu77"}, record.BadArgument, "gpu77"},
		{"more context than the model has", model, map[string]string{"ctx_size": "65536", "parallel": "1"}, record.ParametersDiffer, "context of a slot asked 65536, got 8192"},
	} {
		srv, f, err := new(Servers).Start(t.Context(), ServerSpec{Arm: record.Arm{Name: "base", Bin: dir}, Params: c.params, ModelPath: c.model})
		if err != nil || f == nil {
			t.Errorf("%s: started: %v, %v", c.name, srv.Command(), err)
			if srv != nil {
				srv.Stop(t.Context())
			}
			continue
		}
		if f.Class != c.want || !strings.Contains(f.Message, c.message) || f.Stderr == "" {
			t.Errorf("%s: %+v", c.name, f)
		}
		t.Logf("%s: %s: %s", c.name, f.Class, f.Message)
	}
}

// A port that is taken is left alone, and another one is used.
func TestRealServerPortTaken(t *testing.T) {
	dir, model := realLlama(t)
	other := mustStart(t, &Servers{}, ServerSpec{Arm: record.Arm{Name: "base", Bin: dir}, ModelPath: model})
	spec := ServerSpec{Arm: record.Arm{Name: "base", Bin: dir}, ModelPath: model}
	asked := 0
	s := &Servers{freePort: func() (int, error) { asked++; return other.port, nil }}
	_, f, err := s.Start(t.Context(), spec)
	if err != nil || f == nil || f.Class != record.PortTaken || asked != portAttempts {
		t.Fatalf("%+v after %d ports, %v", f, asked, err)
	}
	t.Log(f.Message)
	asked = 0
	s.freePort = func() (int, error) {
		if asked++; asked == 1 {
			return other.port, nil
		}
		return new(Servers).port()
	}
	srv := mustStart(t, s, spec)
	if asked != 2 || srv.port == other.port {
		t.Errorf("%d ports asked for, got %d", asked, srv.port)
	}
}

// Servers that share a port (cpp-httplib did so unasked for years) answer each
// other's requests: health alone does not show it.
func TestRealServersShareNoPort(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells who listens")
	}
	dir, model := realLlama(t)
	sharing := t.TempDir()
	script := "#!/bin/sh\nexec '" + filepath.Join(dir, "llama-server") + "' --reuse-port \"$@\"\n"
	if err := os.WriteFile(filepath.Join(sharing, "llama-server"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	spec := ServerSpec{Arm: record.Arm{Name: "base", Bin: sharing}, ModelPath: model}
	other := mustStart(t, &Servers{}, spec)
	var log bytes.Buffer
	spec.Log = &log
	ports := 0
	s := &Servers{freePort: func() (int, error) {
		if ports++; ports == 1 {
			return other.port, nil
		}
		return new(Servers).port()
	}}
	srv := mustStart(t, s, spec)
	if ports != 2 || srv.port == other.port {
		t.Errorf("%d ports, on %d beside %d", ports, srv.port, other.port)
	}
	srv.Stop(t.Context())
	// The one that shared its port did not refuse it; how far it came before it was found out is the machine's affair.
	if n := strings.Count(log.String(), "--port "); n != 2 || slices.ContainsFunc(portMarks, func(mark string) bool { return strings.Contains(strings.ToLower(log.String()), mark) }) {
		t.Errorf("%d servers were started, want two, neither of which refuses its port: %s", n, log.String())
	}
}
