package history

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// together calls work with each number below n, on all processors. No two calls may
// write the same.
func together(n int, work func(i int)) {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				work(i)
			}
		})
	}
	workers.Wait()
}
