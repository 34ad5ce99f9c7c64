package record

import (
	"strings"
	"testing"
)

func TestReadBounded(t *testing.T) {
	text := strings.Repeat("x", 2<<20)
	if data, err := readBounded(strings.NewReader(text), "x", 2<<20, mostText); err != nil || string(data) != text {
		t.Errorf("at the limit: %d bytes, %v", len(data), err)
	}
	if _, err := readBounded(strings.NewReader(text+"x"), "x", 2<<20, mostText); err == nil || !strings.Contains(err.Error(), "larger than 2 MiB") {
		t.Errorf("beyond the limit: %v", err)
	}
}
