package parquet

import (
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// The footer's messages, with the fields that are used here. They differ from the format package's in telling an absent
// value from zero (a missing null count is not a count of no nulls) and in leaving out the rest, which is skipped; but
// structures that hold booleans must be here, because the decoder loses its place when it skips those.
type (
	fileMeta struct {
		Version      int32                            `thrift:"1,required"`
		Schema       thrift.Slice[schemaElement]      `thrift:"2,required"`
		NumRows      int64                            `thrift:"3,required"`
		RowGroups    thrift.Slice[rowGroupMeta]       `thrift:"4,required"`
		KeyValues    thrift.Slice[format.KeyValue]    `thrift:"5,optional"`
		CreatedBy    string                           `thrift:"6,optional"`
		ColumnOrders thrift.Slice[format.ColumnOrder] `thrift:"7,optional"`
		Encryption   format.EncryptionAlgorithm       `thrift:"8,optional"`
	}
	schemaElement struct {
		Type        thrift.Null[format.Type]                `thrift:"1,optional"`
		TypeLength  thrift.Null[int32]                      `thrift:"2,optional"`
		Repetition  thrift.Null[format.FieldRepetitionType] `thrift:"3,optional"`
		Name        string                                  `thrift:"4,required"`
		NumChildren thrift.Null[int32]                      `thrift:"5,optional"`
		Converted   thrift.Null[deprecated.ConvertedType]   `thrift:"6,optional"`
		Scale       thrift.Null[int32]                      `thrift:"7,optional"`
		Precision   thrift.Null[int32]                      `thrift:"8,optional"`
		FieldID     thrift.Null[int32]                      `thrift:"9,optional"`
		Logical     format.LogicalType                      `thrift:"10,optional"`
	}
	rowGroupMeta struct {
		Columns         thrift.Slice[chunkMeta]            `thrift:"1,required"`
		TotalByteSize   int64                              `thrift:"2,required"`
		NumRows         int64                              `thrift:"3,required"`
		Sorting         thrift.Slice[format.SortingColumn] `thrift:"4,optional"`
		FileOffset      int64                              `thrift:"5,optional"`
		TotalCompressed int64                              `thrift:"6,optional"`
		Ordinal         thrift.Null[int16]                 `thrift:"7,optional"`
	}
	chunkMeta struct {
		FilePath          string     `thrift:"1,optional"`
		FileOffset        int64      `thrift:"2,required"`
		Meta              columnMeta `thrift:"3,optional"`
		OffsetIndexOffset int64      `thrift:"4,optional"`
		OffsetIndexLength int32      `thrift:"5,optional"`
		ColumnIndexOffset int64      `thrift:"6,optional"`
		ColumnIndexLength int32      `thrift:"7,optional"`
	}
	columnMeta struct {
		Type             format.Type                   `thrift:"1,required"`
		Encodings        thrift.Slice[format.Encoding] `thrift:"2,required"`
		Path             thrift.Slice[string]          `thrift:"3,required"`
		Codec            format.CompressionCodec       `thrift:"4,required"`
		NumValues        int64                         `thrift:"5,required"`
		Uncompressed     int64                         `thrift:"6,required"`
		Compressed       int64                         `thrift:"7,required"`
		DataPageOffset   int64                         `thrift:"9,required"`
		DictionaryOffset int64                         `thrift:"11,optional"`
		Statistics       statistics                    `thrift:"12,optional"`
		BloomOffset      int64                         `thrift:"14,optional"`
		BloomLength      int32                         `thrift:"15,optional"`
	}
	statistics struct {
		OldMax    thrift.Null[[]byte] `thrift:"1,optional"`
		OldMin    thrift.Null[[]byte] `thrift:"2,optional"`
		NullCount thrift.Null[int64]  `thrift:"3,optional"`
		Max       thrift.Null[[]byte] `thrift:"5,optional"`
		Min       thrift.Null[[]byte] `thrift:"6,optional"`
		MaxExact  thrift.Null[bool]   `thrift:"7,optional"`
		MinExact  thrift.Null[bool]   `thrift:"8,optional"`
	}
	pageHeader struct {
		Type         format.PageType                          `thrift:"1,required"`
		Uncompressed int32                                    `thrift:"2,required"`
		Compressed   int32                                    `thrift:"3,required"`
		Data         thrift.Null[dataPageHeader]              `thrift:"5,optional"`
		Dictionary   thrift.Null[format.DictionaryPageHeader] `thrift:"7,optional"`
		DataV2       thrift.Null[dataPageHeaderV2]            `thrift:"8,optional"`
	}
	dataPageHeader struct {
		NumValues  int32           `thrift:"1,required"`
		Encoding   format.Encoding `thrift:"2,required"`
		Definition format.Encoding `thrift:"3,required"`
		Repetition format.Encoding `thrift:"4,required"`
		Statistics statistics      `thrift:"5,optional"`
	}
	dataPageHeaderV2 struct {
		NumValues       int32             `thrift:"1,required"`
		NumNulls        int32             `thrift:"2,required"`
		NumRows         int32             `thrift:"3,required"`
		Encoding        format.Encoding   `thrift:"4,required"`
		DefinitionBytes int32             `thrift:"5,required"`
		RepetitionBytes int32             `thrift:"6,required"`
		IsCompressed    thrift.Null[bool] `thrift:"7,optional"`
		Statistics      statistics        `thrift:"8,optional"`
	}
)

var compact thrift.CompactProtocol

// boundedReader refuses lists that are longer than the bytes behind them, before anything is allocated for them.
type boundedReader struct {
	thrift.BytesReader
	size int
}

func (r *boundedReader) ReadList() (thrift.List, error) {
	l, err := r.BytesReader.ReadList()
	if err == nil && int(l.Size) > r.size-r.BytesRead() {
		return l, corrupt("a list of %d elements in %d bytes", l.Size, r.size)
	}
	return l, err
}

// messageReader decodes Thrift messages of foreign bytes one after the other; a malformed one is an error, never a panic.
type messageReader struct {
	bounded boundedReader
	decoder *thrift.Decoder
}

func newMessageReader() *messageReader {
	m := &messageReader{}
	m.bounded.BytesReader = compact.NewReaderFromBytes(nil)
	m.decoder = thrift.NewDecoder(&m.bounded)
	return m
}

// read decodes one message from the start of data and returns its length. Strings and bytes may alias data.
func (m *messageReader) read(data []byte, message any) (n int, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = corrupt("thrift message: %v", p)
		}
	}()
	m.bounded.ResetBytes(data)
	m.bounded.size = len(data)
	if err := m.decoder.Decode(message); err != nil {
		return 0, corrupt("thrift message: %v", err)
	}
	return m.bounded.BytesRead(), nil
}
