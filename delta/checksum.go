package delta

import (
	"encoding/json"
	"fmt"

	"millrace/errs"
)

// Checksum is what a version's .crc file says about the table at that version.
type Checksum struct {
	TxnID             string            `json:"txnId,omitempty"`
	TableSizeBytes    *int64            `json:"tableSizeBytes"`
	NumFiles          *int64            `json:"numFiles"`
	NumMetadata       int64             `json:"numMetadata"`
	NumProtocol       int64             `json:"numProtocol"`
	InCommitTimestamp *int64            `json:"inCommitTimestampOpt,omitempty"`
	Txns              []*SetTransaction `json:"setTransactions"`
	Domains           []*DomainMetadata `json:"domainMetadata"`
	Metadata          *Metadata         `json:"metadata"`
	Protocol          *Protocol         `json:"protocol"`
}

// maxChecksumTxns is how many applications' progress a checksum holds; where there are more it says nothing of them.
const maxChecksumTxns = 100

// Checksum describes the snapshot; txnID is that of its commit.
func (s *Snapshot) Checksum(txnID string) *Checksum {
	size, files := s.SizeInBytes(), int64(s.NumFiles())
	c := &Checksum{TxnID: txnID, TableSizeBytes: &size, NumFiles: &files, NumMetadata: 1, NumProtocol: 1, Metadata: s.Metadata, Protocol: s.Protocol}
	if s.InCommitTimestamps() {
		at := s.Timestamp
		c.InCommitTimestamp = &at
	}
	if len(s.txns) <= maxChecksumTxns {
		c.Txns = s.Txns()
	}
	if c.Domains = s.Domains(); c.Domains == nil {
		c.Domains = []*DomainMetadata{}
	}
	return c
}

// JSON is the content of the .crc file.
func (c *Checksum) JSON() ([]byte, error) { return compact(c) }

// ParseChecksum reads a .crc file; nil where it cannot be read, since it is optional.
func ParseChecksum(data []byte) *Checksum {
	var c Checksum
	if json.Unmarshal(data, &c) != nil {
		return nil
	}
	return &c
}

// Verify compares a snapshot, which was put together from a checkpoint and commits, with what its writer saw.
func (c *Checksum) Verify(s *Snapshot) error {
	if c.Metadata == nil || c.Metadata.ID != s.Metadata.ID { // it is left from a table that was here before
		return nil
	}
	var wrong string
	switch size, files := s.SizeInBytes(), int64(s.NumFiles()); {
	case c.NumFiles != nil && *c.NumFiles != files:
		wrong = fmt.Sprintf("%d files instead of %d", files, *c.NumFiles)
	case c.TableSizeBytes != nil && *c.TableSizeBytes != size:
		wrong = fmt.Sprintf("%d bytes instead of %d", size, *c.TableSizeBytes)
	case c.Protocol != nil && !c.Protocol.same(s.Protocol):
		wrong = "another protocol"
	case c.Metadata.SchemaString != s.Metadata.SchemaString:
		wrong = "other metadata"
	default:
		return nil
	}
	return errs.New("DELTA_TXN_LOG_FAILED_INTEGRITY", "version", itoa(s.Version), "mismatchStringOpt", wrong)
}
