package load_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/load"
	"github.com/llama-regress/llama-regress/ci/record"
)

// answer is a stream of two tokens in the form of OpenAI's chat interface.
func answer(w http.ResponseWriter, model string) {
	w.Header().Set("Content-Type", "text/event-stream")
	for _, choice := range []string{`{"delta":{"content":"a"}}`, `{"delta":{"content":"b"}}`, `{"delta":{},"finish_reason":"stop"}`} {
		fmt.Fprintf(w, "data: {\"model\":%q,\"choices\":[%s]}\n\n", model, choice)
		w.(http.Flusher).Flush()
	}
	fmt.Fprint(w, "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2}}\n\ndata: [DONE]\n\n")
}

// A server by https is measured like one by http, on fresh and on kept connections.
func TestTLS(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer(w, "m") }))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshake that is refused below
	srv.StartTLS()
	defer srv.Close()
	for _, reuse := range []bool{false, true} {
		trusted := srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
		res := run(t, prompts(3), load.Options{URL: srv.URL, API: load.Chat, Roots: trusted, FreeLength: true, Reuse: reuse})
		for i, r := range res.Requests {
			if r.Failure != nil || r.OutputTokens != 2 || r.Connection.Reused != (reuse && i > 0) {
				t.Errorf("reuse %t: %+v, failure %+v", reuse, r, r.Failure)
			}
		}
	}
	res := run(t, prompts(1), load.Options{URL: srv.URL, API: load.Chat})
	if f := res.Requests[0].Failure; f == nil || f.Class != record.ConnectionRefused || !strings.Contains(f.Message, "no TLS with 127.0.0.1:") {
		t.Errorf("a certificate that nobody vouches for: %+v", f)
	}
}

// What is sent to a server that is no llama-server, and what is not.
func TestStandardRequest(t *testing.T) {
	for _, standard := range []bool{false, true} {
		var sent map[string]any
		var key string
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			key = r.Header.Get("Authorization")
			if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
				t.Error(err)
			}
			answer(w, "m-2026-11-30")
		}))
		res := run(t, prompts(1), load.Options{URL: srv.URL, API: load.Chat, FreeLength: true, Model: "m", Key: "sesame-8", Standard: standard})
		srv.Close()
		if res.Requests[0].Failure != nil {
			t.Errorf("failed: %+v", res.Requests[0].Failure)
		}
		_, cache := sent["cache_prompt"]
		_, ignore := sent["ignore_eos"]
		if sent["model"] != "m" || cache == standard || ignore == standard || key != "Bearer sesame-8" {
			t.Errorf("standard %t: sent %v with %q", standard, sent, key)
		}
	}
}

// What a server by its address may do that one of our own does not.
func TestForeignAnswers(t *testing.T) {
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"another model": {
			func(w http.ResponseWriter, r *http.Request) { answer(w, "other") },
			`the server answers with the model "other", asked for was "m"`,
		},
		"no stream": {
			func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprint(w, `{"choices":[{"message":{"content":"a"},"finish_reason":"stop"}]}`)
			},
			"the server answered application/json instead of a stream of events: time to first token can only be measured of a server that streams",
		},
		"redirect": {
			func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "http://name:word@127.0.0.2:9/v1?key=x", http.StatusTemporaryRedirect)
			},
			"the server redirects (307) to http://127.0.0.2:9/v1, which is not followed, and no key is sent there: use that address itself",
		},
		"key repeated": {
			func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(http.StatusUnauthorized)
				fmt.Fprintf(w, `{"error":{"message":"%swrong key: %s"}}`, strings.Repeat("no ", 60), strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
			},
			"(API key)",
		},
	} {
		srv := httptest.NewServer(tt.answer)
		const key = "sesame-1234567890-abcdef"
		res := run(t, prompts(1), load.Options{URL: srv.URL, API: load.Chat, FreeLength: true, Model: "m", Key: key})
		srv.Close()
		f := res.Requests[0].Failure
		if f == nil || !strings.Contains(f.Message, tt.want) {
			t.Errorf("%s: %+v, want %q", name, f, tt.want)
			continue
		}
		if all := f.Message + f.Body; strings.Contains(all, key[:8]) {
			t.Errorf("%s: the key is told: %s", name, all)
		}
	}
}

func TestKey(t *testing.T) {
	const key = load.Key("sesame-1234567890")
	for text, want := range map[string]string{
		"":                              "",
		"nothing":                       "nothing",
		"a sesame-1234567890 b":         "a (API key) b",
		"a sesame-12345":                "a (API key)",
		"sesame-12 and sesame-12345678": "(API key) and (API key)",
		"sesame":                        "sesame",
	} {
		if got := key.Hide(text); got != want {
			t.Errorf("Hide(%q) = %q, want %q", text, got, want)
		}
	}
	if got := load.Key("").Hide("text"); got != "text" {
		t.Errorf("without a key: %q", got)
	}
	data, err := json.Marshal(struct{ K load.Key }{key})
	if printed := fmt.Sprintf("%v %+v %#v %s %q", key, key, key, data, key); err != nil || strings.Contains(printed, "sesame") {
		t.Errorf("printed: %s, %v", printed, err)
	}
	for _, bad := range []load.Key{"a b", "a\r\nX-Y: z", "ä", "\x00"} {
		if err := bad.Check(); err == nil || strings.Contains(err.Error(), string(bad)) {
			t.Errorf("Check(%q) = %v", string(bad), err)
		}
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }))
	defer srv.Close()
	if _, err := load.Run(t.Context(), prompts(1), load.Options{URL: srv.URL, Key: "a\nb"}); err == nil {
		t.Error("a key with a line end was sent")
	}
}
