package delta

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"millrace/errs"
)

// ParseCommit reads the actions of a commit (or of a JSON checkpoint). Lines that hold only unknown actions are left
// out. A line that is not a JSON object of the right shape is an error that names the file and the line.
func ParseCommit(file string, data []byte) ([]Action, error) {
	var actions []Action
	for line := 1; len(data) > 0; line++ {
		text := data
		if i := bytes.IndexByte(data, '\n'); i >= 0 {
			text, data = data[:i], data[i+1:]
		} else {
			data = nil
		}
		if text = bytes.TrimSpace(text); len(text) == 0 {
			continue
		}
		var a Action
		if err := json.Unmarshal(text, &a); err != nil {
			return nil, Corrupt(file, "line "+itoa(int64(line))+": "+err.Error())
		}
		if a != (Action{}) {
			actions = append(actions, a)
		}
	}
	return actions, nil
}

// Corrupt is the error for a file of the log that cannot be read: Spark's condition, with the place and the reason.
func Corrupt(file, reason string) error {
	e := errs.New("FAILED_READ_FILE.NO_HINT", "path", file)
	e.Message += "The transaction log is corrupt: " + reason
	return e
}

// EncodeCommit writes actions one a line, as a commit file holds them.
func EncodeCommit(actions []Action) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	for i := range actions {
		if err := e.Encode(&actions[i]); err != nil {
			return nil, errs.Wrap(err, "encode a commit's action")
		}
	}
	return b.Bytes(), nil
}

// compact encodes a value without escaping <, > and &, which Delta does not escape either.
func compact(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

type plainCommitInfo CommitInfo

// ownMembers are the names of the members of commitInfo that have a field.
var ownMembers = map[string]bool{"inCommitTimestamp": true, "timestamp": true, "userId": true, "userName": true,
	"operation": true, "operationParameters": true, "readVersion": true, "isolationLevel": true, "isBlindAppend": true,
	"operationMetrics": true, "userMetadata": true, "tags": true, "engineInfo": true, "txnId": true, "groupCommit": true}

// UnmarshalJSON takes anything that other engines put into commitInfo: a member of an unexpected type is kept in Other
// instead of being an error, since a table must not become unreadable by its annotations.
func (c *CommitInfo) UnmarshalJSON(data []byte) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	*c = CommitInfo{}
	fields := map[string]any{"inCommitTimestamp": &c.InCommitTimestamp, "timestamp": &c.Timestamp, "userId": &c.UserID,
		"userName": &c.UserName, "operation": &c.Operation, "operationParameters": &c.OperationParameters,
		"readVersion": &c.ReadVersion, "isolationLevel": &c.IsolationLevel, "isBlindAppend": &c.IsBlindAppend,
		"userMetadata": &c.UserMetadata, "tags": &c.Tags, "engineInfo": &c.EngineInfo, "txnId": &c.TxnID, "groupCommit": &c.Group}
	for name, raw := range all {
		target := fields[name]
		switch {
		case name == "operationMetrics":
			c.OperationMetrics = textMap(raw)
		case target == nil || json.Unmarshal(raw, target) != nil:
			if c.Other == nil {
				c.Other = map[string]json.RawMessage{}
			}
			c.Other[name] = raw
		}
	}
	return nil
}

// textMap reads an object whose members may be numbers or anything else as texts.
func textMap(raw json.RawMessage) map[string]string {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil || members == nil {
		return nil
	}
	texts := make(map[string]string, len(members))
	for k, v := range members {
		texts[k] = Text(v)
	}
	return texts
}

// Text is a JSON string's content, or any other JSON value as it is written.
func Text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil && string(raw) != "null" {
		return s
	}
	return string(raw)
}

// MarshalJSON writes the members in Delta's order, operationParameters in the order given, other members last.
func (c *CommitInfo) MarshalJSON() ([]byte, error) {
	whole, err := compact((*plainCommitInfo)(c))
	if err != nil {
		return nil, err
	}
	params, err := c.parameters()
	if err != nil {
		return nil, err
	}
	// operationParameters follows operation, whose text is the last but for what comes after it.
	op, err := compact(c.Operation)
	if err != nil {
		return nil, err
	}
	at := []byte(`"operation":` + string(op))
	out := bytes.Replace(whole, at, append(append(at[:len(at):len(at)], `,"operationParameters":`...), params...), 1)
	for _, name := range slices.Sorted(maps.Keys(c.Other)) {
		if ownMembers[name] {
			continue
		}
		key, _ := compact(name)
		out = append(out[:len(out)-1], ',')
		out = append(append(append(out, key...), ':'), c.Other[name]...)
		out = append(out, '}')
	}
	return out, nil
}

func (c *CommitInfo) parameters() ([]byte, error) {
	names := make([]string, 0, len(c.OperationParameters))
	for _, n := range c.ParameterOrder {
		if _, ok := c.OperationParameters[n]; ok {
			names = append(names, n)
		}
	}
	for _, n := range slices.Sorted(maps.Keys(c.OperationParameters)) {
		if !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	out := []byte{'{'}
	for i, n := range names {
		if i > 0 {
			out = append(out, ',')
		}
		key, err := compact(n)
		if err != nil {
			return nil, err
		}
		out = append(append(append(out, key...), ':'), c.OperationParameters[n]...)
	}
	return append(out, '}'), nil
}
