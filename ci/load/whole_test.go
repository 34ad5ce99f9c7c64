package load_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/load"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/fixtures/fakeserver"
)

// Requests that are answered whole, against the server's own counts, on fresh and on kept
// connections.
func TestWholeAnswers(t *testing.T) {
	for _, api := range []load.API{load.Embeddings, load.Rerank} {
		for _, reuse := range []bool{false, true} {
			srv := fast(fakeserver.Settings{Embeddings: true, Rerank: true})
			ps := prompts(6)
			for i := range ps {
				ps[i].Documents = []string{"one", "two words"}
			}
			res := run(t, ps, load.Options{URL: srv.Start(t), API: api, Concurrency: 2, Model: "tiny.gguf", Reuse: reuse})
			srv.Close()
			got, want := 0, 0
			for _, r := range res.Requests {
				if got += r.PromptTokens; r.Failure != nil || r.Elapsed <= 0 || r.TTFT != 0 || r.OutputTokens != 0 {
					t.Errorf("%s: %+v, failure %+v", api, r, r.Failure)
				}
			}
			for _, x := range srv.Requests() {
				want += x.PromptTokens
			}
			if got != want || got == 0 {
				t.Errorf("%s: %d tokens, the server read %d", api, got, want)
			}
		}
	}
}

func TestWholeFaults(t *testing.T) {
	for fault, class := range map[string]record.RequestFailureClass{
		"status:503": record.Rejected, "status:500": record.HTTP5xx, "html": record.MalformedEvent, "reset": record.ConnectionReset,
		"hang": record.QueueTimeout, "half": record.TruncatedStream, "length:+20": record.TruncatedStream, "garbage": record.MalformedEvent,
		"empty": record.EmptyResponse,
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			srv := fast(fakeserver.Settings{Embeddings: true, Faults: faulty(t, fault)})
			limit := time.Minute
			if class == record.QueueTimeout {
				limit = 50 * time.Millisecond
			}
			res := run(t, prompts(1), load.Options{URL: srv.Start(t), API: load.Embeddings, Timeout: limit})
			if f := res.Requests[0].Failure; f == nil || f.Class != class {
				t.Errorf("got %+v, want %s", f, class)
			}
		})
	}
}

// What is asked for, and what answers of other servers mean.
func TestWholeForms(t *testing.T) {
	for body, want := range map[string]string{
		`{"data":[{"embedding":[0.1,2]}],"usage":{"prompt_tokens":3}}`: "",
		`{"data":[{"embedding":"AAAA"}],"usage":{"total_tokens":3}}`:   "",
		`{"data":[{"embedding":[[0.1],[0.2]]}]}`:                       "",
		`{"data":[{"embedding":[]}]}`:                                  "the answer has no embedding",
		`{"data":[]}`:                                                  "the answer has no embedding",
		`[]`:                                                           "the answer could not be read",
		`{"model":"other","data":[{"embedding":[1]}]}`:                 `the server answers with the model "other"`,
		`{"error":{"code":500,"message":"input is too large <b>"}}`:    "input is too large <b>",
		`{"data":[{"embedding":[1]}],"usage":{"prompt_tokens":-5,"total_tokens":2}}`: "",
	} {
		var sent map[string]any
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
				t.Error(err)
			}
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			w.Write([]byte(body))
		}))
		res := run(t, prompts(1), load.Options{URL: srv.URL, API: load.Embeddings, Model: "m"})
		srv.Close()
		f := res.Requests[0].Failure
		if (f == nil) != (want == "") || f != nil && !strings.Contains(f.Message, want) {
			t.Errorf("%s: %+v, want %q", body, f, want)
		}
		if _, stream := sent["stream"]; stream || sent["model"] != "m" || sent["input"] == nil {
			t.Errorf("sent %v", sent)
		}
	}
}
