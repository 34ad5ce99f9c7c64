package provision

import (
	"fmt"
	"strings"
)

// An Attempt is a source that was asked, and why it had nothing.
type Attempt struct {
	Source Source
	Err    error
}

// A NotFoundError says that no source has the programs needed. Its message has
// several lines: what each source answered, then what to do by hand.
type NotFoundError struct {
	Need  []string
	Tried []Attempt // in the order in which they were asked
}

func (e *NotFoundError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "no llama.cpp found that has %s; tried:\n", strings.Join(e.Need, ", "))
	for _, t := range e.Tried {
		fmt.Fprintf(&b, "  %-8s %s\n", t.Source+":", strings.ReplaceAll(t.Err.Error(), "\n", "\n           "))
	}
	fmt.Fprintf(&b, `by hand, one of:
  build it:   git clone https://github.com/ggml-org/llama.cpp && cd llama.cpp
              cmake -B build -DCMAKE_BUILD_TYPE=Release && cmake --build build -j $(nproc) --target %s
              then name the folder: --llama-dir llama.cpp/build/bin (or add it to PATH)
  a release:  name one from https://github.com/ggml-org/llama.cpp/releases: --release bNNNN --sha256 HEX
  a folder:   put %s into one and name it: --llama-dir FOLDER`,
		strings.Join(e.Need, " "), strings.Join(e.Need, ", "))
	return b.String()
}

// Unwrap returns what each source answered.
func (e *NotFoundError) Unwrap() []error {
	var errs []error
	for _, t := range e.Tried {
		errs = append(errs, t.Err)
	}
	return errs
}
