package load

import "bytes"

// A quickEvent is what an event between the first and the last of a response says:
// that content came, and counts that go along.
type quickEvent struct {
	content   bool
	predicted int // tokens so far; 0 when not told
	evaluated int // of the prompt; 0 when not told
	slot      int // -1 when not told
}

// quick reads an event of the forms that come with each token, without decoding
// what is not needed: nearly all of a load's events are such, and encoding/json
// takes ten times as long for them. It returns false for everything else, sound or
// not, and for everything that could have another meaning for encoding/json (keys
// of unknown names, repeated ones, escapes in names): read decodes these. Where it
// returns true the event says the same to both, which FuzzQuick holds. The text is
// valid UTF-8.
func (a *answer) quick(text []byte) (e quickEvent, ok bool) {
	s := scanner{text: text}
	e.slot = -1
	native := a.api == Completion
	ok = s.once(func(name []byte) (bit uint, good bool) {
		switch string(name) {
		case "content":
			var some bool
			bit = 1 << 0
			some, good = s.string()
			e.content = e.content || native && some
		case "choices":
			bit = 1 << 1
			good = s.array(func() bool {
				some, ok := s.choice()
				e.content = e.content || !native && some
				return ok
			})
		case "stop", "truncated":
			bit = 1 << 2
			if name[0] == 't' {
				bit = 1 << 3
			}
			good = s.word("false")
		case "tokens_predicted":
			bit = 1 << 4
			e.predicted, good = s.count()
		case "tokens_evaluated":
			bit = 1 << 5
			e.evaluated, good = s.count()
		case "id_slot":
			bit = 1 << 6
			if good = s.word("-1"); !good {
				e.slot, good = s.count()
			}
		case "model":
			bit = 1 << 7
			from := s.at
			_, good = s.string()
			if name := s.text[from:s.at]; good && a.model != "" {
				good = len(name) > 2 && string(name[1:len(name)-1]) == a.model && bytes.IndexByte(name, '\\') < 0
			}
		case "timings", "usage", "error":
			good = s.word("null") // also twice
		case "index", "tokens", "created", "id", "object", "system_fingerprint":
			good = s.value(0)
		default:
			return 0, false
		}
		return bit, good
	})
	return e, ok && s.end()
}

// once passes over an object. member reads the value of a name, and says whether it may
// and by which bit the name is known: a second one of a bit is refused, 0 may repeat.
func (s *scanner) once(member func(name []byte) (bit uint, good bool)) bool {
	var seen uint
	return s.object(func(name []byte) bool {
		bit, good := member(name)
		again := seen&bit != 0
		seen |= bit
		return good && !again
	})
}

// choice passes over an element of OpenAI's choices that is not the last of its
// response, and reports whether it brings content.
func (s *scanner) choice() (content, ok bool) {
	ok = s.once(func(name []byte) (bit uint, good bool) {
		var some bool
		switch string(name) {
		case "text":
			bit = 1
			some, good = s.string()
		case "delta":
			bit = 2
			some, good = s.delta()
		case "finish_reason":
			bit = 4
			good = s.word("null")
		case "index", "logprobs":
			good = s.value(0)
		default:
			return 0, false
		}
		content = content || some
		return bit, good
	})
	return content, ok
}

func (s *scanner) delta() (content, ok bool) {
	ok = s.once(func(name []byte) (bit uint, good bool) {
		var some bool
		switch string(name) {
		case "content":
			bit = 1
			some, good = s.string()
		case "reasoning_content":
			bit = 2
			some, good = s.string()
		case "role":
			_, good = s.string()
		default:
			return 0, false
		}
		content = content || some
		return bit, good
	})
	return content, ok
}
