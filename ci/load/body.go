package load

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
)

// routes are the paths of the APIs.
var routes = map[API]string{
	Completion:  "/completion",
	Completions: "/v1/completions",
	Chat:        "/v1/chat/completions",
	Embeddings:  "/v1/embeddings",
	Rerank:      "/v1/rerank",
}

// maxBodies bounds what the requests of a load take in memory, bytes: each turn
// of a conversation repeats all of those before.
var maxBodies = 1 << 30 // less in a test

// Route is the path of an API.
func Route(api API) string { return routes[api] }

// A wireRequest is a request as it is sent, made before the load begins.
type wireRequest struct {
	bytes  []byte // head and body
	output int    // tokens asked for
}

// wireRequests makes the requests of prompts, in their order.
func wireRequests(base *url.URL, prompts []Prompt, o Options) ([]wireRequest, error) {
	for _, name := range []string{"stream", "stream_options", "prompt", "messages", "n_predict", "max_tokens", "ignore_eos", "cache_prompt"} {
		if _, ok := o.Body[name]; ok {
			return nil, fmt.Errorf("load: field %q of the request follows from the prompt and the options of the load; set those", name)
		}
	}
	connection := "close"
	if o.Reuse {
		connection = "keep-alive"
	}
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: llama-regress\r\nAccept: text/event-stream\r\n"+
		"Content-Type: application/json\r\nConnection: %s\r\n%s",
		strings.TrimSuffix(base.EscapedPath(), "/")+routes[o.API], base.Host, connection, o.Key.header())

	reqs := make([]wireRequest, len(prompts))
	size := 0
	for i, p := range prompts {
		output := p.Output
		setDefault(&output, o.Output)
		if output < 0 || output > maxOutput {
			return nil, fmt.Errorf("load: prompt %q: %d output tokens: want 1 to %d", p.ID, output, maxOutput)
		}
		var body bytes.Buffer
		enc := json.NewEncoder(&body)
		enc.SetEscapeHTML(false) // <, > and & stay as short as the server will echo them
		if err := enc.Encode(fields(p, output, o)); err != nil {
			return nil, fmt.Errorf("load: body of prompt %q: %w", p.ID, err)
		}
		if size += body.Len(); size > maxBodies {
			return nil, fmt.Errorf("load: the requests of %d prompts hold more than %d MiB; send fewer, or take fewer turns of each conversation", len(prompts), maxBodies>>20)
		}
		wire := fmt.Appendf(nil, "%sContent-Length: %d\r\n\r\n", head, body.Len())
		reqs[i] = wireRequest{bytes: append(wire, body.Bytes()...), output: output}
	}
	return reqs, nil
}

// fields returns what a request's body holds; usage has to be asked for since
// build 6508.
func fields(p Prompt, output int, o Options) map[string]any {
	if o.API.Whole() {
		return wholeFields(p, o)
	}
	m := map[string]any{
		"stream":      true,
		"temperature": 0,
		"seed":        o.Seed % (1 << 31), // 2^32-1 would mean a random one
		"ignore_eos":  !o.FreeLength,
	}
	if o.Cache != CacheUnset {
		m["cache_prompt"] = o.Cache == CacheOn
	}
	switch o.API {
	case Completion:
		m["prompt"], m["n_predict"] = p.transcript(), output
	case Completions:
		m["prompt"], m["max_tokens"] = p.transcript(), output
	case Chat:
		m["messages"], m["max_tokens"] = p.messages(), output
	}
	if o.Model != "" {
		m["model"] = o.Model
	}
	if o.Standard {
		delete(m, "cache_prompt")
		delete(m, "ignore_eos")
	}
	if o.API != Completion {
		m["stream_options"] = map[string]bool{"include_usage": true}
	}
	for name, value := range o.Body {
		m[name] = value
	}
	return m
}

// messages are the prompt with its history as a chat's messages.
func (p Prompt) messages() []map[string]string {
	message := func(role, content string) map[string]string {
		return map[string]string{"role": role, "content": content}
	}
	var all []map[string]string
	for _, e := range p.History {
		all = append(all, message("user", e.Question), message("assistant", e.Answer))
	}
	return append(all, message("user", p.Text))
}

// transcript is the prompt with its history as one text, in which a blank line
// parts who speaks.
func (p Prompt) transcript() string {
	var b strings.Builder
	for _, e := range p.History {
		b.WriteString(e.Question + "\n\n" + e.Answer + "\n\n")
	}
	return b.String() + p.Text
}
