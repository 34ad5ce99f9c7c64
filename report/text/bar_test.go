package text

import (
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
)

func TestBar(t *testing.T) {
	tests := []struct {
		name              string
		change, low, high float64
		better            record.Direction
		want              string
	}{
		{"none", 0, -0.004, 0.004, record.Higher, "       ┊  ●  ┊       "},
		{"loss", -0.06, -0.08, -0.04, record.Higher, "  ━━●━━┊  │  ┊       "},
		{"gain", 0.06, 0.04, 0.08, record.Higher, "       ┊  │  ┊━━●━━  "},
		{"longer is worse", 0.06, 0.04, 0.08, record.Lower, "  ━━●━━┊  │  ┊       "},
		{"far beyond", -0.5, -0.6, -0.4, record.Higher, "◀      ┊  │  ┊       "},
		{"far better", -0.5, -0.6, -0.4, record.Lower, "       ┊  │  ┊      ▶"},
		{"wide", 0.01, -0.5, 0.5, record.Higher, "◀━━━━━━┿━━┿●━┿━━━━━━▶"},
		{"narrower than a character", -0.0605, -0.061, -0.060, record.Higher, "    ●  ┊  │  ┊       "},
		{"hardly beyond", -0.0298, -0.0299, -0.0297, record.Higher, "      ●┊  │  ┊       "},
		{"hardly within", -0.0288, -0.0289, -0.0287, record.Higher, "       ┊● │  ┊       "},
		{"across one mark", -0.0288, -0.04, -0.02, record.Higher, "      ━┿● │  ┊       "},
	}
	for _, test := range tests {
		row := report.Row{Comparison: report.Comparison{Metric: report.Metric{Better: test.better}}}
		row.Comparison.Change, row.Comparison.Margin = &test.change, &compare.Range{Low: -0.0291, High: 0.03}
		row.Comparison.Interval = &compare.Interval{Low: test.low, High: test.high}
		p := &printer{}
		if got := p.bar(row, 30); got != test.want {
			t.Errorf("%s:\n got %q\nwant %q", test.name, got, test.want)
		}
	}
}

func TestWrap(t *testing.T) {
	tests := []struct {
		in   string
		room int
		want []string
	}{
		{"", 20, []string{""}},
		{"one two three", 10, []string{"one two", "three"}},
		{"1234567890abc de", 10, []string{"1234567890", "abc de"}},
		{"日本語日本語 x", 10, []string{"日本語日本", "語 x"}},
	}
	for _, test := range tests {
		got := wrap(test.in, test.room)
		if len(got) != len(test.want) {
			t.Errorf("wrap(%q, %d) = %q, want %q", test.in, test.room, got, test.want)
			continue
		}
		for i := range got {
			if got[i] != test.want[i] {
				t.Errorf("wrap(%q, %d) = %q, want %q", test.in, test.room, got, test.want)
			}
		}
	}
}
