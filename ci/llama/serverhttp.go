package llama

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"github.com/llama-regress/llama-regress/ci/internal/proc"
)

const (
	answerTimeout = 30 * time.Second
	maxAnswer     = 64 << 20 // bytes; the tokens of the longest prompts
)

// newClient asks with a fresh connection each time: llama-server closes idle
// ones without a word. Proxies of the environment are not for this machine.
func newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext:       (&net.Dialer{Timeout: answerTimeout}).DialContext,
	}}
}

// health returns nil when the server is ready, and otherwise why not.
func (srv *Server) health(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	_, err := srv.ask(ctx, http.MethodGet, "/health", nil)
	var status *statusError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &status) && status.code == http.StatusServiceUnavailable:
		return fmt.Errorf("it is still loading the model (%w); raise start_timeout, or use a smaller model", err)
	case errors.As(err, &status):
		return fmt.Errorf("it answers %w; see its log", err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return errors.New("nothing listens on its port; see its log")
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return &silence{limit}
	}
	return err
}

// A silence is a question that nobody answered in its time.
type silence struct{ limit time.Duration }

func (e *silence) Error() string {
	return fmt.Sprintf("it takes connections, but does not answer within %s; see its log", e.limit)
}

// A statusError is an answer other than 200.
type statusError struct {
	code int
	body string // bounded
}

func (e *statusError) Error() string {
	return fmt.Sprintf("HTTP %d: %.200q", e.code, e.body)
}

// ask sends a request, with body as JSON unless it is nil, and returns the
// body of the answer.
func (srv *Server) ask(ctx context.Context, method, path string, body any) ([]byte, error) {
	var sent io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		sent = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, srv.URL()+path, sent)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := srv.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
		return nil, &statusError{resp.StatusCode, proc.OneLine(string(text), 600)}
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err == nil && len(data) > maxAnswer {
		err = fmt.Errorf("%s: more than %d MiB", path, maxAnswer>>20)
	}
	return data, err
}

// CountTokens returns how many tokens a prompt has for this server's model,
// those that its tokenizer puts before or after it included: what a
// /completion of it reports as tokens_evaluated.
func (srv *Server) CountTokens(ctx context.Context, text string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	data, err := srv.ask(ctx, http.MethodPost, "/tokenize", map[string]any{"content": text, "add_special": true})
	if err != nil {
		return 0, fmt.Errorf("count tokens: %w", err)
	}
	var answer struct {
		Tokens *[]int32 `json:"tokens"`
	}
	if err := json.Unmarshal(data, &answer); err != nil || answer.Tokens == nil {
		return 0, fmt.Errorf("count tokens: /tokenize answers %.100q, which has no list of tokens; is this llama-server?", data)
	}
	return len(*answer.Tokens), nil
}
