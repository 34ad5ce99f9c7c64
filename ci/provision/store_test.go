package provision

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A damaged entry is noticed, told of, and replaced.
func TestDamagedEntry(t *testing.T) {
	edit := func(change func(*manifest)) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			e, err := readEntry(dir)
			if err != nil {
				t.Fatal(err)
			}
			change(&e.manifest)
			data, err := json.Marshal(e.manifest)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, manifestName), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	tests := map[string]struct {
		damage func(t *testing.T, dir string)
		want   string
	}{
		"truncated file": {func(t *testing.T, dir string) {
			os.Truncate(filepath.Join(dir, "files/usr/bin/llama-server"), 3)
		}, "llama-server: has 3 bytes"},
		"missing file":     {func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, "bin/x64/llama-bench")) }, "bin/x64/llama-bench: no such file"},
		"broken manifest":  {func(t *testing.T, dir string) { os.Truncate(filepath.Join(dir, manifestName), 40) }, manifestName},
		"another schema":   {edit(func(m *manifest) { m.Schema = "llama-regress/provision/v9" }), `schema "llama-regress/provision/v9"`},
		"no files":         {edit(func(m *manifest) { m.Files = nil }), "lists no files"},
		"a path that goes": {edit(func(m *manifest) { m.Files[0].Path = "../../../a" }), "leaves the entry"},
		"another machine":  {edit(func(m *manifest) { m.Arch = "z80" }), ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			l, _ := w.find(t, nil)
			tt.damage(t, filepath.Dir(filepath.Dir(l.Dir)))

			o, _ := w.options()
			o.Offline = true
			if _, err := Find(t.Context(), o); err == nil {
				t.Error("offline, the entry was taken all the same")
			} else if !strings.Contains(err.Error(), "told to stay offline") {
				t.Errorf("offline: %v", err)
			}
			again, log := w.find(t, nil)
			if !strings.Contains(log, tt.want) {
				t.Errorf("log does not say %q:\n%s", tt.want, log)
			}
			if len(w.calls("--download-only")) != 2 {
				t.Error("it was not fetched anew")
			}
			if again.Dir != l.Dir {
				t.Errorf("the same packages now lie in %s, before in %s", again.Dir, l.Dir)
			}
		})
	}
}

// Of several entries the latest counts, and a refresh leaves the earlier alone.
func TestNewestEntry(t *testing.T) {
	w := newWorld(t)
	s := store{w.path("cache/llama.cpp")}
	for _, version := range []string{"b", "c", "a"} { // not in the order of names
		dir, err := s.begin()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := s.publish(dir, version, manifest{Version: version}); err != nil {
			t.Fatal(err)
		}
	}
	e, err := s.newest(func(manifest) bool { return true })
	if err != nil || e.Version != "a" {
		t.Errorf("got %+v, %v; want the one made last", e, err)
	}
	e, err = s.newest(func(m manifest) bool { return m.Version != "a" })
	if err != nil || e.Version != "c" {
		t.Errorf("got %+v, %v; want the last of the others", e, err)
	}
}

// The manifest says what was fetched, from where, and what it was.
func TestManifest(t *testing.T) {
	w := newWorld(t)
	l, _ := w.find(t, nil)
	e, err := readEntry(filepath.Dir(filepath.Dir(l.Dir)))
	if err != nil {
		t.Fatal(err)
	}
	if e.Origin != "http://mirror.example/debian sid" || e.Source != SourceApt || len(e.Fetched) != len(fakePackages) {
		t.Errorf("origin %q, source %q, %d fetched", e.Origin, e.Source, len(e.Fetched))
	}
	for _, f := range e.Fetched {
		body, sum := fakeDeb(fakePackages[strings.ReplaceAll(f.Name+"_"+f.Version, ":", "%3a")+"_amd64.deb"])
		if f.SHA256 != sum || f.Size != int64(len(body)) {
			t.Errorf("%s %s: %d bytes, SHA-256 %s; want %d, %s", f.Name, f.Version, f.Size, f.SHA256, len(body), sum)
		}
	}
}
