package llama

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/fixtures/fakebench"
	"github.com/llama-regress/llama-regress/fixtures/fakeprogram"
	"github.com/llama-regress/llama-regress/fixtures/fakeserver"
)

// A fakeServer is an installed fake llama-server.
type fakeServer struct {
	dir string
	log string // of its invocations
}

func installServer(t testing.TB, settings ...string) fakeServer {
	t.Helper()
	f := fakeServer{dir: filepath.Join(t.TempDir(), "bin"), log: filepath.Join(t.TempDir(), "invocations")}
	if _, err := fakeserver.Install(f.dir, append(settings, "FAKE_LOG="+f.log)...); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f fakeServer) spec(t testing.TB) ServerSpec {
	return ServerSpec{Arm: record.Arm{Name: "base", Bin: f.dir}, Params: map[string]string{"threads": "1"}, ModelPath: modelFile(t)}
}

// runs returns how many servers were started, and finds nothing left of them.
func (f fakeServer) runs(t *testing.T) int {
	t.Helper()
	runs, err := fakebench.Invocations(f.log)
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range runs {
		groupGone(t, run.PID)
	}
	return len(runs)
}

// A server that cannot be had: the failure says why, and nothing is left.
func TestServerFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, fault string
		change      func(*ServerSpec)
		want        record.FailureClass
		message     string
		runs        int
	}{
		{"port taken, always", "port", nil, record.PortTaken, "could not listen on port", portAttempts},
		{"model missing", "", func(s *ServerSpec) { s.ModelPath = "/no/such/model.gguf" }, record.ModelLoad, "No such file or directory", 1},
		{"model corrupted", "model", nil, record.ModelLoad, "model is corrupted or incomplete", 1},
		{"never healthy", "never", nil, record.NotReady, "not ready within 3s: it is still loading the model", 1},
		{"never healthy, ignores SIGTERM", "never,deaf", nil, record.NotReady, "still loading the model", 1},
		{"takes connections without an answer", "accept:1m", nil, record.NotReady, "it takes connections, but does not answer", 1},
		{"crashes at the start", "crash", nil, record.Crashed, "GGML_ASSERT(fake) failed", 1},
		{"segmentation fault", "crash:segv", nil, record.Crashed, "segmentation fault", 1},
		{"out of memory", "oom", nil, record.OutOfMemory, "failed to allocate buffer", 1},
		{"exits", "exit:3", nil, record.ExitStatus, "exit status 3", 1},
		{"exits as if all were well", "exit:0", nil, record.NotReady, "ended (exit status 0) before it was ready", 1},
		{"floods its log and never is healthy", "stderr:40M,never", nil, record.NotReady, "still loading the model", 1},
		{"unknown parameter", "", func(s *ServerSpec) { s.Params["slots"] = "2" }, record.BadArgument, "llama-server has no such parameter", 0},
		{"refused value", "", func(s *ServerSpec) { s.Params["devices"] = "gpu7" }, record.BadArgument, "invalid device: gpu7", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := installServer(t, "FAKE_FAULT="+c.fault)
			spec := f.spec(t)
			if c.want == record.NotReady {
				spec.StartTimeout = 3 * time.Second
			}
			if strings.HasPrefix(c.fault, "stderr:40M") { // which takes a slow machine a while to read
				spec.StartTimeout = 8 * time.Second
			}
			if c.change != nil {
				c.change(&spec)
			}
			srv, fault, err := new(Servers).Start(t.Context(), spec)
			if err != nil || srv != nil {
				t.Fatalf("started %v, %v", srv, err)
			}
			if fault.Class != c.want || !strings.Contains(fault.Message, c.message) {
				t.Errorf("%+v", fault)
			}
			if runs := f.runs(t); runs != c.runs {
				t.Errorf("%d servers were started, want %d", runs, c.runs)
			}
			if c.runs > 0 && (fault.Stderr == "" || len(fault.Stderr) > 8<<10) {
				t.Errorf("%d bytes of log", len(fault.Stderr))
			}
		})
	}
}

func TestServerNotRunnable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "llama-server")
	for _, c := range []struct{ name, script, want string }{
		{"another program", "#!/bin/sh\necho '  -m, --model <f>'\n", "is not llama-server: to -h it printed"},
		{"no interpreter", "#!/no/such/loader\n", "not the interpreter or loader it names"},
	} {
		if err := fakeprogram.WriteScript(path, c.script); err != nil {
			t.Fatal(err)
		}
		_, f, err := new(Servers).Start(t.Context(), ServerSpec{Arm: record.Arm{Name: "base", Bin: dir}, ModelPath: "m"})
		if err != nil || f == nil || f.Class != record.StartFailed || !strings.Contains(f.Message, c.want) {
			t.Errorf("%s: %+v, %v", c.name, f, err)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := new(Servers).Identify(t.Context(), record.Arm{Name: "head", Bin: dir}); err == nil || !strings.Contains(err.Error(), "arm head: bin: ") || !strings.Contains(err.Error(), "--target llama-server") {
		t.Errorf("%v", err)
	}
	old := installServer(t, "FAKE_BUILD=6082")
	_, err := new(Servers).Identify(t.Context(), record.Arm{Name: "head", Bin: old.dir, Params: map[string]string{"flash_attn": "auto"}})
	if err == nil || !strings.Contains(err.Error(), "flash_attn=auto cannot be passed") {
		t.Errorf("%v", err)
	}
}

// A port that somebody else has is left to them.
func TestServerPortTaken(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() { // and answers as a healthy server does
		_ = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"status":"ok"}`)) }))
	}()
	taken := l.Addr().(*net.TCPAddr).Port
	ports := []int{taken, taken}
	s := &Servers{freePort: func() (int, error) {
		if len(ports) == 0 {
			return new(Servers).port()
		}
		port := ports[0]
		ports = ports[1:]
		return port, nil
	}}
	f := installServer(t)
	srv := mustStart(t, s, f.spec(t))
	if srv.port == taken || srv.Check(t.Context(), 0) != nil {
		t.Errorf("%s", srv.URL())
	}
	srv.Stop(t.Context())
	if runs := f.runs(t); runs != 3 {
		t.Errorf("%d servers were started, want 3", runs)
	}
	if runtime.GOOS == "linux" {
		if who := stranger(taken, srv.PID()); !strings.Contains(who, strconv.Itoa(os.Getpid())) {
			t.Errorf("we listen on %d, but are not seen: %q", taken, who)
		}
		if who := stranger(taken, syscall.Getpgrp()); who != "" {
			t.Errorf("a stranger in our own group: %s", who)
		}
	}
}

// What ends a server while it serves is told from what we do.
func TestServerEnds(t *testing.T) {
	t.Parallel()
	kill := func(s syscall.Signal) func(*Server) {
		return func(srv *Server) { _ = syscall.Kill(srv.PID(), s) }
	}
	request := func(srv *Server) {
		resp, err := http.Post(srv.URL()+"/completion", "application/json", strings.NewReader(`{"prompt":"one two three","n_predict":20,"stream":true}`))
		if err == nil {
			_, _ = io.Copy(io.Discard, resp.Body) // a client that leaves would spare the server its fault
			resp.Body.Close()
		}
	}
	for _, c := range []struct {
		name, fault string
		do          func(*Server)
		want        record.FailureClass
		message     string
	}{
		{"crash in a stream", "crash:segv@3", request, record.Crashed, "llama-server crashed (segmentation fault)"},
		{"assertion", "crash@0", request, record.Crashed, "GGML_ASSERT(fake) failed"},
		{"out of memory", "oom@2", request, record.OutOfMemory, "failed to allocate buffer"},
		{"exit in a stream", "exit:7@2", request, record.ExitStatus, "exit status 7"},
		{"killed by somebody", "", kill(syscall.SIGKILL), record.Crashed, "killed from outside (killed); look for"},
		{"stopped by somebody", "", kill(syscall.SIGTERM), record.ExitStatus, "ended by itself (exit status 0) while it was needed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := installServer(t, "FAKE_FAULT="+c.fault, "FAKE_TOKS=pp=10000,tg=1000")
			srv := mustStart(t, new(Servers), f.spec(t))
			if srv.Ended() != nil {
				t.Fatalf("ended: %+v", srv.Ended())
			}
			c.do(srv)
			if c.fault != "" { // it is dying: no hang, even if it is not gone yet
				if check := srv.Check(t.Context(), time.Minute); check == nil || check.Class != c.want {
					t.Errorf("check while it dies: %+v", check)
				}
			}
			<-srv.Done()
			fault := srv.Ended()
			if fault == nil || fault.Class != c.want || !strings.Contains(fault.Message, c.message) || fault.Stderr == "" {
				t.Errorf("%+v", fault)
			}
			if check := srv.Check(t.Context(), 0); check == nil || check.Class != c.want {
				t.Errorf("check: %+v", check)
			}
			if _, again := srv.Stop(t.Context()); again == nil || again.Message != fault.Message {
				t.Errorf("stop: %+v", again)
			}
			f.runs(t)
		})
	}
}

// A server that does not answer is told from one that has ended.
func TestServerHangs(t *testing.T) {
	t.Parallel()
	f := installServer(t)
	srv := mustStart(t, new(Servers), f.spec(t))
	if err := syscall.Kill(srv.PID(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	// A process stops when each of its threads notices, which may be later. What
	// is sent from then on is not answered.
	fault := srv.Check(t.Context(), 200*time.Millisecond)
	for deadline := time.Now().Add(time.Minute); fault == nil && time.Now().Before(deadline); {
		fault = srv.Check(t.Context(), 200*time.Millisecond)
	}
	if fault == nil || fault.Class != record.TimedOut || !strings.Contains(fault.Message, "does not answer within 200ms") {
		t.Errorf("%+v", fault)
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	if _, fault := srv.Stop(done); fault != nil { // at once, without the grace period
		t.Errorf("%+v", fault)
	}
	if w := strings.Join(srv.Warnings(), "\n"); !strings.Contains(w, "did not end when asked to and was killed") {
		t.Errorf("warnings %s", w)
	}
	f.runs(t)
}

// Whatever a server does not to go, or leaves behind, is gone after Stop.
func TestServerLeavesNothing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ fault, warning string }{
		{"deaf", "was killed"},
		{"slowstop:1m", "was killed"},
		{"child", ""},
		{"daemon", "left processes behind, which were killed: "},
	} {
		t.Run(c.fault, func(t *testing.T) {
			t.Parallel()
			f := installServer(t, "FAKE_FAULT="+c.fault)
			srv := mustStart(t, new(Servers), f.spec(t))
			var child int
			if _, after, ok := strings.Cut(srv.log.String(), "fakeserver: "+c.fault+" "); ok {
				number, _, _ := strings.Cut(after, "\n")
				child, _ = strconv.Atoi(number)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			if _, fault := srv.Stop(ctx); fault != nil {
				t.Errorf("%+v", fault)
			}
			f.runs(t)
			if w := strings.Join(srv.Warnings(), "\n"); c.warning == "" && w != "" || !strings.Contains(w, c.warning) {
				t.Errorf("warnings %q", w)
			}
			if strings.HasPrefix(c.fault, "child") || strings.HasPrefix(c.fault, "daemon") {
				if runtime.GOOS == "linux" {
					gone(t, child)
				}
			}
		})
	}
}

// gone fails the test if a process is left that is not a zombie.
func gone(t *testing.T, pid int) {
	t.Helper()
	if pid <= 1 {
		t.Fatal("no process number")
	}
	for range 300 {
		data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if _, after, _ := strings.Cut(string(data), ") "); err != nil || strings.HasPrefix(after, "Z") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("process %d is left", pid)
	_ = syscall.Kill(pid, syscall.SIGKILL)
}

func TestServerLogIsBounded(t *testing.T) {
	f := installServer(t, "FAKE_FAULT=stderr:40M")
	spec := f.spec(t)
	var log bytes.Buffer
	spec.Log = &log
	begin := time.Now()
	srv := mustStart(t, new(Servers), spec)
	srv.Stop(t.Context())
	if text := srv.LogBetween(begin, time.Now()); len(text) > 2<<10 || !strings.Contains(text, "cleaning up before exit") {
		t.Errorf("%d bytes: %s", len(text), text)
	}
	if log.Len() > maxLog+1<<10 || !strings.Contains(log.String(), "log ends here") {
		t.Errorf("%d bytes of log", log.Len())
	}
	if n := len(srv.log.String()); n > 80<<10+100 {
		t.Errorf("%d bytes kept", n)
	}
	kept := 0
	for _, piece := range srv.log.recent {
		kept += len(piece.text)
	}
	if kept > logKept {
		t.Errorf("%d bytes kept by time", kept)
	}
	if w := strings.Join(srv.Warnings(), "\n"); !strings.Contains(w, "MiB of log") {
		t.Errorf("warnings %s", w)
	}
}

func TestServerCancelled(t *testing.T) {
	t.Parallel()
	f := installServer(t, "FAKE_FAULT=never")
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for n := 0; n == 0; time.Sleep(5 * time.Millisecond) {
			runs, _ := fakebench.Invocations(f.log)
			n = len(runs)
		}
		cancel()
	}()
	if srv, fault, err := new(Servers).Start(ctx, f.spec(t)); !errors.Is(err, context.Canceled) || srv != nil || fault != nil {
		t.Errorf("%v, %+v, %v", srv, fault, err)
	}
	if f.runs(t) != 1 {
		t.Error("no server was started")
	}
	if _, _, err := new(Servers).Start(ctx, f.spec(t)); !errors.Is(err, context.Canceled) || f.runs(t) != 1 {
		t.Errorf("started under a context that was done: %v", err)
	}

	f = installServer(t)
	ctx, cancel = context.WithCancel(t.Context())
	srv, fault, err := new(Servers).Start(ctx, f.spec(t))
	if err != nil || fault != nil {
		t.Fatalf("%+v, %v", fault, err)
	}
	cancel()
	<-srv.Done() // without Stop
	if srv.Ended() != nil {
		t.Errorf("we ended it, but: %+v", srv.Ended())
	}
	f.runs(t)
}

// When llama-regress panics, its server dies with it.
func TestServerDiesWithUs(t *testing.T) {
	t.Parallel()
	if dir := os.Getenv(childHelperVar); dir != "" {
		spec := ServerSpec{Arm: record.Arm{Name: "base", Bin: dir}, ModelPath: filepath.Join(dir, "llama-server.env")}
		spec.ModelPath = filepath.Join(dir, "m.gguf")
		srv, f, err := new(Servers).Start(context.Background(), spec)
		if err != nil || f != nil {
			t.Fatalf("%+v, %v", f, err)
		}
		if err := os.WriteFile(filepath.Join(dir, "pid"), []byte(strconv.Itoa(srv.PID())+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		go panic("on purpose")
		select {}
	}
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ties a child's life to ours")
	}
	f := installServer(t)
	if err := os.WriteFile(filepath.Join(f.dir, "m.gguf"), []byte("GGUF"), 0o644); err != nil {
		t.Fatal(err)
	}
	us := exec.Command(os.Args[0], "-test.run=^TestServerDiesWithUs$")
	us.Env = append(os.Environ(), childHelperVar+"="+f.dir)
	out, err := us.CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("panic: on purpose")) {
		t.Fatalf("%v: %s", err, out)
	}
	pid := waitForPid(t, filepath.Join(f.dir, "pid"))
	defer func() { _ = syscall.Kill(-pid, syscall.SIGKILL) }()
	groupGone(t, pid)
}

// Every build is given what it understands, and says back what was asked.
func TestServerEveryEra(t *testing.T) {
	t.Parallel()
	for _, build := range []int{6082, 6324, 6325, 6337, 6723, 6925, 7407, 7716, 9174, 9425, 10105, 10394, 11669} {
		f := installServer(t, "FAKE_BUILD="+strconv.Itoa(build))
		spec := f.spec(t)
		spec.Params = map[string]string{
			"threads": "1", "batch": "256", "ubatch": "128", "flash_attn": "on", "gpu_layers": "7", "type_k": "q8_0", "type_v": "q8_0", "mmap": "off",
			"poll": "10", "split_mode": "row", "main_gpu": "1", "tensor_split": "3/1", "kv_offload": "off", "op_offload": "off", "cpu_mask": "0xF",
			"cpu_strict": "on", "parallel": "2", "ctx_size": "4096", "cont_batching": "off", "devices": "none",
		}
		servers := new(Servers)
		id, err := servers.Identify(t.Context(), spec.Arm)
		if err != nil || id.Number != build || id.Commit != "Debian" || id.ServerSHA256 == "" {
			t.Errorf("b%d: %+v, %v", build, id, err)
		}
		srv, fault, err := servers.Start(t.Context(), spec)
		if err != nil || fault != nil {
			t.Errorf("b%d: %+v, %v", build, fault, err)
			continue
		}
		props, err := srv.Props(t.Context())
		if err != nil || props.Slots != 2 || props.SlotContext != 2048 || !strings.Contains(props.Build, strconv.Itoa(build)) {
			t.Errorf("b%d: %+v, %v", build, props, err)
		}
		if n, err := srv.CountTokens(t.Context(), "one two three"); err != nil || n < 3 {
			t.Errorf("b%d: %d tokens, %v", build, n, err)
		}
		if _, fault := srv.Stop(t.Context()); fault != nil {
			t.Errorf("b%d: %+v", build, fault)
		}
		f.runs(t)
	}
}

func TestServerBuildChanged(t *testing.T) {
	t.Parallel()
	f := installServer(t, "FAKE_COMMIT=aaa")
	s := new(Servers)
	srv := mustStart(t, s, f.spec(t))
	srv.Stop(t.Context())
	settings := filepath.Join(f.dir, "llama-server.env") // stands for a library elsewhere
	if err := os.WriteFile(settings, []byte("FAKE_COMMIT=bbb\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, fault, err := s.Start(t.Context(), f.spec(t))
	if err != nil || fault == nil || fault.Class != record.BuildChanged || !strings.Contains(fault.Message, "aaa") {
		t.Errorf("%+v, %v", fault, err)
	}
	program := filepath.Join(f.dir, "llama-server")
	if err := os.Remove(program); err != nil {
		t.Fatal(err)
	}
	if err := fakeprogram.WriteScript(program, "#!/bin/sh\n"); err != nil {
		t.Fatal(err)
	}
	_, fault, err = s.Start(t.Context(), f.spec(t))
	if err != nil || fault == nil || fault.Class != record.BuildChanged || !strings.Contains(fault.Message, "has changed since the run began") {
		t.Errorf("%+v, %v", fault, err)
	}
}

// While one request holds the only slot, the two behind it are deferred.
func TestServerPolled(t *testing.T) {
	f := installServer(t, "FAKE_FAULT=hang@1", "FAKE_TOKS=pp=10000,tg=1000")
	spec := f.spec(t)
	spec.Params["parallel"] = "1"
	srv := mustStart(t, new(Servers), spec)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range 3 {
		go func() {
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, srv.URL()+"/completion", strings.NewReader(`{"prompt":"one two three","n_predict":20,"stream":true}`))
			if err != nil {
				panic(err)
			}
			if resp, err := http.DefaultClient.Do(req); err == nil {
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
		}()
	}
	for range 6000 {
		if busy, deferred, _ := srv.gauges(t.Context(), time.Second); busy == 1 && deferred == 2 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	polling, enough := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer enough()
	p := srv.Poll(polling, 20*time.Millisecond)
	if p.Busy == nil || p.Busy.Mean != 1 || p.Busy.Max != 1 || p.Deferred.Mean != 2 || p.Deferred.Max != 2 {
		t.Errorf("%+v %+v %+v", p, p.Busy, p.Deferred)
	}
}
