package load

import (
	"bytes"
	"net/url"
	"strings"
	"testing"
)

// The bodies of a load, all together, may hold as much as the bound and no more.
func TestBodiesAreBounded(t *testing.T) {
	bound := maxBodies
	t.Cleanup(func() { maxBodies = bound })
	prompts := []Prompt{{ID: "a", Text: strings.Repeat("x", 1<<20)}, {ID: "b", Text: strings.Repeat("y", 1<<20)}}
	requests := func() ([]wireRequest, error) {
		return wireRequests(&url.URL{Host: "h"}, prompts, Options{API: Completion, Output: 1})
	}
	reqs, err := requests()
	if err != nil {
		t.Fatal(err)
	}
	maxBodies = 0
	for _, r := range reqs {
		_, body, _ := bytes.Cut(r.bytes, []byte("\r\n\r\n"))
		maxBodies += len(body)
	}
	if _, err := requests(); err != nil {
		t.Errorf("with %d bytes: %v", maxBodies, err)
	}
	maxBodies--
	if _, err := requests(); err == nil || !strings.Contains(err.Error(), "the requests of 2 prompts hold more than 2 MiB") {
		t.Errorf("with a byte less: %v", err)
	}
}
