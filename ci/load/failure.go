package load

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/llama-regress/llama-regress/ci/record"
)

const (
	maxBody  = 2 << 10 // bytes of a failed response that are kept
	maxQuote = 200     // bytes of it in a message
)

// failed returns a failure with its evidence made safe: bounded, valid UTF-8.
func failed(class record.RequestFailureClass, message string, body []byte) *record.RequestFailure {
	return &record.RequestFailure{Class: class, Message: clean([]byte(message), 2*maxQuote), Body: clean(body, maxBody)}
}

// clean returns at most size bytes of b as valid UTF-8: each run of bytes that
// is none becomes U+FFFD.
func clean(b []byte, size int) string {
	return cut(strings.ToValidUTF8(string(cut(b, size)), "\uFFFD"), size)
}

// cut returns at most size bytes of s, without the beginning of a character
// that would be left at their end.
func cut[T string | []byte](s T, size int) T {
	if len(s) <= size {
		return s
	}
	end := size
	for end > max(0, size-utf8.UTFMax+1) && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// quote returns the beginning of what a server wrote, on one line.
func quote(b []byte) string {
	s := clean(b, maxQuote)
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }), " ")
}

// retryable reports whether the same request could succeed when sent again.
func retryable(class record.RequestFailureClass) bool {
	return class != record.ContextExceeded && class != record.HTTP4xx
}

// serverError returns the failure that an error of the server means: the body
// of a response with that status, or an event in mid-stream (status 0).
func (a *answer) serverError(body []byte, status int) *record.RequestFailure {
	told := parseError(body)
	if n := told.PromptTokens.count(); n > 0 {
		a.promptTokens = n
	}
	code := status
	if code == 0 {
		code = told.Code.count()
	}
	class := record.HTTP5xx
	switch {
	case told.contextExceeded():
		class = record.ContextExceeded
	case code == 503 || code == 429:
		class = record.Rejected
	case code >= 400 && code < 500:
		class = record.HTTP4xx
	}
	what := "the server answered"
	if status == 0 {
		what = "the server reported an error in the stream:"
	}
	if code > 0 {
		what += fmt.Sprintf(" %d", code)
	}
	if told.Message != "" {
		what += ": " + quote([]byte(told.Message))
	}
	f := failed(class, what, body)
	f.Status = status
	return f
}

// A toldError is llama-server's error object.
type toldError struct {
	Code         number `json:"code"`
	Message      string `json:"message"`
	Type         string `json:"type"`
	PromptTokens number `json:"n_prompt_tokens"`
}

// parseError reads {"error": {...}}, as sent with a status and in data lines,
// or the object alone, as in error lines. What has another form stays zero.
func parseError(body []byte) (told toldError) {
	var outer struct {
		Error *toldError `json:"error"`
	}
	_ = json.Unmarshal(body, &outer) // a field of another type leaves the others readable
	if outer.Error != nil {
		return *outer.Error
	}
	_ = json.Unmarshal(body, &told)
	return told
}

// contextExceeded knows the three ways to say it: by type since build 6380,
// by message before, and the message of a cache that overflows at run time.
func (t toldError) contextExceeded() bool {
	return t.Type == "exceed_context_size_error" ||
		strings.Contains(t.Message, "exceeds the available context size") ||
		strings.Contains(t.Message, "Context size has been exceeded")
}
