package record

// A Request is what one HTTP request of a serve trial came to: one row of
// RequestFile. Times are seconds of the monotonic clock since the trial's load
// began. Requests share a server and are never the unit of replication.
type Request struct {
	Trial        string  `json:"trial"`                   // Trial.ID
	Index        int     `json:"index"`                   // place in the order of sending, from 0, warm-up included
	Warmup       bool    `json:"warmup,omitempty"`        // sent before those that count
	Prompt       string  `json:"prompt"`                  // its ID in the dataset
	Turn         int     `json:"turn,omitempty"`          // its place in a conversation, from 1; 0 for a single prompt
	PromptTokens int     `json:"prompt_tokens,omitempty"` // as the server counted them, else as the dataset was counted; 0 when unknown
	CachedTokens *int    `json:"cached_tokens,omitempty"` // of PromptTokens, those that the server took from its prompt cache; nil when it does not tell
	PromptChars  int     `json:"prompt_chars,omitempty"`  // of its text; 0 when unknown
	OutputTokens int     `json:"output_tokens,omitempty"` // as the server counted them; 0 when it did not say
	Due          float64 `json:"due_s"`                   // when it was to be sent: the open loop's schedule; in a closed loop, when its worker was free
	Sent         float64 `json:"sent_s"`                  // when its last attempt was begun
	TTFT         float64 `json:"ttft_s,omitempty"`        // from sending (open loop: from Due) to the first event with content; 0 for none
	Queue        float64 `json:"queue_s,omitempty"`       // the part of TTFT up to the head of the answer, which llama-server sends when a slot takes the request; 0 when none came, or with the first content
	PromptTime   float64 `json:"prompt_s,omitempty"`      // the part of TTFT after that: the prompt is processed; 0 when no content came, or with the head
	TPOT         float64 `json:"tpot_s,omitempty"`        // (last content - first content) / (OutputTokens - 1); 0 when undefined
	MaxGap       float64 `json:"max_gap_s,omitempty"`     // longest pause between two events with content
	Elapsed      float64 `json:"elapsed_s"`               // from sending (open loop: from Due) to the end of the last attempt
	Events       int     `json:"events,omitempty"`        // with content
	InFlight     int     `json:"in_flight"`               // requests under way when it was sent, itself included
	Attempts     int     `json:"attempts"`                // 1 without retries
	FirstFailure string  `json:"first_failure,omitempty"` // class of the first attempt's failure where a retry followed

	Connection Connection      `json:"connection"`
	Slot       *int            `json:"slot,omitempty"` // of the server, where it says which
	Server     *ServerTimings  `json:"server,omitempty"`
	Failure    *RequestFailure `json:"failure,omitempty"` // nil when it succeeded, or was Cut

	// Cut is why a conversation ended with this turn, in the server's words: its
	// history no longer fits into the context. Such a turn is neither answered
	// nor failed. "" for every other.
	Cut string `json:"cut,omitempty"`

	Extra Extra `json:"-"`
}

// A Connection is what a request's last attempt was sent on.
type Connection struct {
	Reused bool    `json:"reused,omitempty"`
	Age    float64 `json:"age_s,omitempty"`  // since it was opened
	Idle   float64 `json:"idle_s,omitempty"` // since its previous response ended
}

// ServerTimings is what the server says of a request; queueing is in none of it.
type ServerTimings struct {
	PromptTokens  int     `json:"prompt_n,omitempty"` // processed, not from a cache
	PromptSeconds float64 `json:"prompt_s,omitempty"`
	OutputTokens  int     `json:"predicted_n,omitempty"`
	OutputSeconds float64 `json:"predicted_s,omitempty"`
	CachedTokens  int     `json:"cache_n,omitempty"`
	DraftTokens   int     `json:"draft_n,omitempty"`          // that speculative decoding drafted
	DraftAccepted int     `json:"draft_n_accepted,omitempty"` // of those
}

// A RequestFailure says why a request did not succeed, with the evidence.
type RequestFailure struct {
	Class   RequestFailureClass `json:"class"`
	Message string              `json:"message"`             // one sentence
	Status  int                 `json:"status,omitempty"`    // of HTTP; 0 when no response began
	Body    string              `json:"body,omitempty"`      // what the server answered, at most 2 KiB, valid UTF-8
	Log     string              `json:"log,omitempty"`       // the server's log for the request's time, at most 2 KiB
	RSS     int64               `json:"rss_bytes,omitempty"` // of the server at that time, 0 when unknown
}

// A RequestFailureClass groups failed requests by what to do about them.
type RequestFailureClass string

const (
	ContextExceeded   RequestFailureClass = "context_exceeded"   // prompt or answer is longer than a slot's context
	Rejected          RequestFailureClass = "rejected"           // the server said that it is busy or loading (503, 429)
	QueueTimeout      RequestFailureClass = "queue_timeout"      // the deadline passed before the first content
	StreamTimeout     RequestFailureClass = "stream_timeout"     // the deadline passed after it
	ConnectionRefused RequestFailureClass = "connection_refused" // nothing listens
	ConnectionReset   RequestFailureClass = "connection_reset"   // a fresh connection broke before the response began
	StaleConnection   RequestFailureClass = "stale_connection"   // a reused connection was closed by the server before the response began
	TruncatedStream   RequestFailureClass = "truncated_stream"   // the stream ended without its final event
	EmptyResponse     RequestFailureClass = "empty_response"     // it ended well, yet without any content
	MalformedEvent    RequestFailureClass = "malformed_event"    // not what an event stream of this API holds
	HTTP4xx           RequestFailureClass = "http_4xx"           // any other status from 400
	HTTP5xx           RequestFailureClass = "http_5xx"           // any other status from 500, or an error in the stream
	ServerCrash       RequestFailureClass = "server_crash"       // the server ended while the request was under way
	ServerOutOfMemory RequestFailureClass = "out_of_memory"      // it ended because memory was short
)

// RequestFailureClasses lists all classes in the order in which they are shown.
var RequestFailureClasses = []RequestFailureClass{
	ContextExceeded, Rejected, QueueTimeout, StreamTimeout, ConnectionRefused, ConnectionReset, StaleConnection,
	TruncatedStream, EmptyResponse, MalformedEvent, HTTP4xx, HTTP5xx, ServerCrash, ServerOutOfMemory,
}
