package load

import (
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// Events as servers send them with each token.
var tokenEvents = map[API][]string{
	Completion: {
		`{"index":0,"content":" w12","tokens":[12],"stop":false,"id_slot":3,"tokens_predicted":7,"tokens_evaluated":31}`,
		`{"index":0,"content":"\"\u00e9\ud83e\udd99\\","tokens":[],"stop":false,"id_slot":-1,"tokens_predicted":0,"tokens_evaluated":31}`,
		`{"content":"a","multimodal":false,"slot_id":0,"stop":false}`,
		"{ \"content\" :\t\"\" ,\n\"stop\" : false }",
	},
	Completions: {
		`{"choices":[{"text":" w12","index":0,"logprobs":null,"finish_reason":null}],"created":1764520000,"model":"m","system_fingerprint":"b1-abc","object":"text_completion","id":"chatcmpl-1"}`,
	},
	Chat: {
		`{"choices":[{"finish_reason":null,"index":0,"delta":{"role":"assistant","content":null}}],"created":1764520000,"id":"chatcmpl-1","model":"m","system_fingerprint":"b1-abc","object":"chat.completion.chunk"}`,
		`{"choices":[{"finish_reason":null,"index":0,"delta":{"content":" w12"}}],"created":1764520000,"id":"chatcmpl-1","model":"m","system_fingerprint":"b1-abc","object":"chat.completion.chunk","usage":null}`,
		`{"choices":[{"finish_reason":null,"index":0,"delta":{"reasoning_content":" w12"}}],"created":1764520000,"id":"chatcmpl-1","model":"m","object":"chat.completion.chunk"}`,
	},
}

// oddEvents have another meaning than they seem to have, or none.
var oddEvents = []string{
	`{"content":"a","Content":""}`, `{"content":"a","content":""}`, `{"cont\u0065nt":"a"}`, `{"content":"a","ſtop":true}`, `{"content":"a","stop":true}`,
	`{"content":"a","stop":false,"STOP":true}`, `{"content":"a"} x`, `{"content":"a",}`, `{"content":"a"`, `{"content":"a","id_slot":-10}`, `{"content":"a","id_slot":01}`,
	`{"content":"a","tokens_predicted":1e3}`, `{"content":"a","tokens_predicted":9999999999}`, `{"content":"a","tokens_predicted":-1}`, `{"content":"a","tokens":[01]}`,
	`{"content":"\x"}`, "{\"content\":\"\n\"}", `{"content":1}`, `{"content":"a","error":{"message":"m"}}`, `{"content":"a","timings":{"predicted_n":5}}`, `{"content":"a","error":nul}`,
	`{"choices":[{"delta":{"content":"a"},"finish_reason":"stop"}]}`, `{"choices":[{"delta":{"content":"a"},"delta":{}}]}`, `{"choices":[],"usage":{"completion_tokens":3}}`,
	`{"choices":[{"text":"a"}],"choices":[]}`, `{"content":"a","tokens":[[[[[[[1]]]]]]]}`, `{"content":"a","model":"n"}`, `{"content":"a","model":"\u006d"}`, `{"content":"a","index":-}`,
	`[]`, `{}`, ``, `{"content":"a","index":1.5}`, `{"content":"a","index":-0}`, `{"content":"a","created":tru}`, `{"content":"a","truncated":true}`,
}

// sameAnswer takes an event both ways, and reports whether quick could read it.
func sameAnswer(t *testing.T, api API, text string) bool {
	t.Helper()
	start := func() answer { return answer{api: api, output: 9, model: "m"} }
	quick, decoded := start(), start()
	e, ok := quick.quick([]byte(text))
	if !ok {
		return false
	}
	quick.takeQuick(e, time.Second)
	last, f := decoded.decode(event{data: []byte(text)}, time.Second)
	if f != nil || last || !reflect.DeepEqual(quick, decoded) {
		t.Errorf("%s, %q: %+v by quick; %+v, last %v, failure %+v by encoding/json", api, text, quick, decoded, last, f)
	}
	return true
}

// The events of each token are read without encoding/json, so that they cost little.
func TestQuick(t *testing.T) {
	for api, events := range tokenEvents {
		for i, text := range events {
			if !sameAnswer(t, api, text) && !strings.Contains(text, "slot_id") {
				t.Errorf("%s: event %d is not read by quick: %s", api, i, text)
			}
		}
	}
	for _, text := range oddEvents {
		for api := range routes {
			sameAnswer(t, api, text)
		}
	}
	var a answer
	a.api = Chat
	text := []byte(tokenEvents[Chat][1])
	if n := testing.AllocsPerRun(100, func() { a.quick(text) }); n != 0 {
		t.Errorf("%v allocations an event", n)
	}
}

// The slot of a response is the last that was told, and one that was told before costs
// nothing.
func TestQuickSlots(t *testing.T) {
	var a answer
	for _, step := range []struct{ told, want int }{{-1, -1}, {0, 0}, {0, 0}, {3, 3}, {-1, 3}} {
		e := quickEvent{content: true, slot: step.told}
		a.takeQuick(e, time.Second)
		if (a.slot == nil) != (step.want < 0) || a.slot != nil && *a.slot != step.want {
			t.Errorf("after %d: %v, want %d", step.told, a.slot, step.want)
		}
	}
	if n := testing.AllocsPerRun(100, func() { a.takeQuick(quickEvent{slot: 3}, time.Second) }); n != 0 {
		t.Errorf("%v allocations an event", n)
	}
}

// Whatever quick can read means the same to encoding/json.
func FuzzQuick(f *testing.F) {
	for _, events := range tokenEvents {
		for _, text := range events {
			f.Add(text)
		}
	}
	for _, text := range oddEvents {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return
		}
		for api := range routes {
			sameAnswer(t, api, text)
		}
	})
}

// BenchmarkTake compares the two ways to read an event of a token.
func BenchmarkTake(b *testing.B) {
	for _, api := range []API{Completion, Chat} {
		e := event{data: []byte(tokenEvents[api][0])}
		if api == Chat {
			e.data = []byte(tokenEvents[api][1])
		}
		a := answer{api: api}
		b.Run(string(api)+"/quick", func(b *testing.B) {
			for b.Loop() {
				a.gaps = a.gaps[:0]
				a.take(e, 0)
			}
		})
		b.Run(string(api)+"/json", func(b *testing.B) {
			for b.Loop() {
				a.gaps = a.gaps[:0]
				a.decode(e, 0)
			}
		})
	}
}
