package endpoint

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
	"syscall"

	"github.com/llama-regress/llama-regress/ci/internal/proc"
	"github.com/llama-regress/llama-regress/ci/load"
)

// newClient asks on fresh connections, straight and without following anybody elsewhere:
// what is measured is asked the same way.
func newClient(roots *x509.CertPool) *http.Client {
	return &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// ask finds out what the server tells of itself. Its error says what to do.
func (srv *Server) ask(ctx context.Context) (t told, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	list, err := srv.get(ctx, "/v1/models", nil)
	if err != nil {
		return t, err
	}
	t.server = srv.tellable(list.server, 100)
	if err := list.readModels(srv, &t); err != nil {
		return t, err
	}
	about, err := srv.get(ctx, "/props", nil)
	if err != nil {
		return t, err
	}
	var p props
	if about.status == http.StatusOK && json.Unmarshal(about.body, &p) == nil && p.Slots > 0 {
		t.llama = true
		t.props = p
		t.props.Build, t.props.Model = srv.tellable(p.Build, 200), srv.tellable(p.Model, 1000)
	}
	return t, nil
}

// tellable is what a server said, in one bounded line and without the key.
func (srv *Server) tellable(text string, most int) string {
	return proc.OneLine(srv.key.Hide(text), most)
}

// An answer is one about the server itself.
type answer struct {
	status int
	server string // of its header
	kind   string // media type
	body   []byte
}

// readModels takes the list of models over. A server without such a list has none to
// choose from.
func (a answer) readModels(srv *Server, t *told) error {
	var list struct {
		Data []struct {
			ID   string `json:"id"`
			Meta struct {
				Params json.Number `json:"n_params"`
			} `json:"meta"`
		} `json:"data"`
	}
	switch {
	case a.status == http.StatusUnauthorized || a.status == http.StatusForbidden:
		return srv.locked(a.status)
	case a.status == http.StatusServiceUnavailable:
		return fmt.Errorf("it is not ready (503): %q; wait until it has loaded its model", srv.tellable(string(a.body), 100))
	case a.status >= 500:
		return fmt.Errorf("it answers %d to /v1/models: %q; see its log", a.status, srv.tellable(string(a.body), 100))
	case a.status != http.StatusOK && a.kind == "text/html":
		return fmt.Errorf("it answers %d with a web page to /v1/models: that is no server of OpenAI's interface; correct the address", a.status)
	case a.status != http.StatusOK:
		return nil
	}
	if err := json.Unmarshal(a.body, &list); err != nil {
		return fmt.Errorf("it answers %q to /v1/models, which is no list of models: that is no server of OpenAI's interface; correct the address", srv.tellable(string(a.body), 60))
	}
	t.params = make(map[string]string)
	for _, m := range list.Data[:min(len(list.Data), 1000)] {
		if id := srv.tellable(m.ID, 200); id != "" {
			t.models = append(t.models, id)
			t.params[id] = m.Meta.Params.String()
		}
	}
	return nil
}

// locked says what to do about a server that wants a key.
func (srv *Server) locked(status int) error {
	if srv.key == "" {
		return fmt.Errorf("it wants a key (%d): put it into the environment variable %s", status, srv.arm.KeyEnv)
	}
	return fmt.Errorf("it does not take the key that the variable %s holds (%d)", srv.arm.KeyEnv, status)
}

// get asks for a path, with body as JSON unless it is nil. An answer with any status is
// one, except for a redirect.
func (srv *Server) get(ctx context.Context, path string, body any) (answer, error) {
	method, sent := http.MethodGet, []byte(nil)
	if body != nil {
		var err error
		if sent, err = json.Marshal(body); err != nil {
			return answer{}, err
		}
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, srv.arm.URL+path, bytes.NewReader(sent))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("User-Agent", "llama-regress")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if srv.key != "" {
		req.Header.Set("Authorization", "Bearer "+string(srv.key))
	}
	resp, err := srv.client.Do(req)
	if err != nil {
		return answer{}, srv.unreachable(err)
	}
	defer resp.Body.Close()
	if to := resp.Header.Get("Location"); resp.StatusCode >= 300 && resp.StatusCode < 400 && to != "" {
		return answer{}, fmt.Errorf("it redirects (%d) to %s, which is not followed, and no key is sent there: use that address itself", resp.StatusCode, srv.key.Hide(load.Elsewhere(to)))
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return answer{}, srv.unreachable(err)
	case len(data) > maxAnswer:
		return answer{}, fmt.Errorf("it answers more than %d MiB to %s: that is no server of OpenAI's interface; correct the address", maxAnswer>>20, path)
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return answer{resp.StatusCode, resp.Header.Get("Server"), kind, data}, nil
}

// unreachable says why a server could not be asked.
func (srv *Server) unreachable(err error) error {
	var name *net.DNSError
	var cert *tls.CertificateVerificationError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, syscall.ECONNREFUSED):
		return errors.New("nothing listens there: start the server, or correct the address")
	case errors.As(err, &name):
		return fmt.Errorf("no machine has the name %s: correct the address", srv.tellable(name.Name, 100))
	case errors.As(err, &cert):
		return fmt.Errorf("its certificate is not believed: %s; name that of its authority by the variable SSL_CERT_FILE", srv.tellable(cert.Err.Error(), 200))
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("it did not answer within %s: see whether it hangs, or a firewall keeps quiet", askTimeout)
	case strings.Contains(err.Error(), "malformed HTTP"), strings.Contains(err.Error(), "first record does not look like a TLS handshake"), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return errors.New("what listens there does not speak this protocol: correct the address, and choose between http and https")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return errors.New("it closed the connection without an answer: see its log, and choose between http and https")
	}
	return errors.New(srv.tellable(err.Error(), 300))
}

// CountTokens returns how many tokens a prompt has for this server's model, which only
// llama-server tells.
func (srv *Server) CountTokens(ctx context.Context, text string) (int, error) {
	if !srv.told.llama {
		return 0, errors.New("tokens can be counted by llama-server alone, and this server is another one: take out min_prompt_tokens, max_prompt_tokens and max_total_tokens, and choose the rule human or first")
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	a, err := srv.get(ctx, "/tokenize", map[string]any{"content": text, "add_special": true})
	if err != nil {
		return 0, fmt.Errorf("count tokens: %w", err)
	}
	var list struct {
		Tokens *[]int32 `json:"tokens"`
	}
	if json.Unmarshal(a.body, &list) != nil || list.Tokens == nil {
		return 0, fmt.Errorf("count tokens: /tokenize answers %d with no list of tokens", a.status)
	}
	return len(*list.Tokens), nil
}
