package provision

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// A member is one file of an archive under test; link makes it a symbolic link.
type member struct {
	name, body, link string
	kind             byte // a tar type, where it is neither file nor link
}

// releaseMembers are laid out as in the archives since the end of 2025.
var releaseMembers = []member{
	{name: "llama-b9999/", kind: tar.TypeDir},
	{name: "llama-b9999/LICENSE", body: "MIT"},
	{name: "llama-b9999/llama-bench", body: benchScript},
	{name: "llama-b9999/llama-server", body: "#!/bin/sh\n"},
	{name: "llama-b9999/libggml-base.so.0", body: "lib"},
	{name: "llama-b9999/libggml-base.so", link: "libggml-base.so.0"},
	{name: "llama-b9999/libggml-cpu-haswell.so", body: "haswell"},
	{name: "llama-b9999/libggml-cpu-x64.so", body: "x64"},
}

func tarGz(t *testing.T, members []member) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, m := range members {
		h := &tar.Header{Name: m.name, Mode: 0o755, Typeflag: tar.TypeReg, Size: int64(len(m.body)), ModTime: time.Unix(0, 0)}
		if m.link != "" {
			h.Typeflag, h.Linkname = tar.TypeSymlink, m.link
		}
		if m.kind != 0 {
			h.Typeflag = m.kind
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, m.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zipped(t *testing.T, members []member) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, m := range members {
		h := &zip.FileHeader{Name: m.name, Method: zip.Deflate}
		h.SetMode(0o755)
		body := m.body
		if m.link != "" {
			h.SetMode(0o777 | fs.ModeSymlink)
			body = m.link
		}
		if m.kind == tar.TypeDir {
			h.SetMode(0o755 | fs.ModeDir)
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(f, body)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func sum(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}

// A releaseServer has files by path, and counts what it was asked.
type releaseServer struct {
	*httptest.Server
	files  map[string][]byte
	asked  []string // "GET /path bytes=0-"
	handle func(w http.ResponseWriter, r *http.Request, body []byte) bool
}

func newReleaseServer(t *testing.T) *releaseServer {
	if _, ok := platforms[runtime.GOOS+"/"+runtime.GOARCH]; !ok {
		t.Skip("the releases have nothing for this platform")
	}
	s := &releaseServer{files: map[string][]byte{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked = append(s.asked, strings.TrimSpace(r.URL.Path+" "+r.Header.Get("Range")))
		body, ok := s.files[r.URL.Path]
		switch {
		case !ok:
			http.NotFound(w, r)
		case s.handle != nil && s.handle(w, r, body):
		default:
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// asset is the name of the archive for this platform.
func asset(ext string) string {
	return "llama-b9999-bin-" + platforms[runtime.GOOS+"/"+runtime.GOARCH] + ext
}

func (s *releaseServer) options(w world) (Options, func() string) {
	o, log := w.options()
	o.Release, o.ReleaseURL, o.ReleaseAPI = "b9999", s.URL+"/dl/", s.URL+"/api"
	return o, log
}

func TestRelease(t *testing.T) {
	targz, zip := tarGz(t, releaseMembers), zipped(t, releaseMembers)
	published := func(name, digest string) []byte {
		return fmt.Appendf(nil, `{"tag_name":"b9999","assets":[{"name":"other.zip","digest":null},{"name":%q,"digest":%q}]}`, name, digest)
	}
	tests := map[string]struct {
		files map[string][]byte
		sha   string
		want  string // what the error says
	}{
		"tar.gz with checksum":   {map[string][]byte{"/dl/b9999/" + asset(".tar.gz"): targz}, strings.ToUpper(sum(targz)), ""},
		"an older zip":           {map[string][]byte{"/dl/b9999/" + asset(".zip"): zip}, sum(zip), ""},
		"published checksum":     {map[string][]byte{"/dl/b9999/" + asset(".tar.gz"): targz, "/api/b9999": published(asset(".tar.gz"), "sha256:"+sum(targz))}, "", ""},
		"published, older":       {map[string][]byte{"/dl/b9999/" + asset(".zip"): zip, "/api/b9999": published(asset(".zip"), "sha256:"+sum(zip))}, "", ""},
		"wrong checksum":         {map[string][]byte{"/dl/b9999/" + asset(".tar.gz"): targz}, sum([]byte("x")), "is not the file expected, and was thrown away"},
		"published is wrong":     {map[string][]byte{"/dl/b9999/" + asset(".tar.gz"): targz, "/api/b9999": published(asset(".tar.gz"), "sha256:"+sum(zip))}, "", "is not the file expected"},
		"published without":      {map[string][]byte{"/api/b9999": published(asset(".tar.gz"), "")}, "", "is published without a SHA-256"},
		"published in part":      {map[string][]byte{"/api/b9999": published(asset(".tar.gz"), "sha256:abc")}, "", "is published without a SHA-256"},
		"published as something": {map[string][]byte{"/api/b9999": published(asset(".tar.gz"), "md5:abc")}, "", "is published without a SHA-256"},
		"not for this platform":  {map[string][]byte{"/api/b9999": published("llama-b9999-bin-win-cpu-x64.zip", "sha256:"+sum(zip))}, "", "release b9999 has no " + asset(".tar.gz") + " or " + asset(".zip")},
		"no such release":        {nil, sum(zip), "no such file on the server: "},
		"no such release at all": {nil, "", "404 Not Found; give the checksum with --sha256"},
		"not JSON":               {map[string][]byte{"/api/b9999": []byte("<html>")}, "", "/api/b9999: invalid character"},
		"no archive":             {map[string][]byte{"/dl/b9999/" + asset(".tar.gz"): []byte("hello")}, sum([]byte("hello")), "unpack " + asset(".tar.gz")},
		"holds no llama-bench":   {map[string][]byte{"/dl/b9999/" + asset(".tar.gz"): tarGz(t, releaseMembers[:2])}, sum(tarGz(t, releaseMembers[:2])), "no llama-bench in what was unpacked"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w, s := newWorld(t), newReleaseServer(t)
			s.files = tt.files
			o, _ := s.options(w)
			o.SHA256 = tt.sha
			l, err := Find(t.Context(), o)
			if calls := w.calls(""); len(calls) > 0 {
				t.Errorf("apt was asked: %q", calls)
			}
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got %v, want %q", err, tt.want)
				}
				if made, _ := filepath.Glob(w.path("cache/llama.cpp/release-*")); len(made) > 0 {
					t.Errorf("an entry was made: %v", made)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if l.Source != SourceRelease || l.Version != "b9999" || l.Backend != "haswell" || len(l.Backends()) != 2 {
				t.Errorf("got %+v", l)
			}
			before := len(s.asked)
			o.Offline = true
			if again, err := Find(t.Context(), o); err != nil || again.Dir != l.Dir || len(s.asked) != before {
				t.Errorf("a warm cache: %v, %v, and asked %q", again, err, s.asked[before:])
			}
			o.SHA256 = sum([]byte("another archive"))
			if _, err := Find(t.Context(), o); err == nil {
				t.Error("an entry with another checksum was taken")
			}
		})
	}
}

// A download that breaks off goes on from where it was, also in a later call.
func TestReleaseResumes(t *testing.T) {
	w, s := newWorld(t), newReleaseServer(t)
	body := tarGz(t, releaseMembers)
	s.files["/dl/b9999/"+asset(".tar.gz")] = body
	s.handle = func(w http.ResponseWriter, r *http.Request, body []byte) bool {
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.Write(body[:100]) // then the connection ends, short of what was announced
		return true
	}
	o, log := s.options(w)
	o.SHA256 = sum(body)
	if _, err := Find(t.Context(), o); err == nil || !strings.Contains(err.Error(), "after 0.0 MB: unexpected EOF") {
		t.Fatalf("the broken download: %v", err)
	}
	s.handle = nil
	if _, err := Find(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	path := "/dl/b9999/" + asset(".tar.gz")
	if want := []string{path + " bytes=0-", path + " bytes=100-"}; !slices.Equal(s.asked, want) {
		t.Errorf("asked %q, want %q", s.asked, want)
	}
	if !strings.Contains(log(), "going on with") {
		t.Errorf("log:\n%s", log())
	}
	if left, _ := filepath.Glob(w.path("cache/downloads/*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// What an earlier call left may be anything; the checksum decides.
func TestReleaseOddParts(t *testing.T) {
	body := tarGz(t, releaseMembers)
	ignoreRange := func(w http.ResponseWriter, r *http.Request, body []byte) bool {
		w.Write(body)
		return true
	}
	tests := map[string]struct {
		part, whole []byte
		handle      func(http.ResponseWriter, *http.Request, []byte) bool
		requests    int
	}{
		"a wrong start":           {part: []byte("nonsense"), requests: 2},
		"all of it":               {part: body, requests: 1},
		"more than all":           {part: append(slices.Clone(body), "more"...), requests: 2},
		"ranges are not known":    {part: body[:200], handle: ignoreRange, requests: 1},
		"complete, not unpacked":  {whole: body, requests: 0},
		"complete, but corrupted": {whole: body[:len(body)-1], requests: 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w, s := newWorld(t), newReleaseServer(t)
			s.files["/dl/b9999/"+asset(".tar.gz")], s.handle = body, tt.handle
			if tt.part != nil {
				w.write("cache/downloads/"+asset(".tar.gz")+".part", string(tt.part))
			}
			if tt.whole != nil {
				w.write("cache/downloads/"+asset(".tar.gz"), string(tt.whole))
			}
			o, log := s.options(w)
			o.SHA256 = sum(body)
			if _, err := Find(t.Context(), o); err != nil {
				t.Fatalf("%v\n%s", err, log())
			}
			if len(s.asked) != tt.requests {
				t.Errorf("asked %q, want %d requests", s.asked, tt.requests)
			}
		})
	}
}

func TestReleaseRefusals(t *testing.T) {
	tests := map[string]struct {
		handle func(http.ResponseWriter, *http.Request, []byte) bool
		want   string
	}{
		"too large": {func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
			w.Header().Set("Content-Length", fmt.Sprint(maxArchive+1))
			w.WriteHeader(http.StatusOK)
			return true
		}, "larger than"},
		"another range": {func(w http.ResponseWriter, r *http.Request, body []byte) bool {
			w.Header().Set("Content-Range", "bytes 5-9/10")
			w.WriteHeader(http.StatusPartialContent)
			return true
		}, `asked for bytes from 0, got "bytes 5-9/10"`},
		"server error": {func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
			http.Error(w, "no", http.StatusServiceUnavailable)
			return true
		}, "503 Service Unavailable"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w, s := newWorld(t), newReleaseServer(t)
			s.files["/dl/b9999/"+asset(".tar.gz")], s.handle = []byte("x"), tt.handle
			o, _ := s.options(w)
			o.SHA256 = sum([]byte("x"))
			if _, err := Find(t.Context(), o); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// The backends move out of the programs' folder, or ggml would choose itself.
func TestReleaseBackendsApart(t *testing.T) {
	w, s := newWorld(t), newReleaseServer(t)
	body := tarGz(t, releaseMembers)
	s.files["/dl/b9999/"+asset(".tar.gz")] = body
	o, _ := s.options(w)
	o.SHA256 = sum(body)
	l, err := Find(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	entry := filepath.Dir(filepath.Dir(l.Dir))
	if left, _ := filepath.Glob(filepath.Join(entry, filesDir, "*", "libggml-cpu-*")); len(left) > 0 {
		t.Errorf("still beside the programs: %v", left)
	}
	for _, b := range l.Backends() {
		if data, err := os.ReadFile(b.Path); err != nil || string(data) != b.Name {
			t.Errorf("%s: %q, %v", b.Path, data, err)
		}
	}
}
