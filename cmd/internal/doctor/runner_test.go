package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/host"
)

func TestExposure(t *testing.T) {
	const (
		repository   = `{"agentName": "bench-01", "poolName": "Default", "gitHubUrl": "https://github.com/o/llama.cpp", "ephemeral": true}`
		organization = "\xef\xbb\xbf" + `{"agentName": "bench-01", "poolName": "Default", "gitHubUrl": "https://github.com/o"}`
		grouped      = `{"agentName": "bench-01", "poolName": "measuring", "gitHubUrl": "https://github.com/o/"}`
	)
	for name, c := range map[string]struct {
		settings string
		runner   runner
		file     string // in its home
		worst    host.Severity
		says     []string
	}{
		"a repository's": {repository, runner{uid: "1000"}, "", host.Fine,
			[]string{"github.com/o/llama.cpp that ask for its labels", "no label keeps a fork out", "require approval for all external contributors", "one job at a time"}},
		"the default group": {organization, runner{uid: "1000"}, "", host.Soft, []string{"every repository it is open to", "a group of its own", "what one job leaves behind"}},
		"a group":           {grouped, runner{uid: "1000"}, "", host.Soft, []string{`the group "measuring" of github.com/o:`, "selected workflows"}},
		"root":              {repository, runner{uid: "0"}, "", host.Hard, []string{"it runs as root"}},
		"docker":            {repository, runner{uid: "1000", groups: []string{"users", "docker"}}, "", host.Hard, []string{"in the group docker"}},
		"sudo":              {repository, runner{uid: "1000", sudo: "(root) NOPASSWD: llama-regress hold-scheduler"}, "", host.Hard, []string{"sudo without a password: (root) NOPASSWD: llama-regress hold-scheduler", "also for hold-scheduler"}},
		"keys":              {repository, runner{uid: "1000"}, ".ssh/id_ed25519", host.Hard, []string{filepath.FromSlash("in its home: .ssh/id_ed25519")}},
		"a public key":      {repository, runner{uid: "1000"}, ".ssh/id_ed25519.pub", host.Fine, []string{"none where programs keep them"}},
		"metadata":          {repository, runner{uid: "1000", metadata: true}, "", host.Hard, []string{"169.254.169.254 answers"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := c.runner
			r.dir, r.home = t.TempDir(), t.TempDir()
			if err := os.WriteFile(filepath.Join(r.dir, ".runner"), []byte(c.settings), 0o600); err != nil {
				t.Fatal(err)
			}
			if c.file != "" {
				path := filepath.Join(r.home, filepath.FromSlash(c.file))
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			found, err := r.exposure()
			if err != nil {
				t.Fatal(err)
			}
			var all strings.Builder
			for _, f := range found {
				all.WriteString(f.Found + "\n" + f.Why + "\n" + f.Change + "\n")
				if (f.Why == "") != (f.Severity == host.Fine || f.Severity == host.Unknown) {
					t.Errorf("%s: a reason for what is wrong, and for nothing else: %+v", f.Check, f)
				}
			}
			if worst := host.Worst(found); worst != c.worst {
				t.Errorf("%v, want %v\n%s", worst, c.worst, &all)
			}
			for _, want := range c.says {
				if !strings.Contains(all.String(), want) {
					t.Errorf("%q is missing in\n%s", want, &all)
				}
			}
		})
	}
	if _, err := (runner{dir: t.TempDir()}).exposure(); err == nil || !strings.Contains(err.Error(), "config.sh") {
		t.Errorf("a folder without a runner: %v", err)
	}
}
