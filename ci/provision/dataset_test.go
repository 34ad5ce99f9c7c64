package provision

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A datasetServer serves one file in the way of handle, and lists what it was
// asked.
type datasetServer struct {
	*httptest.Server
	asked []string
}

func newDatasetServer(t *testing.T, handle http.HandlerFunc) *datasetServer {
	s := &datasetServer{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked = append(s.asked, r.URL.Path+" "+r.Header.Get("Range"))
		handle(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func serving(body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	}
}

// cut sends half of the file under the length of all of it, then closes the
// connection.
func cut(body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.Write(body[:len(body)/2])
	}
}

func content(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return string(data)
}

func TestFetchDataset(t *testing.T) {
	body := []byte(strings.Repeat(`{"prompt":"q","response":"a"}`+"\n", 1000))
	s := newDatasetServer(t, serving(body))
	log := &safeLog{}
	d := Dataset{URL: s.URL + "/set/v1/sharegpt.json?download=true", SHA256: strings.ToUpper(sum(body)), CacheDir: t.TempDir(), Log: log.add, step: 10_000}
	for range 2 { // the second time it is there
		path, err := FetchDataset(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		if want := filepath.Join(d.CacheDir, "datasets", sum(body)[:12]+"-sharegpt.json"); path != want || content(t, path) != string(body) {
			t.Errorf("path %s, want %s; %d bytes", path, want, len(content(t, path)))
		}
	}
	if len(s.asked) != 1 {
		t.Errorf("asked %q", s.asked)
	}
	for _, want := range []string{"dataset: downloading " + s.URL, " of 0.0 MB", "is there, with the right checksum"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("log lacks %q:\n%s", want, log)
		}
	}
	d.Offline = true
	if _, err := FetchDataset(t.Context(), d); err != nil {
		t.Errorf("offline, with the file there: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(d.CacheDir, "datasets", "*")); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

// What the server does wrong is told, and never becomes the dataset.
func TestFetchDatasetFaults(t *testing.T) {
	body := []byte(strings.Repeat("0123456789", 5000))
	tests := map[string]struct {
		handle http.HandlerFunc
		want   string // what the error says
		part   int    // bytes kept for the next call
		hint   bool
	}{
		"wrong sum": {handle: serving([]byte("other")), want: "is not the file expected, and was thrown away"},
		"not found": {handle: http.NotFound, want: "not found"},
		"server error": {handle: func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "no", http.StatusInternalServerError)
		}, want: "500 Internal Server Error"},
		"cut connection": {handle: cut(body), want: "unexpected EOF", part: 25_000, hint: true},
		"length too small": {handle: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100")
			w.Write(body[:100])
		}, want: "is not the file expected"},
		"length too large to keep": {handle: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(maxDataset+1))
			w.WriteHeader(http.StatusOK)
		}, want: "larger than"},
		"redirects for ever": {handle: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path+"x", http.StatusFound)
		}, want: "stopped after 10 redirects"},
		"redirect to a file": {handle: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "file:///a/b", http.StatusFound)
		}, want: "unsupported protocol scheme"},
		"web page": {handle: func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, "<html>please log in</html>")
		}, want: "is not the file expected"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newDatasetServer(t, tt.handle)
			out := filepath.Join(t.TempDir(), "new", "set.json")
			_, err := FetchDataset(t.Context(), Dataset{URL: s.URL + "/set.json", SHA256: sum(body), Out: out})
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "dataset: ") {
				t.Fatalf("error %v, want %q", err, tt.want)
			}
			if hint := strings.Contains(err.Error(), "run it again to go on from there"); hint != tt.hint {
				t.Errorf("error %v: hint %v, want %v", err, hint, tt.hint)
			}
			if content(t, out) != "" || len(content(t, out+".part")) != tt.part {
				t.Errorf("kept %d bytes as the file and %d for the next call", len(content(t, out)), len(content(t, out+".part")))
			}
		})
	}
}

// A broken download goes on where it stopped, through a redirect as well.
func TestFetchDatasetResumes(t *testing.T) {
	body := []byte(strings.Repeat("0123456789", 5000))
	broken := true
	s := newDatasetServer(t, nil)
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked = append(s.asked, r.URL.Path+" "+r.Header.Get("Range"))
		switch {
		case r.URL.Path == "/set.json":
			http.Redirect(w, r, "/cdn/abc", http.StatusFound)
		case broken:
			cut(body)(w, r)
		default:
			serving(body)(w, r)
		}
	})
	d := Dataset{URL: s.URL + "/set.json", SHA256: sum(body), Out: filepath.Join(t.TempDir(), "set.json")}
	if _, err := FetchDataset(t.Context(), d); err == nil {
		t.Fatal("a broken download succeeded")
	}
	broken = false
	path, err := FetchDataset(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	if path != d.Out || content(t, path) != string(body) || s.asked[3] != "/cdn/abc bytes=25000-" {
		t.Errorf("path %s, %d bytes, asked %q", path, len(content(t, path)), s.asked)
	}
}

// The user's own file is only replaced by force, one in the cache always.
func TestFetchDatasetOverAnother(t *testing.T) {
	body := []byte("[]")
	s := newDatasetServer(t, serving(body))
	out := filepath.Join(t.TempDir(), "set.json")
	d := Dataset{URL: s.URL + "/set.json", SHA256: sum(body), Out: out}
	if err := os.WriteFile(out, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := FetchDataset(t.Context(), d); err == nil || !strings.Contains(err.Error(), "--force") || content(t, out) != "mine" {
		t.Errorf("error %v, content %q", err, content(t, out))
	}
	d.Force = true
	if _, err := FetchDataset(t.Context(), d); err != nil || content(t, out) != "[]" {
		t.Errorf("with force: %v, content %q", err, content(t, out))
	}
	d = Dataset{URL: s.URL + "/a b.json", SHA256: sum(body), CacheDir: t.TempDir()}
	path := filepath.Join(d.CacheDir, "datasets", sum(body)[:12]+"-dataset")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("damaged"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err := FetchDataset(t.Context(), d); err != nil || got != path || content(t, path) != "[]" {
		t.Errorf("in the cache: %v, %s, content %q", err, got, content(t, path))
	}
}

func TestFetchDatasetMistakes(t *testing.T) {
	hex := sum(nil)
	for want, d := range map[string]Dataset{
		"no checksum is given for http://x/y": {URL: "http://x/y"},
		"give the address too":                {SHA256: hex},
		`"abc" is not a SHA-256`:              {URL: "http://x/y", SHA256: "abc"},
		`"ftp://x/y" is no address of a file`: {URL: "ftp://x/y", SHA256: hex},
		`"/x/y" is no address of a file`:      {URL: "/x/y", SHA256: hex},
		`"http:///y" is no address of a file`: {URL: "http:///y", SHA256: hex},
		"the network is not to be used":       {Offline: true},
		"no such file or directory; it would": {Offline: true, Out: "missing.json"},
	} {
		d.CacheDir = t.TempDir()
		if _, err := FetchDataset(t.Context(), d); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want %q", d, err, want)
		}
	}
}

// A download that is stopped says by what, and keeps what it has.
func TestFetchDatasetStopped(t *testing.T) {
	body := []byte(strings.Repeat("0123456789", 5000))
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("stopped by the user")
	s := newDatasetServer(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.Write(body[:20_000])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	d := Dataset{URL: s.URL + "/set.json", SHA256: sum(body), Out: filepath.Join(t.TempDir(), "set.json"), step: 20_000}
	d.Log = func(line string) {
		if strings.HasSuffix(line, "MB") && !strings.Contains(line, "downloading") {
			cancel(stop)
		}
	}
	if _, err := FetchDataset(ctx, d); !errors.Is(err, stop) {
		t.Errorf("error %v", err)
	}
	if n := len(content(t, d.Out+".part")); n != 20_000 || content(t, d.Out) != "" {
		t.Errorf("kept %d bytes", n)
	}
}
