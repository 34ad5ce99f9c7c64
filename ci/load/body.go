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
}

// A wireRequest is a request as it is sent, made before the load begins.
type wireRequest struct {
	bytes  []byte // head and body
	output int    // tokens asked for
}

// wireRequests makes the requests of prompts, in their order.
func wireRequests(base *url.URL, prompts []Prompt, o Options) ([]wireRequest, error) {
	for _, name := range []string{"stream", "stream_options", "prompt", "messages", "n_predict", "max_tokens", "ignore_eos"} {
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
	for i, p := range prompts {
		output := p.Output
		setDefault(&output, o.Output)
		if output < 0 || output > maxOutput {
			return nil, fmt.Errorf("load: prompt %q: %d output tokens: want 1 to %d", p.ID, output, maxOutput)
		}
		var body bytes.Buffer
		enc := json.NewEncoder(&body)
		enc.SetEscapeHTML(false) // <, > and & stay as short as the server will echo them
		if err := enc.Encode(fields(p.Text, output, o)); err != nil {
			return nil, fmt.Errorf("load: body of prompt %q: %w", p.ID, err)
		}
		wire := fmt.Appendf(nil, "%sContent-Length: %d\r\n\r\n", head, body.Len())
		reqs[i] = wireRequest{bytes: append(wire, body.Bytes()...), output: output}
	}
	return reqs, nil
}

// fields returns what a request's body holds. cache_prompt is off, since a
// repeated prompt would otherwise cost nothing; usage has to be asked for since
// build 6508.
func fields(text string, output int, o Options) map[string]any {
	m := map[string]any{
		"stream":       true,
		"temperature":  0,
		"seed":         o.Seed % (1 << 31), // 2^32-1 would mean a random one
		"cache_prompt": false,
		"ignore_eos":   !o.FreeLength,
	}
	switch o.API {
	case Completion:
		m["prompt"], m["n_predict"] = text, output
	case Completions:
		m["prompt"], m["max_tokens"] = text, output
	case Chat:
		m["messages"], m["max_tokens"] = []map[string]string{{"role": "user", "content": text}}, output
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
