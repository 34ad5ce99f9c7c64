package endpoint_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/endpoint"
	"github.com/llama-regress/llama-regress/ci/load"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/fixtures/fakeserver"
)

const key = "sesame-1234567890"

// list is an answer to /v1/models.
func list(models ...string) string {
	var each []string
	for _, m := range models {
		each = append(each, fmt.Sprintf(`{"id":%q}`, m))
	}
	return `{"object":"list","data":[` + strings.Join(each, ",") + `]}`
}

// other is a server of OpenAI's interface that is no llama-server. It refuses fields that
// are not OpenAI's where it is strict.
func other(models string, strict bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server", "other/1.2")
		switch r.URL.Path {
		case "/v1/models":
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, models)
		case "/v1/chat/completions":
			body, _ := io.ReadAll(r.Body)
			if strict && strings.Contains(string(body), "ignore_eos") {
				w.WriteHeader(http.StatusBadRequest)
				fmt.Fprint(w, `{"error":{"message":"Unrecognized request argument supplied: ignore_eos","code":400}}`)
				return
			}
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprint(w, "data: {\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
		default:
			http.NotFound(w, r)
		}
	}
}

func TestIdentify(t *testing.T) {
	llama := fakeserver.New(fakeserver.Settings{Prompt: 1e5, Gen: 1e5, Key: key}).Start(t)
	strict := httptest.NewServer(other(list("m"), true))
	defer strict.Close()
	servers := endpoint.Servers{Getenv: func(name string) string {
		if name == record.KeyVariable {
			return key
		}
		return ""
	}}
	for _, tt := range []struct {
		url  string
		api  load.API
		want record.Build
		echo map[string]string
		says string
	}{
		{llama, load.Completion, record.Build{Version: "b11669-Debian", Commit: "Debian", Number: 11669, Model: "tiny.gguf"}, map[string]string{"parallel": "4", "server": "llama.cpp"}, ""},
		{strict.URL, load.Chat, record.Build{Version: "other/1.2", Model: "m"}, map[string]string{"parallel": "", "n_ctx_slot": "", "server": "other/1.2", "served_model": "m"}, "takes neither ignore_eos nor cache_prompt"},
	} {
		arm := record.Arm{Name: "x", URL: tt.url, KeyEnv: record.KeyVariable}
		got, err := servers.Identify(t.Context(), arm, tt.api)
		if err != nil || got != tt.want {
			t.Errorf("%s: %+v, %v", tt.url, got, err)
			continue
		}
		srv, failure, err := servers.Open(t.Context(), arm, tt.api)
		if failure != nil || err != nil {
			t.Fatal(failure, err)
		}
		for name, want := range tt.echo {
			if value, there := srv.Echo()[name]; value != want || there != (want != "") {
				t.Errorf("%s: echo %s is %q, want %q", tt.url, name, value, want)
			}
		}
		said := strings.Join(srv.Warnings(), "\n")
		if !strings.Contains(said, "did not start this server") || !strings.Contains(said, tt.says) || strings.Contains(said, key) {
			t.Errorf("%s: warnings %s", tt.url, said)
		}
		if n, err := srv.CountTokens(t.Context(), "one two"); (err == nil) != (tt.api == load.Completion) || err == nil && n == 0 {
			t.Errorf("%s: %d tokens, %v", tt.url, n, err)
		}
		if f := srv.Check(t.Context(), 0); f != nil {
			t.Errorf("%s: %+v", tt.url, f)
		}
	}
}

func TestIdentifyErrors(t *testing.T) {
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		arm    record.Arm
		api    load.API
		want   string
	}{
		"several models": {answer: other(list("a", "b", "c", "d", "e", "f", "g"), false), want: `it serves 7 models, "a", "b", "c", "d", "e", 2 more: say which is meant`},
		"no such model":  {answer: other(list("a", "b"), false), arm: record.Arm{Model: "c"}, want: `it serves no model "c", but "a", "b"`},
		"another model":  {answer: other(list("a"), false), want: `answers with the model "m", asked for was "a"`},
		"native":         {answer: other(list("m"), false), api: load.Completion, want: "api completion is llama-server's own: set api: chat"},
		"no such route":  {answer: other(list("m"), false), api: load.Completions, want: "it has no /v1/completions"},
		"web page": {answer: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusNotFound)
		}, want: "it answers 404 with a web page to /v1/models: that is no server of OpenAI's interface"},
		"another list": {answer: func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello <b>") }, want: `it answers "hello <b>" to /v1/models`},
		"loading":      {answer: func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }, want: "it is not ready (503)"},
		"broken":       {answer: func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusBadGateway) }, want: "it answers 502 to /v1/models"},
		"long": {answer: func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, strings.Repeat("x", 2<<20)) },
			want: "it answers more than 1 MiB to /v1/models"},
		"key repeated": {answer: func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprint(w, r.Header.Get("Authorization"))
		}, want: `it answers 500 to /v1/models: "Bearer (API key)"`},
		"no key": {answer: func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusUnauthorized) }, arm: record.Arm{KeyEnv: "LLAMA_REGRESS_API_KEY_NONE"},
			want: "it wants a key (401): put it into the environment variable LLAMA_REGRESS_API_KEY_NONE"},
		"no stream": {answer: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, list("m"))
		}, want: "instead of a stream of events: time to first token can only be measured of a server that streams"},
		"closes": {answer: func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }, want: "it closed the connection without an answer"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(tt.answer)
			defer srv.Close()
			arm := tt.arm
			arm.Name, arm.URL = "x", srv.URL
			if arm.KeyEnv == "" {
				arm.KeyEnv = record.KeyVariable
			}
			api := tt.api
			if api == "" {
				api = load.Chat
			}
			servers := endpoint.Servers{Getenv: func(name string) string {
				if name == "LLAMA_REGRESS_API_KEY_NONE" {
					return ""
				}
				return key
			}}
			_, err := servers.Identify(t.Context(), arm, api)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "arm x: "+srv.URL+": ") {
				t.Errorf("got %v\nwant %s", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), key[:8]) {
				t.Errorf("the key is told: %v", err)
			}
		})
	}
}

// A key goes to the server that it is for and to no other place, whoever points there.
func TestRedirect(t *testing.T) {
	asked := false
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer elsewhere.Close()
	srv := httptest.NewServer(http.RedirectHandler(elsewhere.URL+"/v1/models?key=x", http.StatusMovedPermanently))
	defer srv.Close()
	servers := endpoint.Servers{Getenv: func(string) string { return key }}
	_, err := servers.Identify(t.Context(), record.Arm{Name: "x", URL: srv.URL, KeyEnv: record.KeyVariable}, load.Chat)
	if want := "it redirects (301) to " + elsewhere.URL + "/v1/models, which is not followed, and no key is sent there"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
	if asked {
		t.Error("the redirect was followed")
	}
}

func TestTLS(t *testing.T) {
	srv := httptest.NewUnstartedServer(other(list("m"), false))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshake that is refused below
	srv.StartTLS()
	defer srv.Close()
	arm := record.Arm{Name: "x", URL: srv.URL}
	servers := endpoint.Servers{Roots: srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}
	if _, err := servers.Identify(t.Context(), arm, load.Chat); err != nil {
		t.Error(err)
	}
	unknown := endpoint.Servers{}
	if _, err := unknown.Identify(t.Context(), arm, load.Chat); err == nil || !strings.Contains(err.Error(), "its certificate is not believed") {
		t.Errorf("a certificate that nobody vouches for: %v", err)
	}
	arm.URL = strings.Replace(srv.URL, "https", "http", 1)
	if _, err := unknown.Identify(t.Context(), arm, load.Chat); err == nil {
		t.Error("http to a server of https was taken")
	}
}

// A server that became another one is not measured on.
func TestOpenAgain(t *testing.T) {
	models := list("m")
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { other(models, false)(w, r) }))
	defer srv.Close()
	var servers endpoint.Servers
	arm := record.Arm{Name: "x", URL: srv.URL}
	if _, err := servers.Identify(t.Context(), arm, load.Chat); err != nil {
		t.Fatal(err)
	}
	models = list("m", "n")
	_, f, err := servers.Open(t.Context(), arm, load.Chat)
	if err != nil || f == nil || f.Class != record.BuildChanged || !strings.Contains(f.Message, `models was "m", is "m, n"`) {
		t.Errorf("another list of models: %+v, %v", f, err)
	}
	srv.Close()
	if _, f, err = servers.Open(t.Context(), arm, load.Chat); err != nil || f == nil || f.Class != record.Unreachable || !strings.Contains(f.Message, "nothing listens there") {
		t.Errorf("gone: %+v, %v", f, err)
	}
}
