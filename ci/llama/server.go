package llama

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/llama-regress/llama-regress/ci/internal/proc"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/sched"
)

// Servers starts llama-server. Its zero value is ready to use. It must not be
// copied after its first use.
type Servers struct {
	// Environ is the environment that servers inherit, os.Environ() when nil.
	// Variables of llama.cpp itself (GGML_*, LLAMA_*) are not inherited.
	Environ []string

	// Links are the paths by which servers are started; nil for their own.
	Links *Links

	// freePort chooses the port of the next server; nil lets the kernel.
	freePort func() (int, error)

	programs programs
}

// A ServerSpec says what to start.
type ServerSpec struct {
	Arm          record.Arm
	Params       map[string]string // the cell's; concurrency and rate are the client's and ignored
	ModelPath    string
	StartTimeout time.Duration // until it is ready; 0 is 30 s
	Flags        []string      // beside parameters, such as --embeddings
	Padding      int           // bytes that its environment is longer by
	Log          io.Writer     // gets its command and what it writes, 16 MiB at most; nil for nowhere
}

const (
	startTimeout = 30 * time.Second
	portAttempts = 5
)

// A Server is a running llama-server, or one that has ended. It is this
// process's child, leads a process group of its own, and listens on 127.0.0.1
// alone. Its methods may be called at the same time.
type Server struct {
	program *program
	spec    childSpec // but for the arguments
	command []string
	port    int
	values  map[string]string // parameters it was given
	unset   map[string]string // defaults of the others, as its help tells them
	model   string
	child   *child
	begun   time.Time
	loaded  time.Duration // until it was healthy
	peak    atomic.Int64  // bytes of memory resident at most, as last asked of the kernel; 0 when not known
	log     *serverLog
	client  *http.Client
	kills   int           // memory kills that the kernel counted while it ran; before done, those until it started
	done    chan struct{} // closed once it has ended and kills is final

	once  sync.Once
	ended *record.Failure // see Ended
}

// Identify finds the llama-server of an arm, learns from its help what it
// understands, and checks that the arm's own parameters can be passed to it.
// It returns Server, ServerSHA256, Version, Commit and Number; the last three
// are empty where the program's --version has a form that is not known.
func (s *Servers) Identify(ctx context.Context, arm record.Arm) (record.Build, error) {
	p, err := identify(ctx, arm, inherited(s.Environ), "llama-server", readServerHelp)
	if err != nil {
		return record.Build{}, forArm(ctx, arm, err)
	}
	if _, err := serverArgs(p.caps, parameters(record.ServeWorkload, nil, arm.Params)); err != nil {
		return record.Build{}, forArm(ctx, arm, fmt.Errorf("%s: %w", p.name(), err))
	}
	if _, err := freeArgs(p.caps, record.ServeWorkload, nil, arm.Params); err != nil {
		return record.Build{}, forArm(ctx, arm, fmt.Errorf("%s: %w", p.name(), err))
	}
	s.programs.put(arm.Name, p)
	return record.Build{
		Server: p.path, ServerSHA256: p.files[0].sha256, Libraries: record.LibrariesSHA256(p.libraries),
		Version: p.version.text, Commit: p.version.commit, Number: p.version.number, Compiler: p.version.compiler,
	}, nil
}

// Libraries are those of llama.cpp that the llama-server of an identified arm
// loads; nil where that is not known.
func (s *Servers) Libraries(arm string) []record.Library { return s.programs.libraries(arm) }

// Start starts a server and returns when it is ready: healthy, alone on its
// port, and running with the slots and the context that were asked for. It
// lives until Stop, until ctx is done, or until this process ends; call Stop
// in any case. When it cannot be had, what was started is gone again and the
// failure says why, with the last lines of its log. The error is ctx.Err().
func (s *Servers) Start(ctx context.Context, spec ServerSpec) (*Server, *record.Failure, error) {
	p, err := s.program(ctx, spec.Arm)
	switch {
	case ctx.Err() != nil:
		return nil, nil, ctx.Err()
	case err != nil:
		return nil, failure(record.StartFailed, "%v", err), nil
	}
	if err := p.unchanged(); err != nil {
		return nil, failure(record.BuildChanged, "%v; measure builds that nobody rebuilds meanwhile", err), nil
	}
	values := parameters(record.ServeWorkload, spec.Params, spec.Arm.Params)
	args, err := serverArgs(p.caps, values)
	if err != nil {
		return nil, failure(record.BadArgument, "%s: %v", p.name(), err), nil
	}
	free, err := freeArgs(p.caps, record.ServeWorkload, spec.Params, spec.Arm.Params)
	if err != nil {
		return nil, failure(record.BadArgument, "%s: %v", p.name(), err), nil
	}
	for _, flag := range spec.Flags {
		if !p.caps.has(flag) {
			return nil, failure(record.BadArgument, "%s has no %s, which this workload needs: measure a newer build", p.name(), flag), nil
		}
	}
	args = slices.Concat(args, spec.Flags, free)
	placement, err := sched.NewPlacement(spec.Params, spec.Arm.Params)
	if err != nil {
		return nil, failure(record.BadArgument, "%v", err), nil
	}
	limit := spec.StartTimeout
	if limit <= 0 {
		limit = startTimeout
	}
	var forward io.Writer
	if spec.Log != nil {
		forward = &proc.Log{W: spec.Log, Room: maxLog}
	}
	deadline := time.Now().Add(limit)
	for attempt := 1; ; attempt++ {
		srv := &Server{program: p, spec: childSpec{program: s.Links.program(p.path), env: padded(p.env, spec.Padding), placement: placement}, values: values, unset: unsetDefaults(p, values, spec.Arm.Env), model: spec.ModelPath, log: newServerLog(forward), client: newClient(), done: make(chan struct{})}
		f, err := srv.start(ctx, s.port, args)
		if f == nil && err == nil {
			f, err = srv.awaitReady(ctx, deadline, limit)
		}
		switch {
		case err != nil:
			return nil, nil, err
		case f == nil:
			return srv, nil, nil
		case f.Class != record.PortTaken || attempt == portAttempts:
			return nil, f, nil
		}
	}
}

func (s *Servers) program(ctx context.Context, arm record.Arm) (*program, error) {
	if p := s.programs.get(arm.Name); p != nil {
		return p, nil
	}
	if _, err := s.Identify(ctx, arm); err != nil {
		return nil, err
	}
	return s.programs.get(arm.Name), nil
}

// port returns a port that nobody listened on a moment ago. llama-server
// cannot be handed a socket, and only new builds choose one themselves.
func (s *Servers) port() (int, error) {
	if s.freePort != nil {
		return s.freePort()
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// start starts the program on a port.
func (srv *Server) start(ctx context.Context, port func() (int, error), args []string) (*record.Failure, error) {
	var err error
	if srv.port, err = port(); err != nil {
		return failure(record.StartFailed, "no port for llama-server: %v", err), nil
	}
	address := []string{"--host", "127.0.0.1", "--port", strconv.Itoa(srv.port)}
	args = slices.Concat([]string{"-m", srv.model}, address, args)
	shown := childSpec{program: srv.program.path, args: args, placement: srv.spec.placement}
	if srv.command, err = shown.command(); err != nil {
		return failure(record.StartFailed, "%v", err), nil
	}
	if srv.log.forward != nil { // not in what is searched for causes: paths have words too
		fmt.Fprintf(srv.log.forward, "$ %s\n", strings.Join(srv.command, " "))
	}
	srv.kills = memoryKills()
	spec := srv.spec
	spec.args, spec.output = args, srv.log
	srv.begun = time.Now()
	srv.child, err = startChild(ctx, spec)
	switch {
	case ctx.Err() != nil && err != nil:
		return nil, ctx.Err()
	case err != nil:
		return failure(record.StartFailed, "%v", cannotStart(srv.program.path, err)), nil
	}
	go func() {
		<-srv.child.done
		srv.kills = memoryKills() - srv.kills
		if srv.child.end.starved {
			srv.kills = max(srv.kills, 1)
		}
		close(srv.done)
	}()
	return nil, nil
}

// Loaded is how long the server took from its start until it was healthy.
func (srv *Server) Loaded() time.Duration { return srv.loaded }

// URL is where the server listens, without a slash at the end.
func (srv *Server) URL() string { return fmt.Sprintf("http://127.0.0.1:%d", srv.port) }

// PID is the server's process, and its process group.
func (srv *Server) PID() int { return srv.child.cmd.Process.Pid }

// Link is the path by which it was started, where that is not its own; else "".
func (srv *Server) Link() string {
	if srv.spec.program == srv.program.path {
		return ""
	}
	return srv.spec.program
}

// Command is the program and its arguments.
func (srv *Server) Command() []string { return slices.Clone(srv.command) }

// Done is closed when the server has ended.
func (srv *Server) Done() <-chan struct{} { return srv.done }

// LogBetween returns what the server wrote from one time to the other, and a
// tenth of a second beyond: the last 2 KiB of it. Of a server that writes very
// much only the last MiB is kept.
func (srv *Server) LogBetween(from, to time.Time) string {
	return srv.log.between(from, to, 2<<10)
}

// Placement is where the server ran, as the kernel said by parameter, and an
// error where that is not what was asked for. It is to be called after Stop.
func (srv *Server) Placement() (map[string]string, error) {
	return srv.child.end.placed, srv.child.end.misplaced
}

// Stop ends the server: it is asked to, and after 5 s, or when ctx is done,
// killed with every process of its group. It returns when none of them is
// left, what the server used, and Ended: why it had ended before. Stopping
// again returns the same.
func (srv *Server) Stop(ctx context.Context) (record.Resources, *record.Failure) {
	select {
	case <-srv.done: // its number may be another's by now
	default:
		if peak := peakOf(srv.PID()); peak > 0 {
			srv.peak.Store(peak)
		}
	}
	srv.child.stop(ctx)
	<-srv.done
	srv.client.CloseIdleConnections()
	srv.awaitGroup()
	used := srv.child.end.resources
	if used.MaxRSSBytes <= srv.child.end.inherited {
		used.MaxRSSBytes = srv.peak.Load()
	}
	return used, srv.Ended()
}

func failure(class record.FailureClass, format string, args ...any) *record.Failure {
	return &record.Failure{Class: class, Message: fmt.Sprintf(format, args...)}
}
