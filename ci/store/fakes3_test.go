package store

import (
	"bufio"
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeS3 speaks as much S3 as a store needs: one bucket, objects, listings in
// pages, conditional writes. It fails the test on requests that no store has a
// reason to make, such as an unconditional write.
type fakeS3 struct {
	*httptest.Server
	t *testing.T

	mu      sync.Mutex
	objects map[string][]byte
	puts    int // that changed something

	// fault may answer a request itself and returns whether it did.
	fault s3Spoiler
	// after may spoil the answer to a request that was carried out.
	after s3Spoiler
}

type s3Spoiler func(w http.ResponseWriter, r *http.Request) bool

// set changes the fault of a server, which may still be at a request that its
// client has given up.
func (f *fakeS3) set(which *s3Spoiler, what s3Spoiler) {
	f.mu.Lock()
	defer f.mu.Unlock()
	*which = what
}

func newFakeS3(t *testing.T) *fakeS3 {
	f := &fakeS3{t: t, objects: make(map[string][]byte)}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *fakeS3) ref(prefix string) string { return "s3://bench" + prefix + "?endpoint=" + f.URL }

func (f *fakeS3) open(t *testing.T, o Options) Store {
	o.Getenv = s3Env
	s, err := Open(f.ref("/perf/data"), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func s3Env(name string) string {
	return map[string]string{"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret"}[name]
}

func (f *fakeS3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=id/") {
		f.t.Errorf("%s %s is not signed", r.Method, r.URL)
	}
	f.mu.Lock()
	fault, after := f.fault, f.after
	f.mu.Unlock()
	if fault != nil && fault(w, r) {
		return
	}
	answer := httptest.NewRecorder()
	f.answer(answer, r)
	if after != nil && after(w, r) {
		return
	}
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	w.Write(answer.Body.Bytes())
}

func (f *fakeS3) answer(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if bucket != "bench" {
		s3Fault(w, http.StatusNotFound, "NoSuchBucket")
		return
	}
	data, there := f.objects[key]
	switch {
	case r.Method == http.MethodGet && key == "":
		f.list(w, r)
	case (r.Method == http.MethodGet || r.Method == http.MethodHead) && !there:
		s3Fault(w, http.StatusNotFound, "NoSuchKey")
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		w.Header().Set("ETag", etag(data))
		w.Header().Set("Last-Modified", time.Unix(1e9, 0).UTC().Format(http.TimeFormat))
		w.Header().Set("Content-Length", strconv.Itoa(len(data)))
		if r.Method == http.MethodGet {
			w.Write(data)
		}
	case r.Method == http.MethodPut:
		if r.Header.Get("If-None-Match") != "*" {
			f.t.Errorf("PUT %s without a condition", key)
		}
		body, err := io.ReadAll(r.Body)
		if strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
			body, err = unchunk(body)
		}
		switch {
		case err != nil:
			s3Fault(w, http.StatusBadRequest, "IncompleteBody")
		case there:
			s3Fault(w, http.StatusPreconditionFailed, "PreconditionFailed")
		default:
			f.objects[key] = body
			f.puts++
			w.Header().Set("ETag", etag(body))
		}
	case r.Method == http.MethodDelete:
		delete(f.objects, key)
		w.WriteHeader(http.StatusNoContent)
	default:
		f.t.Errorf("unexpected %s %s", r.Method, r.URL)
	}
}

// list answers in pages of three.
func (f *fakeS3) list(w http.ResponseWriter, r *http.Request) {
	type content struct {
		Key, ETag, LastModified string
		Size                    int
	}
	var page struct {
		XMLName               xml.Name `xml:"ListBucketResult"`
		IsTruncated           bool
		NextContinuationToken string `xml:",omitempty"`
		Contents              []content
	}
	var keys []string
	for key := range f.objects {
		if strings.HasPrefix(key, r.URL.Query().Get("prefix")) && key > r.URL.Query().Get("continuation-token") {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	if len(keys) > 3 {
		keys = keys[:3]
		page.IsTruncated, page.NextContinuationToken = true, keys[2]
	}
	for _, key := range keys {
		page.Contents = append(page.Contents, content{key, etag(f.objects[key]), "2026-03-09T21:15:00.000Z", len(f.objects[key])})
	}
	w.Header().Set("Content-Type", "application/xml")
	xml.NewEncoder(w).Encode(page)
}

func s3Fault(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, `<?xml version="1.0"?><Error><Code>%s</Code><Message>as the test wants it</Message></Error>`, code)
}

func etag(data []byte) string {
	sum := md5.Sum(data)
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

// unchunk takes apart a body in the chunks of AWS's streaming signature.
func unchunk(body []byte) ([]byte, error) {
	var data []byte
	for r := bufio.NewReader(bytes.NewReader(body)); ; {
		line, err := r.ReadString('\n')
		if err != nil {
			return nil, err
		}
		text, _, _ := strings.Cut(strings.TrimSpace(line), ";")
		n, err := strconv.ParseInt(text, 16, 32)
		if err != nil || n == 0 {
			return data, err
		}
		chunk := make([]byte, n+2) // and CR LF
		if _, err := io.ReadFull(r, chunk); err != nil {
			return nil, err
		}
		data = append(data, chunk[:n]...)
	}
}
