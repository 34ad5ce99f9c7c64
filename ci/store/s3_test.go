package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// few is how often requests are tried here: with ten, waits add up.
var few = Options{Retries: 4}

// cut ends the connection without an answer.
func cut(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		conn.Close()
	}
}

// Faults that pass are survived: nothing is lost, nothing stored twice.
func TestS3PassingFaults(t *testing.T) {
	t.Parallel()
	answer := func(status int, code string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { s3Fault(w, status, code) }
	}
	for name, fault := range map[string]func(http.ResponseWriter){
		"throttled":  answer(http.StatusServiceUnavailable, "SlowDown"),
		"too many":   answer(http.StatusTooManyRequests, "TooManyRequests"),
		"internal":   answer(http.StatusInternalServerError, "InternalError"),
		"gateway":    func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) },
		"cut":        cut,
		"lost after": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFakeS3(t)
			var n atomic.Int32
			f.set(&f.fault, func(w http.ResponseWriter, r *http.Request) bool {
				if fault == nil || n.Add(1)%3 == 0 { // two faults, then an answer
					return false
				}
				fault(w)
				return true
			})
			f.set(&f.after, func(w http.ResponseWriter, r *http.Request) bool {
				if fault != nil || r.Method != http.MethodPut || n.Add(1) > 1 {
					return false
				}
				cut(w) // the object is there, its writer does not know
				return true
			})
			s := f.open(t, few)
			run := testRun(night, 1, 1)
			receipt, err := Record(context.Background(), s, run, RecordOptions{Now: night})
			if err != nil || receipt.Was {
				t.Fatalf("%+v, %v", receipt, err)
			}
			if f.puts != 1 {
				t.Errorf("%d objects were written", f.puts)
			}
			c := load(t, s, LoadOptions{})
			if len(c.Sessions) != 1 || c.Sessions[0].Key.String() != receipt.Key || len(c.Faults) > 0 {
				t.Errorf("%+v", c)
			}
			if n.Load() < 2 {
				t.Error("there was no fault: the test tests nothing")
			}
		})
	}
}

// An object of more than one part would be written without a condition: it stays
// one request, at which the server fails the test where it has none.
func TestS3LargeObjectIsOneWrite(t *testing.T) {
	t.Parallel()
	f := newFakeS3(t)
	s := f.open(t, few)
	data := bytes.Repeat([]byte("0123456789abcdef"), 20<<20/16)
	const key = "runs/m/large.json"
	if err := s.Put(context.Background(), key, data); err != nil {
		t.Fatal(err)
	}
	if f.puts != 1 || !bytes.Equal(f.objects["perf/data/"+key], data) {
		t.Errorf("%d writes, and %d of %d bytes are there", f.puts, len(f.objects["perf/data/"+key]), len(data))
	}
	if err := s.Put(context.Background(), key, data[1:]); !errors.Is(err, ErrExists) {
		t.Errorf("a second writer: %v", err)
	}
}

// Faults that last are errors that name the store, the key and the next step.
func TestS3LastingFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault func(w http.ResponseWriter, r *http.Request) bool
		want  string
	}{
		"throttled": {func(w http.ResponseWriter, _ *http.Request) bool { s3Fault(w, 503, "SlowDown"); return true }, "busy, try again later"},
		"internal":  {func(w http.ResponseWriter, _ *http.Request) bool { s3Fault(w, 500, "InternalError"); return true }, "HTTP 500"},
		"forbidden": {func(w http.ResponseWriter, _ *http.Request) bool { s3Fault(w, 403, "AccessDenied"); return true }, "see AWS_ACCESS_KEY_ID"},
		"no bucket": {func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodHead {
				w.WriteHeader(http.StatusNotFound) // which cannot say what of
			} else {
				s3Fault(w, 404, "NoSuchBucket")
			}
			return true
		}, "make the bucket bench first"},
		"cut": {func(w http.ResponseWriter, _ *http.Request) bool { cut(w); return true }, "http://127.0.0.1"},
		"stalled": {func(_ http.ResponseWriter, r *http.Request) bool {
			<-r.Context().Done()
			return true
		}, "no answer within 300ms"},
		"no S3": {func(w http.ResponseWriter, _ *http.Request) bool { fmt.Fprint(w, "<html>\x1b[2Jlogin"); return true }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFakeS3(t)
			f.set(&f.fault, c.fault)
			o := Options{Retries: 2}
			if name == "stalled" {
				o.Timeout = 300 * time.Millisecond
			}
			s := f.open(t, o)
			run := testRun(night, 1, 1)
			ctx := context.Background()
			_, listErr := s.List(ctx, "")
			_, getErr := Fetch(ctx, s, KeyOf(run, "", 1).String())
			putErr := s.Put(ctx, "runs/x.json", nil)
			_, recordErr := Record(ctx, s, run, RecordOptions{Now: night})
			_, loadErr := Load(ctx, s, LoadOptions{})
			for i, err := range []error{listErr, getErr, putErr, recordErr, loadErr} {
				if name == "no S3" && i == 1 && err == nil {
					t.Error("a page was read as a record")
				}
				wantError(t, err, c.want)
				if strings.Contains(err.Error(), "\x1b") {
					t.Errorf("%q cannot be printed", err)
				}
			}
			wantError(t, putErr, s.String())
			wantError(t, getErr, run.ID[:8])
			if len(f.objects) > 0 {
				t.Error("something was stored")
			}
		})
	}
}

// Of a history that cannot be read to its end nothing is used.
func TestS3HalfAHistory(t *testing.T) {
	t.Parallel()
	f := newFakeS3(t)
	s := f.open(t, Options{Retries: 1})
	for i := range 5 { // two pages
		keep(t, s, testRun(night.AddDate(0, 0, i), 1, 1))
	}
	for name, fault := range map[string]func(r *http.Request) bool{
		"second page": func(r *http.Request) bool { return r.URL.Query().Get("continuation-token") != "" },
		"one record":  func(r *http.Request) bool { return strings.Contains(r.URL.Path, "20260311") },
	} {
		f.set(&f.fault, func(w http.ResponseWriter, r *http.Request) bool {
			if fault(r) {
				s3Fault(w, http.StatusInternalServerError, "InternalError")
				return true
			}
			return false
		})
		c, err := Load(context.Background(), s, LoadOptions{})
		if c != nil {
			t.Errorf("%s: loaded %d sessions", name, len(c.Sessions))
		}
		wantError(t, err, "HTTP 500")
	}
	// A body that ends early is no shorter record.
	f.set(&f.fault, func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, ".json") {
			return false
		}
		w.Header().Set("Content-Length", "1000")
		w.Header().Set("ETag", `"x"`)
		w.Header().Set("Last-Modified", "Mon, 09 Mar 2026 21:15:00 GMT")
		w.Write([]byte("{"))
		return true
	})
	_, err := Load(context.Background(), s, LoadOptions{})
	wantError(t, err, "EOF")
	// A record that is pruned while we read is not there, and that is all.
	f.set(&f.fault, func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "20260311") {
			s3Fault(w, http.StatusNotFound, "NoSuchKey")
			return true
		}
		return false
	})
	if c := load(t, s, LoadOptions{}); len(c.Sessions) != 4 || len(c.Faults) > 0 {
		t.Errorf("%d sessions, faults %v", len(c.Sessions), c.Faults)
	}
}

// Two writers of one key at the same moment: the server tells one of them that
// the other is at it, and the other fails.
func TestS3WriterWhoFails(t *testing.T) {
	t.Parallel()
	f := newFakeS3(t)
	var n atomic.Int32
	f.set(&f.fault, func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut && n.Add(1) == 1 {
			s3Fault(w, http.StatusConflict, "ConditionalRequestConflict")
			return true
		}
		return false
	})
	put(t, f.open(t, few), "runs/x.json", "mine")
	if f.puts != 1 {
		t.Errorf("%d objects were written", f.puts)
	}
}

func TestS3References(t *testing.T) {
	t.Parallel()
	for ref, want := range map[string]string{
		"s3://":                                    "want s3://BUCKET/PREFIX",
		"s3:bucket":                                "want dir:PATH",
		"s3://id:secret@bucket/x":                  "without credentials",
		"s3://bench/x?endpoint=ftp://h":            "want https://HOST",
		"s3://bench/x?endpoint=https://":           "want https://HOST",
		"s3://bench/x?acl=public":                  `unknown setting "acl"`,
		"s3://bench/x?endpoint=http://u@h/":        "want https://HOST",
		"s3://bench/x?key=secret":                  "unknown setting",
		"s3://bench/x?endpoint=http://u:secret@h/": "want https://HOST",
		"s3://b\x1b[2J/x":                          "store",
	} {
		_, err := Open(ref, Options{Getenv: s3Env})
		wantError(t, err, want)
		if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%q is not fit for a log", err)
		}
	}
	env := func(name string) string {
		if name == "AWS_ENDPOINT_URL" {
			return "http://127.0.0.1:1"
		}
		return s3Env(name)
	}
	s := open(t, "s3://bench", Options{Getenv: env, Retries: 1})
	_, err := s.List(context.Background(), "")
	wantError(t, err, "s3://bench: list", "127.0.0.1:1")
}
