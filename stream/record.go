package stream

import (
	"context"
	"encoding/json"
	"time"

	"millrace/errs"
	"millrace/plan"
	"millrace/session"
)

// Records are the running queries as all coordinators know them. A query is run by the one that has claimed it; a claim ends with its
// holder's life or connection.
type Records interface {
	// Save writes a query's record.
	Save(ctx context.Context, id string, record []byte) error
	// Remove forgets a query and the claim to it, if this process has claimed it, or else if it is wanted (stopped by its user).
	Remove(ctx context.Context, id string, wanted bool) error
	// Claim asks for a query; false when another coordinator has it. A coordinator may claim what it has.
	Claim(ctx context.Context, id string) (bool, error)
	// Release gives up a claim.
	Release(ctx context.Context, id string) error
	// Load reads all records by id.
	Load(ctx context.Context) (map[string][]byte, error)
	// Changes yields whenever a record or a claim has changed, and when all claims of this process were lost (lost). It ends with ctx.
	Changes(ctx context.Context) <-chan Change
}

// Change is news of Records.
type Change struct{ Lost bool }

// record is what a query is started with again.
type record struct {
	ID         string
	RunID      string
	Name       string `json:",omitempty"`
	User       string
	Session    string // the client's, which may have ended
	Conf       map[string]string
	Namespace  []string
	Query      []byte // plan.Encode's
	Sink       sinkSpec
	Trigger    session.StreamTrigger
	Checkpoint string
	Started    time.Time
}

// sinkSpec is where a query's rows go.
type sinkSpec struct {
	Format      string
	Path        string
	Options     map[string]string
	Mode        plan.OutputMode
	PartitionBy []string
}

func (r *record) encode() ([]byte, error) { return json.Marshal(r) }

func decodeRecord(data []byte) (*record, plan.Node, error) {
	r := &record{}
	if err := json.Unmarshal(data, r); err != nil {
		return nil, nil, errs.Newf(errs.Internal, "the record of a streaming query cannot be read: %v", err)
	}
	n, err := plan.Decode(r.Query)
	return r, n, err
}

// durable reports whether a query can go on elsewhere: not when its rows go to a client or into a coordinator's memory.
func (spec sinkSpec) durable() bool { return spec.Format == "delta" || spec.Format == "noop" }
