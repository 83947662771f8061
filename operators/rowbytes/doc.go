// Package rowbytes writes rows as byte strings and reads them back: keys and values of stores that know bytes only.
//
//	c := rowbytes.New(columnTypes)
//	b = c.Append(b, batch.Cols, row)      // row of columns in any form
//	d := c.Decoder()
//	err := d.Add(b)                       // row after row
//	columns := d.Columns()
//
// A row is, column after column, a byte 0 for null or 1 and then the value: fixed-width values as they lie in a vector (little-endian),
// strings and binaries with their length as a uvarint in front, arrays and maps with their number of elements, elements and fields as
// columns are. Equal rows have equal bytes if Key made the codec: then all zeros of floating types and all NaNs are one. The form is
// stable: state files on disk are of it.
package rowbytes
