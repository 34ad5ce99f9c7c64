package llama

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"runtime"

	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
)

// machines are the processors of ELF files by Go's names, as far as llama.cpp is
// built for them.
var machines = map[string]elf.Machine{
	"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64, "386": elf.EM_386, "arm": elf.EM_ARM, "riscv64": elf.EM_RISCV,
	"ppc64le": elf.EM_PPC64, "s390x": elf.EM_S390, "loong64": elf.EM_LOONGARCH,
}

// startable says so where a program is built for another processor than this
// machine's, whose loader would speak of a file that is not there. It starts
// nothing. A script or a program of another form is taken for one that can be
// started.
func startable(path string) error {
	f, err := elf.Open(path)
	var form *elf.FormatError
	switch {
	case errors.As(err, &form), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), err != nil && runtime.GOOS != "linux":
		return nil
	case err != nil:
		return fmt.Errorf("%w; make it readable", err)
	}
	defer f.Close()
	if here, known := machines[runtime.GOARCH]; known && f.Machine != here {
		return fmt.Errorf("%s is built for another processor (%s, this machine has %s): build llama.cpp on this machine", path, f.Machine, here)
	}
	return nil
}

// Startable says which programs of a plan are not there, not executable or built
// for another processor, so that this is told before anybody waits for the machine.
// It starts nothing.
func Startable(p *plan.Plan) error {
	var faults []error
	told := make(map[string]bool)
	for _, t := range p.Trials {
		arm, kind := p.Arms[t.Arm], programOf(p.Cells[t.Cell].Cell)
		if arm.ControlOf != "" || arm.URL != "" || kind == "" || told[arm.Name+"/"+kind] {
			continue
		}
		told[arm.Name+"/"+kind] = true
		path, err := findProgram(arm.Bin, kind)
		if err == nil {
			err = startable(path)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("arm %s: %w", arm.Name, err))
		}
	}
	return errors.Join(faults...)
}

// programOf is the one that trials of a cell start, "" for none of llama.cpp's.
func programOf(c record.Cell) string {
	w, _ := record.WorkloadByName(c.Workload)
	return w.Program
}
