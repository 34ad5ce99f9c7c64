package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/cmd/internal/cli"
)

// A verdict that is no pass is posted where that is asked for; what goes wrong there
// changes no exit code.
func TestWebHook(t *testing.T) {
	var posted []string
	status := 200
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		posted = append(posted, string(body))
		w.WriteHeader(status)
	}))
	defer srv.Close()
	dir := t.TempDir()
	file := func(name string, speeds string) string {
		path := filepath.Join(dir, name)
		var text strings.Builder
		for _, s := range strings.Fields(speeds) { // tokens a second
			tps, err := strconv.ParseFloat(s, 64)
			if err != nil {
				t.Fatal(err)
			}
			text.WriteString(`{"build_commit":"` + name + `","build_number":6082,"model_filename":"m.gguf","model_type":"llama","n_threads":2,"n_prompt":512,"n_gen":0,"test_time":"2026-11-20T10:00:00Z","samples_ns":[` + strconv.Itoa(int(512e9/tps)) + `],"samples_ts":[` + s + "]}\n")
		}
		if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	fast, slow := file("fast", "1000 1001 999 1002 998 1000"), file("slow", "900 901 899 902 898 900")
	same := file("same", "1001 999 1000 998 1002 1000")
	for _, c := range []struct {
		args      string
		address   string
		status    int
		code      int
		posts     int
		body, err string
	}{
		{"compare " + fast + " " + slow, srv.URL, 200, 1, 0, "", ""},
		{"compare --webhook slack " + fast + " " + slow, srv.URL, 200, 1, 1, `"text":"\u003chttps://github.com/o/r/actions/runs/7|Regression\u003e: 1 regression`, ""},
		{"compare --webhook json " + fast + " " + slow, srv.URL, 200, 1, 1, `"outcome":"regression"`, ""},
		{"compare --webhook json " + fast + " " + same, srv.URL, 200, 0, 0, "", ""},
		{"compare --webhook json --webhook-always " + fast + " " + same, srv.URL, 200, 0, 1, `"outcome":"pass"`, ""},
		{"compare --webhook json " + fast + " " + slow, srv.URL, 404, 1, 1, "", "the web hook was not told: it answers 404"},
		{"compare --webhook teams " + fast + " " + slow, srv.URL, 200, 2, 0, "", "want json, or slack"},
		{"compare --webhook json " + fast + " " + slow, "", 200, 2, 0, "", "put it into LLAMA_REGRESS_WEBHOOK"},
		{"compare --webhook json " + fast + " " + slow, "http://example.com/secret", 200, 2, 0, "", "does not begin with https://"},
		{"compare --webhook-always " + fast + " " + slow, srv.URL, 200, 2, 0, "", "add --webhook slack"},
	} {
		posted, status = nil, c.status
		var out, errs bytes.Buffer
		env := map[string]string{"LLAMA_REGRESS_WEBHOOK": c.address, "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "o/r", "GITHUB_RUN_ID": "7"}
		code := execute(context.Background(), strings.Fields(c.args), cli.Streams{In: strings.NewReader(""), Out: &out, Err: &errs, Getenv: func(name string) string { return env[name] }})
		if code != c.code || len(posted) != c.posts || c.posts > 0 && !strings.Contains(posted[0], c.body) || !strings.Contains(errs.String(), c.err) || strings.Contains(errs.String(), "secret") {
			t.Errorf("%s: exit %d, posted %q, said %q", c.args, code, posted, errs.String())
		}
	}
}
