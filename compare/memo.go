package compare

import "sync"

// A memo keeps what was found for each key, for all goroutines. Its zero value is
// empty.
type memo[K comparable, V any] struct {
	mu    sync.RWMutex
	found map[K]V
}

// get returns what find found for the key, now or earlier. Two goroutines may find
// it both.
func (m *memo[K, V]) get(key K, find func() V) V {
	m.mu.RLock()
	v, ok := m.found[key]
	m.mu.RUnlock()
	if ok {
		return v
	}
	v = find()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.found == nil {
		m.found = make(map[K]V)
	}
	if earlier, ok := m.found[key]; ok {
		return earlier
	}
	m.found[key] = v
	return v
}
