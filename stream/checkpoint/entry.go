package checkpoint

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"millrace/errs"
)

// Offsets are what a batch reads: the end of its span in each source, in the order in which they stand in the query.
type Offsets struct {
	WatermarkMs int64
	TimestampMs int64             // current_timestamp() of the batch
	Conf        map[string]string // settings that must not change while the query has state
	Ends        []string          // JSON texts; empty: the source had nothing yet
}

// Commit says that a batch is done.
type Commit struct {
	NextWatermarkMs int64
}

// noOffset stands for a source without an offset.
const noOffset = "-"

type offsetsHead struct {
	WatermarkMs int64             `json:"batchWatermarkMs"`
	TimestampMs int64             `json:"batchTimestampMs"`
	Conf        map[string]string `json:"conf"`
}

// Encode is the content of a file below offsets.
func (o Offsets) Encode() []byte {
	head := offsetsHead{o.WatermarkMs, o.TimestampMs, o.Conf}
	if head.Conf == nil {
		head.Conf = map[string]string{}
	}
	var b bytes.Buffer
	b.WriteString("v1\n")
	b.Write(compact(head))
	for _, end := range o.Ends {
		if end == "" {
			end = noOffset
		}
		b.WriteString("\n" + end)
	}
	return b.Bytes()
}

// DecodeOffsets reads a file below offsets; name is for messages.
func DecodeOffsets(name string, data []byte) (Offsets, error) {
	lines, _, err := split(name, data, 1)
	if err != nil {
		return Offsets{}, err
	}
	var head offsetsHead
	if len(lines) == 0 || json.Unmarshal([]byte(lines[0]), &head) != nil {
		return Offsets{}, malformed(name, "it has no line of metadata")
	}
	o := Offsets{head.WatermarkMs, head.TimestampMs, head.Conf, nil}
	for _, end := range lines[1:] {
		if end == noOffset {
			end = ""
		}
		o.Ends = append(o.Ends, end)
	}
	return o, nil
}

// Encode is the content of a file below commits.
func (c Commit) Encode() []byte {
	return append([]byte("v1\n"), compact(struct {
		N int64 `json:"nextBatchWatermarkMs"`
	}{c.NextWatermarkMs})...)
}

// DecodeCommit reads a file below commits; name is for messages.
func DecodeCommit(name string, data []byte) (Commit, error) {
	lines, _, err := split(name, data, 2)
	if err != nil {
		return Commit{}, err
	}
	var c struct {
		N int64 `json:"nextBatchWatermarkMs"`
	}
	if len(lines) == 0 || json.Unmarshal([]byte(lines[0]), &c) != nil {
		return Commit{}, malformed(name, "it has no line of metadata")
	}
	return Commit{c.N}, nil
}

// split checks the version in front and gives the other lines.
func split(name string, data []byte, newest int) (lines []string, version int, err error) {
	text := strings.TrimRight(string(data), "\n")
	if text == "" {
		return nil, 0, malformed(name, "it is empty")
	}
	all := strings.Split(text, "\n")
	digits, ok := strings.CutPrefix(all[0], "v")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 1 {
		return nil, 0, malformed(name, "its first line is no version: "+strconv.Quote(shorten(all[0])))
	}
	if n > newest {
		return nil, 0, malformed(name, "it has version v"+digits+", which is newer than v"+strconv.Itoa(newest))
	}
	return all[1:], n, nil
}

func shorten(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}

func malformed(name, why string) error {
	return errs.Newf(errs.Invalid, "The checkpoint's file %s cannot be read: %s. Use another checkpoint location, or put the file back as it was.", name, why)
}

func compact(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // maps and numbers always encode
	return bytes.TrimRight(b.Bytes(), "\n")
}
