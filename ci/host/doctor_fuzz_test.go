package host

import (
	"strings"
	"testing"
	"time"
	"unicode"
)

// Whatever the kernel's files hold, a finding is bounded printable lines.
func FuzzFindings(f *testing.F) {
	f.Add("cpu 250 0 0 940 0 0 0 10 0 0", statOf("a\x1b[2J(b) c\n", 95), "MemTotal: 4194304 kB\nMemAvailable: 1 kB\nSwapTotal: 9 kB", "3.00 0.1 0.1 1/200 9", "quiet isolcpus=\x1b[1m2-5", "[always] madvise never")
	f.Add("cpu", "1 (", "memtotal: -5 kB", "NaN", "isolcpus=", "][")
	f.Add("cpu 1 1 1 1 1 1 1 9223372036854775807 1 1", "1 () S", "MemTotal: 1e300 kB", "1e308", "", "[]")
	f.Fuzz(func(t *testing.T, stat, process, meminfo, loadavg, cmdline, thp string) {
		root := treeOf(map[string]string{
			"proc/stat": stat, "proc/7/stat": process, "proc/meminfo": meminfo, "proc/loadavg": loadavg, "proc/cmdline": cmdline,
			"sys/kernel/mm/transparent_hugepage/enabled": thp, "sys/devices/system/cpu/online": "0-1", "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": thp,
		})
		at := time.Unix(1_700_000_000, 0)
		e := examination{tree: root, subject: Subject{Models: map[string]int64{process: 1 << 40}}, own: []int{1}, before: snapshot{at: at, ok: true}, after: root.snapshot(at.Add(time.Second))}
		for _, finding := range e.withRoom().findings() {
			for _, text := range []string{finding.Found, finding.Why, finding.Change} {
				if len([]rune(text)) > 400 || strings.ContainsFunc(text, unicode.IsControl) {
					t.Errorf("%s: %q", finding.Check, text)
				}
			}
			if finding.Severity == "" {
				t.Errorf("%s has no severity", finding.Check)
			}
		}
	})
}
