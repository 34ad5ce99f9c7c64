package load

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"

	"github.com/llama-regress/llama-regress/ci/record"
)

// maxDocument bounds an answer that comes whole, bytes: some thousand embeddings.
const maxDocument = 64 << 20

// Whole reports whether an API answers by one document and not by a stream.
func (api API) Whole() bool { return api == Embeddings || api == Rerank }

// wholeFields are what the body of a request for such a document holds.
func wholeFields(p Prompt, o Options) map[string]any {
	m := map[string]any{"input": p.Text}
	if o.API == Rerank {
		m = map[string]any{"query": p.Text, "documents": p.Documents}
	}
	if o.Model != "" {
		m["model"] = o.Model
	}
	maps.Copy(m, o.Body)
	return m
}

// A document is what matters of an answer that comes whole.
type document struct {
	Data []struct {
		Embedding json.RawMessage `json:"embedding"`
	} `json:"data"`
	Results []struct {
		Score *float64 `json:"relevance_score"`
	} `json:"results"`
	Usage struct {
		PromptTokens number `json:"prompt_tokens"`
		TotalTokens  number `json:"total_tokens"` // all that some servers tell
	} `json:"usage"`
	Model string          `json:"model"`
	Error json.RawMessage `json:"error"`
}

// document reads the whole answer. It is there with its last byte; what it holds is looked
// at after that, which is no part of its latency.
func (a *attempt) document(resp *http.Response) *record.RequestFailure {
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxDocument+1))
	a.ended = a.conn.lastRead.Sub(a.g.start)
	switch {
	case isTimeout(err):
		return failed(record.QueueTimeout, fmt.Sprintf("not answered in full within %s", a.g.opts.Timeout), data)
	case errors.Is(err, io.ErrUnexpectedEOF), err != nil && a.conn.readErr != nil:
		return failed(record.TruncatedStream, fmt.Sprintf("the answer ended after %d bytes", len(data)), data)
	case err != nil:
		return failed(record.MalformedEvent, "the response is not HTTP: "+err.Error(), data)
	case len(data) > maxDocument:
		return failed(record.MalformedEvent, fmt.Sprintf("the answer is longer than %d MiB", maxDocument>>20), data)
	}
	var d document
	if err := json.Unmarshal(data, &d); err != nil {
		return failed(record.MalformedEvent, "the answer could not be read: "+err.Error(), data)
	}
	if len(d.Error) > 0 && string(d.Error) != "null" {
		return a.answer.serverError(data, 0)
	}
	if !sameModel(a.answer.model, d.Model) {
		return failed(record.MalformedEvent, fmt.Sprintf("the server answers with the model %q, asked for was %q", quote([]byte(d.Model)), a.answer.model), nil)
	}
	if a.answer.promptTokens = d.Usage.PromptTokens.count(); a.answer.promptTokens == 0 {
		a.answer.promptTokens = d.Usage.TotalTokens.count()
	}
	return d.empty(a.answer.api)
}

// empty says that a document holds nothing of what was asked for.
func (d document) empty(api API) *record.RequestFailure {
	for _, r := range d.Results {
		if api == Rerank && r.Score != nil {
			return nil
		}
	}
	for _, e := range d.Data {
		var vector []json.RawMessage
		var text string // numbers in base64
		if api == Embeddings && (json.Unmarshal(e.Embedding, &vector) == nil && len(vector) > 0 || json.Unmarshal(e.Embedding, &text) == nil && text != "") {
			return nil
		}
	}
	return failed(record.EmptyResponse, "the answer has no "+map[API]string{Rerank: "score", Embeddings: "embedding"}[api], nil)
}
