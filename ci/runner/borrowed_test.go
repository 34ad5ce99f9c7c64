package runner

import (
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

func TestBorrowed(t *testing.T) {
	arm := func(name, program string, libraries ...string) record.Arm {
		a := record.Arm{Name: name, Build: record.Build{Program: program}}
		for _, path := range libraries {
			a.Libraries = append(a.Libraries, record.Library{Name: path[strings.LastIndexByte(path, '/')+1:], Path: path})
		}
		return a
	}
	asks := arm("head", "/h/bin/llama-bench", "/b/bin/libllama.so")
	asks.Env = map[string]string{"LD_LIBRARY_PATH": "/b/bin"}
	base := arm("base", "/b/bin/llama-bench", "/b/bin/libllama.so")
	control := base
	control.Name, control.ControlOf = "control", "base"
	for name, test := range map[string]struct {
		arms []record.Arm
		want string // in the error; "" for none
	}{
		"apart":               {[]record.Arm{base, arm("head", "/h/bin/llama-bench", "/h/bin/libllama.so")}, ""},
		"one folder":          {[]record.Arm{base, arm("head", "/b/bin/llama-bench", "/b/bin/libllama.so")}, ""},
		"control":             {[]record.Arm{base, control}, ""},
		"copied":              {[]record.Arm{base, arm("head", "/h/bin/llama-bench", "/b/bin/libllama.so", "/b/bin/libggml.so")}, "arm head: /h/bin/llama-bench loads libggml.so, libllama.so from /b/bin, which is the build of arm base, and not from /h/bin"},
		"the other way":       {[]record.Arm{arm("base", "/b/bin/llama-bench", "/h/bin/libllama.so"), arm("head", "/h/bin/llama-bench", "/h/bin/libllama.so")}, "arm base: "},
		"older layout":        {[]record.Arm{arm("base", "/b/bin/llama-bench", "/b/src/libllama.so"), arm("head", "/h/bin/llama-bench", "/b/src/libllama.so")}, "arm head: "},
		"asked for":           {[]record.Arm{base, asks}, ""},
		"one in the other":    {[]record.Arm{arm("base", "/b/bin/llama-bench", "/b/bin/libllama.so"), arm("head", "/b/bin/copy/llama-bench", "/b/bin/copy/libllama.so")}, ""},
		"inner loads outer":   {[]record.Arm{arm("base", "/b/bin/llama-bench", "/b/bin/libllama.so"), arm("head", "/b/bin/copy/llama-bench", "/b/bin/libllama.so")}, "arm head: "},
		"outer loads inner":   {[]record.Arm{arm("base", "/b/bin/llama-bench", "/b/bin/copy/libllama.so"), arm("head", "/b/bin/copy/llama-bench", "/b/bin/copy/libllama.so")}, "arm base: "},
		"elsewhere, nobody's": {[]record.Arm{base, arm("head", "/h/bin/llama-bench", "/usr/lib/libllama.so")}, ""},
	} {
		err := borrowed(test.arms)
		switch {
		case test.want == "" && err != nil, test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

func TestResumeWithRebuiltLibrary(t *testing.T) {
	run := func(sum string) *record.Run {
		return &record.Run{Arms: []record.Arm{{Name: "a", Build: record.Build{SHA256: "1"}, Libraries: []record.Library{{Name: "libllama.so", SHA256: sum}}}}}
	}
	if err := sameSubjects(run("1"), run("1")); err != nil {
		t.Error(err)
	}
	err := sameSubjects(run("1"), run("2"))
	if err == nil || !strings.Contains(err.Error(), "arm a: the build changed: libllama.so is another file than it was") {
		t.Errorf("a rebuilt library: %v", err)
	}
	older := run("1")
	older.Arms[0].Libraries = nil
	if err := sameSubjects(older, run("2")); err != nil {
		t.Errorf("a journal that knows no libraries: %v", err)
	}
}
