package runner_test

import "os"

func kill(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		p.Kill()
	}
}

func limitFiles(string) {}
