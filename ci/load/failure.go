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
