package callgrind

import (
	"bytes"
	"errors"
	"fmt"
)

// named reads a line "key=value": where the costs that follow belong, or what they
// called or jumped to.
func (p *parser) named(key string, value []byte) error {
	var err error
	switch key {
	case "fn":
		p.at.function, err = p.functions.find(value)
		p.function, p.current = true, -1
	case "fl", "fi", "fe": // of the function, of inlined code, back from it
		p.at.file, err = p.files.find(value)
		p.file, p.current = true, -1
	case "ob":
		p.at.object, err = p.objects.find(value)
		p.object, p.current = true, -1
	case "cfn", "jfn":
		_, err = p.functions.find(value)
	case "cfi", "cfl", "jfi":
		_, err = p.files.find(value)
	case "cob":
		_, err = p.objects.find(value)
	case "calls":
		p.called = true
		return p.position(value, 1)
	case "jump":
		return p.position(value, 1)
	case "jcnd": // "times/of target"
		return p.position(bytes.Replace(value, []byte("/"), []byte(" "), 1), 2)
	}
	if err != nil {
		return fmt.Errorf("%s=: %w", key, err)
	}
	return nil
}

// position checks the counts and the target of a call or jump.
func (p *parser) position(value []byte, counts int) error {
	for range counts {
		word, rest := cutWord(value)
		if _, err := number(word); err != nil {
			return fmt.Errorf("the count %.40q %w", word, err)
		}
		value = rest
	}
	_, err := p.subpositions(value)
	return err
}

// subpositions checks the positions at the beginning of a line, each an absolute
// number, an offset to the one before ("+3", "-2"), or the same ("*"), and returns
// what follows. The lines themselves are not kept.
func (p *parser) subpositions(line []byte) ([]byte, error) {
	for range p.positions {
		word, rest := cutWord(line)
		digits := word
		if len(word) > 1 && (word[0] == '+' || word[0] == '-') {
			digits = word[1:]
		}
		if _, err := number(digits); err != nil && string(word) != "*" {
			return nil, fmt.Errorf("the position %.40q %w", word, err)
		}
		line = rest
	}
	return line, nil
}

// costs reads a line of positions and costs: those of the function, or after
// 'calls=' those of a whole call, which its own functions have already.
func (p *parser) costs(line []byte) error {
	if !p.open {
		return errors.New("a cost before 'events:' or after 'totals:'")
	}
	rest, err := p.subpositions(line)
	if err != nil {
		return err
	}
	var instructions int64
	for i := 0; len(rest) > 0; i++ { // events at the end of the line that did not happen are left out
		var word []byte
		word, rest = cutWord(rest)
		cost, err := number(word)
		switch {
		case err != nil:
			return fmt.Errorf("the cost %.40q %w", word, err)
		case i == p.events:
			return fmt.Errorf("more costs than the %d events", p.events)
		case i == p.ir:
			instructions = cost
		}
	}
	if p.called {
		p.called = false
		return nil
	}
	return p.add(instructions)
}

// add adds instructions to the function, file and object that were named last.
func (p *parser) add(instructions int64) error {
	if !p.function {
		return errors.New("a cost before 'fn='")
	}
	if p.current < 0 {
		if err := p.locate(); err != nil {
			return err
		}
	}
	if p.sum += instructions; p.sum > mostNumber {
		return errors.New("more instructions than can be counted")
	}
	p.sums[p.current] += instructions
	return nil
}

// locate finds the sum that costs here are added to.
func (p *parser) locate() error {
	var err error
	if !p.file {
		p.at.file, err = p.files.add([]byte(unknownName))
		p.file = true
	}
	if err == nil && !p.object {
		p.at.object, err = p.objects.add([]byte(unknownName))
		p.object = true
	}
	if err != nil {
		return err
	}
	sum, ok := p.places[p.at]
	if !ok {
		if len(p.sums) >= mostFunctions {
			return fmt.Errorf("more than %d functions", mostFunctions)
		}
		sum = len(p.sums)
		p.places[p.at], p.sums = sum, append(p.sums, 0)
	}
	p.current = sum
	return nil
}

// cutWord splits a line after its first word.
func cutWord(line []byte) (word, rest []byte) {
	end := bytes.IndexByte(line, ' ')
	if end < 0 {
		return line, nil
	}
	rest = line[end+1:]
	for len(rest) > 0 && rest[0] == ' ' {
		rest = rest[1:]
	}
	return line[:end], rest
}
