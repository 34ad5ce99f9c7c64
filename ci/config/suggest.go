package config

import "strings"

// elsewhere maps what other programs call a setting to what we call it.
var elsewhere = map[string]string{
	"ngl": "gpu_layers", "n_gpu_layers": "gpu_layers", "fa": "flash_attn",
	"n_batch": "batch", "batch_size": "batch", "n_ubatch": "ubatch", "ubatch_size": "ubatch",
	"ctk": "type_k", "cache_type_k": "type_k", "ctv": "type_v", "cache_type_v": "type_v",
	"mmp": "mmap", "sm": "split_mode", "mg": "main_gpu", "ts": "tensor_split",
	"nkvo": "kv_offload", "ncmoe": "n_cpu_moe", "device": "devices",
	"runs": "repetitions", "rounds": "blocks", "binary": "bin", "environment": "env", "file": "path",
}

// Suggest returns `; did you mean "threads"?` for the known name most like
// name, or "" when none is like it.
func Suggest(name string, known []string) string {
	lower := strings.ReplaceAll(strings.ToLower(name), "-", "_")
	best, distance := "", max(1, len(lower)/3)+1
	for _, k := range known {
		if elsewhere[lower] == k {
			best = k
			break
		}
		if d := editDistance(lower, k); d < distance {
			best, distance = k, d
		}
	}
	if best == "" {
		return ""
	}
	return `; did you mean "` + best + `"?`
}

// editDistance is the number of characters to insert, delete, replace or swap
// with their neighbour to turn a into b (optimal string alignment).
func editDistance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(a)][len(b)]
}
