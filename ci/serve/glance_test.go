package serve_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/serve"
)

func TestGlance(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dataset")
	for text, want := range map[string]string{
		"[]": "", "\ufeff \n{": "", "": "", // too little is told by who reads it whole
		"version: 1": `begins with "version: 1"`, "\x1f\x8b\x08": "no ShareGPT file",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := serve.Glance(&plan.Plan{Serve: &plan.Serve{DatasetPath: path}})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if err := serve.Glance(&plan.Plan{Serve: &plan.Serve{DatasetPath: t.TempDir()}}); err == nil {
		t.Error("a folder is no dataset")
	}
	if err := serve.Glance(&plan.Plan{}); err != nil {
		t.Errorf("without serving: %v", err)
	}
}
