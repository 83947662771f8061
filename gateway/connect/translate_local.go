package connect

import (
	"bytes"

	"github.com/apache/arrow-go/v18/arrow/ipc"
	"google.golang.org/protobuf/proto"

	"millrace/errs"
	"millrace/plan"
	pb "millrace/proto/spark/connect"
	"millrace/session"
	"millrace/types"
)

// local translates rows that came with the plan.
func (t *translator) local(r *pb.LocalRelation) (plan.Node, error) {
	return localRelation([][]byte{r.Data}, r.GetSchema())
}

// cachedLocal is a whole LocalRelation that was uploaded before.
func (t *translator) cachedLocal(r *pb.CachedLocalRelation) (plan.Node, error) {
	data, err := t.s.Artifacts.Cached(r.Hash)
	if err != nil {
		return nil, err
	}
	local := &pb.LocalRelation{}
	if err := proto.Unmarshal(data, local); err != nil {
		return nil, errs.New("CONNECT_INVALID_PLAN.CANNOT_PARSE", "errorMsg", err.Error())
	}
	return t.local(local)
}

// chunkedLocal is Arrow streams and a schema that were uploaded each on its own.
func (t *translator) chunkedLocal(r *pb.ChunkedCachedLocalRelation) (plan.Node, error) {
	schema := ""
	if r.GetSchemaHash() != "" {
		text, err := t.s.Artifacts.Cached(r.GetSchemaHash())
		if err != nil {
			return nil, err
		}
		schema = string(text)
	}
	var chunks [][]byte
	for _, hash := range r.DataHashes {
		data, err := t.s.Artifacts.Cached(hash)
		if err != nil {
			return nil, err
		}
		chunks = append(chunks, data)
	}
	return localRelation(chunks, schema)
}

// localRelation makes one relation of Arrow streams with the same schema. A schema given as text wins over theirs.
func localRelation(streams [][]byte, schema string) (plan.Node, error) {
	n := &plan.LocalRelation{}
	if schema != "" {
		t, err := parseSchema(schema)
		if err != nil {
			return nil, err
		}
		n.T = t
	}
	if len(streams) == 0 || len(streams[0]) == 0 {
		if n.T == nil {
			n.T = &types.Type{Kind: types.KindStruct}
		}
		return n, nil
	}
	m := merger{into: n, many: len(streams) > 1}
	for _, s := range streams {
		if err := m.add(s); err != nil {
			return nil, errs.New("CONNECT_INVALID_PLAN.CANNOT_PARSE", "errorMsg", err.Error())
		}
	}
	return n, m.finish(streams[0])
}

// merger counts the rows of Arrow streams and writes them into one.
type merger struct {
	into *plan.LocalRelation
	many bool
	buf  bytes.Buffer
	out  *ipc.Writer
}

func (m *merger) add(stream []byte) error {
	r, err := ipc.NewReader(bytes.NewReader(stream))
	if err != nil {
		return err
	}
	defer r.Release()
	if m.into.T == nil {
		if m.into.T, err = session.FromArrow(r.Schema()); err != nil {
			return err
		}
	}
	if m.many && m.out == nil {
		m.out = ipc.NewWriter(&m.buf, ipc.WithSchema(r.Schema()))
	}
	for r.Next() {
		b := r.RecordBatch()
		m.into.Rows += b.NumRows()
		if m.out != nil {
			if err := m.out.Write(b); err != nil {
				return err
			}
		}
	}
	return r.Err()
}

func (m *merger) finish(only []byte) error {
	if m.out == nil {
		m.into.Arrow = only
		return nil
	}
	err := m.out.Close()
	m.into.Arrow = m.buf.Bytes()
	return err
}
