// Package vector holds columnar values: a Vector is one column of a Batch in Arrow-compatible buffers.
//
// Layout. Fixed-width values lie in Data, little-endian, one slot a row: int8/16/32/64, float32/64, one byte a bool,
// decimals of up to 18 digits as int64 (unscaled), longer ones as 16 bytes (decimal128.Num), dates int32 days,
// timestamps int64 microseconds, year-month intervals int32, day-time intervals int64, calendar intervals 16 bytes
// (months int32, days int32, microseconds int64). Strings and binaries lie in Offsets (rows+1) and Bytes, or are
// dictionary codes (int32 in Data) into Dict. Arrays and maps have Offsets and Children; structs have Children (never with a selection of their own),
// and a variant has two: value and metadata. A UDT is laid out as its stored type. Offsets[0] need not be 0.
//
// Ownership. A batch that an operator returns, with all its vectors, belongs to that operator and stays valid until
// its next Next or Close: whoever keeps values longer copies them. A Dict is immutable once a batch has shown it and
// may be kept; two vectors with the same Dict pointer have comparable codes.
//
// Selection. Batch.Sel, when not nil, lists the physical rows that exist, ascending; all others hold anything at all
// and must never raise an error. Kernels write results at the same physical places as their arguments.
package vector
