package host

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	leastRoom = 64 << 20 // B on the disk: less than logs and record of a long run take
	goodRoom  = 1 << 30
)

// output is Hard when the folder cannot be written to: nothing would be kept.
func (e *examination) output() Finding {
	if e.subject.Dir == "" {
		return unknown("no output folder is given")
	}
	dir, err := existing(e.subject.Dir)
	if err == nil {
		var f *os.File
		if f, err = os.CreateTemp(dir, ".llama-regress-doctor-*"); err == nil {
			f.Close()
			err = os.Remove(f.Name())
		}
	}
	if err != nil {
		return Finding{Severity: Hard, Found: oneLine(err.Error(), 200), Why: "nothing that is measured could be kept", Change: "choose an output folder that can be written to (--dir)"}
	}
	return fine(e.subject.Dir + " can be written to")
}

// existing is the folder or the nearest one above it that is there.
func existing(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	for err == nil {
		if _, missing := os.Stat(dir); !os.IsNotExist(missing) {
			return dir, nil
		}
		dir = filepath.Dir(dir)
	}
	return "", err
}

func (e *examination) disk() Finding {
	if e.subject.Dir == "" {
		return unknown("no output folder is given")
	}
	dir, err := existing(e.subject.Dir)
	if err != nil {
		return unknown("not told")
	}
	free, err := e.room(dir)
	f := Finding{Found: sizeOf(float64(free)) + " free", Change: "make room, or choose an output folder on another disk (--dir)"}
	switch {
	case err != nil:
		return unknown("not told")
	case free < leastRoom:
		f.Severity, f.Why = Hard, "logs and record would not fit, and the run would end early"
		return f
	case free < goodRoom:
		f.Severity, f.Why = Soft, "logs of many trials, or of a server, may fill it"
		return f
	}
	return fine(f.Found)
}

// memory is Hard when a model is larger than all memory there is and there is
// no graphics card that might hold it: its weights would come from the disk in
// each pass. That some of the memory is in use now may be over soon.
func (e *examination) memory() Finding {
	total, available := e.tree.memory("memtotal"), e.tree.memory("memavailable")
	if total == 0 || available == 0 {
		return unknown("not told")
	}
	whose := ""
	if limit := e.tree.memoryLimit(); limit > 0 && limit < total {
		total, available, whose = limit, min(available, limit), " that this control group may use"
	}
	found := fmt.Sprintf("%s free of %s%s", sizeOf(available), sizeOf(total), whose)
	name, largest := "", 0.0
	for n, bytes := range e.subject.Models {
		if b := float64(bytes); b > largest || b == largest && n < name {
			name, largest = n, b
		}
	}
	f := Finding{
		Severity: Soft, Found: fmt.Sprintf("%s; %s takes %s", found, oneLine(name, 80), sizeOf(largest)),
		Why:    "weights that do not fit are read from the disk again in each pass",
		Change: "measure a smaller model, or stop what uses the memory",
	}
	switch {
	case largest > total && !e.tree.graphics():
		f.Severity = Hard
		return f
	case largest > available:
		return f
	case largest > 0:
		return fine(f.Found)
	}
	return fine(found)
}

func (e *examination) swap() Finding {
	total, free := e.tree.memory("swaptotal"), e.tree.memory("swapfree")
	switch {
	case e.tree.memory("memtotal") == 0:
		return unknown("not told")
	case total == 0:
		return fine("none")
	case free >= total:
		return fine(sizeOf(total) + ", unused")
	}
	return Finding{
		Severity: Soft, Found: fmt.Sprintf("%s of %s in use", sizeOf(total-free), sizeOf(total)),
		Why:    "memory has been short, and pages that are read back in a trial stop it for milliseconds each",
		Change: "sudo swapoff -a && sudo swapon -a, with enough free memory",
	}
}

// memory is a value of /proc/meminfo in bytes, 0 when it is not told.
func (t tree) memory(field string) float64 {
	for _, fields := range t.fields("proc/meminfo") {
		if kib, err := strconv.ParseFloat(strings.TrimSuffix(fields[field], " kB"), 64); err == nil {
			return kib * 1024
		}
	}
	return 0
}

// memoryLimit is the tightest limit in bytes of the control groups of this
// process, 0 for none.
func (t tree) memoryLimit() float64 {
	least := 0.0
	for line := range strings.SplitSeq(t.text("proc/self/cgroup"), "\n") {
		part := strings.SplitN(line, ":", 3)
		if len(part) != 3 {
			continue
		}
		mount, file := "sys/fs/cgroup/", "memory.max"
		if part[1] != "" {
			if part[1] != "memory" {
				continue
			}
			mount, file = mount+"memory/", "memory.limit_in_bytes"
		}
		for _, dir := range upward(part[2]) {
			name := strings.ReplaceAll(mount+dir+"/"+file, "/./", "/")
			if limit, ok := wholeNumber([]byte(t.text(name))); ok && limit > 0 && (least == 0 || limit < least) {
				least = limit
			}
		}
	}
	return least
}

// graphics says whether there is a card that may hold a model, whoever made it.
func (t tree) graphics() bool {
	return t.exists("proc/driver/nvidia/version") || t.exists("dev/kfd") || t.exists("dev/dri/renderD128")
}

// sizeOf writes bytes for people.
func sizeOf(bytes float64) string {
	if bytes < 1<<30 {
		return fmt.Sprintf("%.0f MiB", bytes/(1<<20))
	}
	return fmt.Sprintf("%.1f GiB", bytes/(1<<30))
}
