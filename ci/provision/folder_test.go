package provision

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFolder(t *testing.T) {
	tests := map[string]struct {
		files map[string]string // by path below the folder
		need  string
		dir   string // where the programs are found, below the folder
		want  string // else what the error says
	}{
		"programs in it":   {map[string]string{"llama-bench": benchScript}, "", "", ""},
		"a build tree":     {map[string]string{"bin/llama-bench": benchScript}, "", "bin", ""},
		"a source tree":    {map[string]string{"build/bin/llama-bench": benchScript}, "", "build/bin", ""},
		"empty":            {nil, "", "", "no executable llama-bench in"},
		"lacks the server": {map[string]string{"llama-bench": benchScript}, "llama-server", "", "has no llama-server"},
		"another program":  {map[string]string{"llama-bench": "#!/bin/sh\necho usage: tar\n"}, "", "", "is not llama.cpp's llama-bench"},
		"does not start":   {map[string]string{"llama-bench": "#!/bin/sh\necho 'libcudart.so.12: cannot open' >&2\nexit 127\n"}, "", "", "does not start: llama-bench: exit status 127: libcudart.so.12: cannot open"},
		"not a program":    {map[string]string{"llama-bench": "no program at all"}, "", "", "does not start"},
		"a folder":         {map[string]string{"llama-bench/x": ""}, "", "", "no executable llama-bench in"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.write("llama/README", "")
			for path, text := range tt.files {
				w.write("llama/"+path, text)
			}
			o, _ := w.options()
			o.LlamaDir = w.path("llama")
			if tt.need != "" {
				o.Need = []string{tt.need}
			}
			l, err := Find(t.Context(), o)
			switch {
			case tt.want != "":
				var notFound *NotFoundError
				if !errors.As(err, &notFound) || len(notFound.Tried) != 1 || notFound.Tried[0].Source != SourceDir {
					t.Fatalf("a named folder is the only source; got %v", err)
				}
				if !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got %v, want %q", err, tt.want)
				}
			case err != nil:
				t.Error(err)
			case l.Dir != filepath.Join(w.path("llama"), tt.dir) || l.Source != SourceDir || len(l.Backends()) != 0:
				t.Errorf("got %+v", l)
			}
			if calls := w.calls(""); len(calls) > 0 {
				t.Errorf("apt was asked: %q", calls)
			}
		})
	}
}

// PATH comes before apt, all programs from one folder, and a folder that lacks
// one is passed over.
func TestPath(t *testing.T) {
	w := newWorld(t)
	w.write("bin/llama-bench", benchScript)
	l, _ := w.find(t, nil)
	if l.Source != SourcePath || l.Dir != w.path("bin") {
		t.Errorf("got %s from %s", l.Dir, l.Source)
	}
	w.write("elsewhere/llama-server", "#!/bin/sh\n")
	t.Setenv("PATH", w.path("bin")+string(os.PathListSeparator)+w.path("elsewhere"))
	l, log := w.find(t, func(o *Options) { o.Need = []string{"llama-server"} })
	if l.Source != SourceApt || !strings.Contains(log, "path: "+w.path("bin")+" has no llama-server") {
		t.Errorf("got %s from %s; log:\n%s", l.Dir, l.Source, log)
	}
}

func TestOptions(t *testing.T) {
	tests := map[string]struct {
		change func(*Options)
		want   string
	}{
		"folder and release":       {func(o *Options) { o.LlamaDir, o.Release = "x", "b1" }, "name one"},
		"checksum without release": {func(o *Options) { o.SHA256 = strings.Repeat("0", 64) }, "name the release too"},
		"unknown source":           {func(o *Options) { o.Sources = []Source{"brew"} }, `no source "brew"`},
		"not a program":            {func(o *Options) { o.Need = []string{"llama-x; rm"} }, "not the name of a llama.cpp program"},
		"a path":                   {func(o *Options) { o.Need = []string{"llama-x/../../y"} }, "not the name of a llama.cpp program"},
		"not ours":                 {func(o *Options) { o.Need = []string{"bash"} }, "not the name of a llama.cpp program"},
		"a tag with a slash":       {func(o *Options) { o.Release = "../b1" }, "not a release's tag"},
		"a short checksum":         {func(o *Options) { o.Release, o.SHA256 = "b1", "abc" }, "not 64 hexadecimal digits"},
		"only path":                {func(o *Options) { o.Sources = []Source{SourcePath} }, "no llama-bench in PATH"},
		"colon in the cache":       {func(o *Options) { o.CacheDir += ":x" }, "set LLAMA_REGRESS_CACHE"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			o, _ := w.options()
			tt.change(&o)
			if _, err := Find(t.Context(), o); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestDefaultCacheDir(t *testing.T) {
	t.Setenv("LLAMA_REGRESS_CACHE", "/some/where")
	if dir, err := DefaultCacheDir(); dir != "/some/where" || err != nil {
		t.Errorf("got %q, %v", dir, err)
	}
	t.Setenv("LLAMA_REGRESS_CACHE", "")
	t.Setenv("XDG_CACHE_HOME", "/c")
	t.Setenv("HOME", "/c")
	if dir, err := DefaultCacheDir(); filepath.Base(dir) != "llama-regress" || !strings.HasPrefix(dir, "/c") || err != nil {
		t.Errorf("got %q, %v", dir, err)
	}
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", "")
	if dir, err := DefaultCacheDir(); err == nil || !strings.Contains(err.Error(), "LLAMA_REGRESS_CACHE") {
		t.Errorf("without a home: %q, %v", dir, err)
	}
}

// Without a home there is no cache folder, which a named folder does not need.
func TestNoCacheFolder(t *testing.T) {
	w := newWorld(t)
	w.write("llama/llama-bench", benchScript)
	for _, name := range []string{"LLAMA_REGRESS_CACHE", "XDG_CACHE_HOME", "HOME"} {
		t.Setenv(name, "")
	}
	w.find(t, func(o *Options) { o.CacheDir, o.LlamaDir = "", w.path("llama") })
	o, _ := w.options()
	o.CacheDir = ""
	if _, err := Find(t.Context(), o); err == nil || !strings.Contains(err.Error(), "apt:     no cache folder") {
		t.Errorf("got %v", err)
	}
}

// The whole message, as a person reads it.
func TestNotFoundMessage(t *testing.T) {
	err := &NotFoundError{
		Need: []string{"llama-bench", "llama-server"},
		Tried: []Attempt{
			{SourcePath, errors.New("no llama-bench in PATH")},
			{SourceApt, errors.New("http://a.example/debian bookworm: E: one\nE: two")},
			{SourceRelease, errors.New("no release is named (--release bNNNN --sha256 HEX)")},
		},
	}
	golden(t, "testdata/notfound.txt", err.Error()+"\n")
	if !errors.Is(err, err.Tried[1].Err) {
		t.Error("the sources' errors are not in it")
	}
}
