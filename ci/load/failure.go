package load

import (
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

// clean returns at most max bytes of b as valid UTF-8: each run of bytes that
// is none becomes U+FFFD.
func clean(b []byte, max int) string {
	return cut(strings.ToValidUTF8(string(cut(b, max)), "\uFFFD"), max)
}

// cut returns at most max bytes of s, without the beginning of a character
// that would be left at their end.
func cut[T string | []byte](s T, max int) T {
	if len(s) <= max {
		return s
	}
	end := max
	for end > 0 && end > max-utf8.UTFMax && !utf8.RuneStart(s[end]) {
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
