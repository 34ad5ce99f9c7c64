package sharegpt

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestTurns(t *testing.T) {
	const (
		h, g = `{"from":"human","value":"`, `{"from":"gpt","value":"`
		end  = `"}`
	)
	list := func(parts ...string) string {
		var all []string
		for i, p := range parts {
			role := h
			if i%2 == 1 {
				role = g
			}
			all = append(all, role+p+end)
		}
		return `{"id":"x","conversations":[` + strings.Join(all, ",") + "]}"
	}
	for _, c := range []struct {
		record      string
		least, most int
		want        []Turn // nil where it is refused
	}{
		{list("a", "b", "c", "d"), 1, 1, []Turn{{"a", "b"}}},
		{list("a", "b", "c", "d"), 2, 9, []Turn{{"a", "b"}, {"c", "d"}}},
		{list("a", "b", "c"), 2, 2, []Turn{{"a", "b"}, {"c", ""}}},
		{list("a", "b", "c", "d"), 3, 3, nil},
		{list("a"), 1, 4, []Turn{{"a", ""}}},
		{list("a"), 2, 4, nil},
		{list("a", "", "c", "d"), 2, 4, nil}, // an answer that is missing breaks the history off
		{list("a", "", "c", "d"), 1, 4, []Turn{{"a", ""}}},
		{list("a", "b", " ", "d", "e"), 1, 4, []Turn{{"a", "b"}}},
		{list(" ", "b", "c", "d"), 1, 4, []Turn{{"c", "d"}}},
		{`{"conversations":[` + g + `x` + end + "," + h + `a` + end + "," + g + `b` + end + "]}", 1, 4, []Turn{{"a", "b"}}},                                  // a continuation
		{`{"conversations":[` + h + `a` + end + "," + h + `b` + end + "," + g + `c` + end + "]}", 1, 4, []Turn{{"a", ""}}},                                   // two in a row
		{`{"conversations":[` + h + `a` + end + "," + g + `b` + end + "," + g + `c` + end + "," + h + `d` + end + "]}", 1, 4, []Turn{{"a", "b"}, {"d", ""}}}, // the first answer
		{`{"messages":[{"role":"system","content":"s"},{"role":"user","content":"a"},{"role":"tool","content":"t"},{"role":"assistant","content":"b"}]}`, 1, 2, []Turn{{"a", "b"}}},
		{`{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":[{"type":"text","text":"c"},{"type":"image_url"}]}]}`, 1, 2, []Turn{{"a", "b"}}},
		{`{"id":"x","data":["a","b","c","d"]}`, 2, 2, []Turn{{"a", "b"}, {"c", "d"}}},
		{`{"prompt":"a","response":"b"}`, 1, 2, []Turn{{"a", "b"}}},
		{`{"prompt":"a","response":"b"}`, 2, 2, nil},
	} {
		file := filepath.Join(t.TempDir(), "f.json")
		if err := os.WriteFile(file, []byte(c.record), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, rule := range []string{Human, First} {
			s, err := Sample(context.Background(), file, Selection{Rule: rule, Sample: 1, Turns: Turns{c.least, c.most}}, nil)
			switch {
			case c.want == nil:
				if err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "provision dataset") {
					t.Errorf("%s, %d to %d turns: %v", c.record, c.least, c.most, err)
				}
			case err != nil:
				t.Errorf("%s, %d to %d turns: %v", c.record, c.least, c.most, err)
			case !slices.Equal(s.Prompts[0].Turns, c.want):
				t.Errorf("%s, %d to %d turns: %q, want %q", c.record, c.least, c.most, s.Prompts[0].Turns, c.want)
			case s.Prompts[0].Text != c.want[0].Text:
				t.Errorf("%s: prompt %q, first turn %q", c.record, s.Prompts[0].Text, c.want[0])
			}
		}
	}
}

type wordCounter struct{}

func (wordCounter) CountTokens(_ context.Context, text string) (int, error) {
	return len(strings.Fields(text)), nil
}

func TestTurnsLimits(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f.json")
	record := `{"prompt":"x"}{"conversations":[{"from":"human","value":"a a a"},{"from":"gpt","value":"b b"},{"from":"human","value":"c"}]}`
	if err := os.WriteFile(file, []byte(record), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		sel  Selection
		want string // of the error, "" for none
	}{
		{Selection{Turns: Turns{2, 2}, MaxTotalTokens: 6}, ""},
		{Selection{Turns: Turns{2, 2}, MaxTotalTokens: 5}, "conversation over 5 tokens"},
		{Selection{Turns: Turns{2, 2}, MaxTotalTokens: 11, OutputTokens: 4}, "conversation over 11 tokens"}, // 3 and 4, 1 and 4
		{Selection{Turns: Turns{2, 2}, MaxTotalTokens: 12, OutputTokens: 4}, ""},
		{Selection{Turns: Turns{2, 2}, MaxPromptTokens: 2}, "prompt over 2 tokens"},
		{Selection{Turns: Turns{0, 2}}, "0 to 2 turns"},
		{Selection{Turns: Turns{3, 2}}, "3 to 2 turns"},
		{Selection{Turns: Turns{2, 2}, Rule: VLLM}, "rule vllm takes the first two"},
		{Selection{Turns: Turns{2, 2}, Sample: 2}, "1: fewer than 2 turns"},
	} {
		c.sel.Sample = max(c.sel.Sample, 1)
		_, err := Sample(context.Background(), file, c.sel, wordCounter{})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.sel, err, c.want)
		}
	}
}
