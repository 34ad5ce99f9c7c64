package hook_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/cmd/internal/hook"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
	"github.com/llama-regress/llama-regress/report/reporttest"
)

// Every report that the other writers are tested with becomes a notice in both forms.
func TestNotices(t *testing.T) {
	for _, c := range reporttest.Cases() {
		r := report.New(c.Result, c.Source)
		n := hook.Of(r, "https://github.com/o/r/actions/runs/1")
		data, err := n.JSON()
		var back struct {
			Schema, Kind, Status, Headline, Lead, Link string
			Outcome                                    compare.Outcome
			Steps                                      []struct{ Text, Command string }
		}
		if err == nil {
			err = json.Unmarshal(data, &back)
		}
		if err != nil || back.Schema != hook.Schema || back.Kind != "comparison" || back.Outcome != r.Outcome || back.Status != r.Status || back.Headline != r.Headline || len(back.Steps) != len(r.Steps) || back.Link == "" {
			t.Errorf("%s: %v: %s", c.Name, err, data)
		}
		text := slack(t, n)
		if !strings.HasPrefix(text, "<https://github.com/o/r/actions/runs/1|"+r.Status+">: ") {
			t.Errorf("%s: begins with %.80q", c.Name, text)
		}
		if len(text) > 8000 {
			t.Errorf("%s: %d bytes", c.Name, len(text))
		}
	}
}

// What comes from outside stands in code spans, without the characters that Slack
// reads as its own.
func TestForeignText(t *testing.T) {
	for _, c := range reporttest.Cases() {
		r := report.New(c.Result, c.Source)
		r.Title = report.AsForeign("a`b <!here> & @all *x*")
		text := slack(t, hook.Of(r, ""))
		if !strings.Contains(text, "(`a'b &lt;!here&gt; &amp; @all *x*`)") {
			t.Errorf("%s: %.200q", c.Name, text)
		}
		if strings.ContainsAny(text, "<>") {
			t.Errorf("%s: holds < or >: %q", c.Name, text)
		}
		if strings.Count(text, "`")%2 != 0 {
			t.Errorf("%s: a code span is open: %q", c.Name, text)
		}
	}
}

func slack(t *testing.T, n hook.Notice) string {
	t.Helper()
	data, err := n.Slack()
	var body map[string]string
	if err == nil {
		err = json.Unmarshal(data, &body)
	}
	if err != nil || len(body) != 1 {
		t.Fatalf("%v: %s", err, data)
	}
	return body["text"]
}

// A service that is busy is asked again, one that refuses is not, and an error never
// holds the address.
func TestSend(t *testing.T) {
	for name, c := range map[string]struct {
		answers []int
		calls   int
		says    string
	}{
		"taken":     {[]int{200}, 1, ""},
		"no answer": {[]int{204}, 1, ""},
		"busy":      {[]int{503, 429, 200}, 3, ""},
		"broken":    {[]int{500, 500, 500, 200}, 3, "500 Internal Server Error"},
		"withdrawn": {[]int{404}, 1, "404 Not Found: the address may be wrong or withdrawn"},
		"moved":     {[]int{302}, 1, "302, and leads elsewhere"},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if string(body) != `{"text":"x"}` || r.Header.Get("Content-Type") != "application/json" || r.Method != http.MethodPost {
					t.Errorf("%s %s: %s", r.Method, r.Header, body)
				}
				w.Header().Set("Location", "http://127.0.0.1:1/")
				w.WriteHeader(c.answers[calls])
				calls++
			}))
			defer srv.Close()
			err := hook.Send(t.Context(), srv.URL+"/very-secret", []byte(`{"text":"x"}`), time.Nanosecond)
			if calls != c.calls || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("%d calls, %v; want %d, %q", calls, err, c.calls, c.says)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("%v holds the address", err)
			}
		})
	}
	srv := httptest.NewServer(nil)
	srv.Close()
	err := hook.Send(t.Context(), srv.URL+"/very-secret", nil, time.Nanosecond)
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("nobody there: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := hook.Send(ctx, srv.URL, nil, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestCheckAddress(t *testing.T) {
	for address, fine := range map[string]bool{
		"https://hooks.example.com/x": true, "http://localhost:1/x": true, "http://127.0.0.1/x": true, "http://[::1]/x": true,
		"http://hooks.example.com/x": false, "": false, "hooks.example.com/x": false, "ftp://localhost/x": false, "https:///x": false, "http://localhost.example.com/": false,
	} {
		if err := hook.CheckAddress(address); (err == nil) != fine {
			t.Errorf("%q: %v", address, err)
		}
	}
}
