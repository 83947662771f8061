package checkpoint

import (
	"github.com/parquet-go/parquet-go/format"

	"millrace/types"
)

// statType is the type that an integer column stands for, or nil for a plain number.
func statType(lt *format.LogicalType) *types.Type {
	if lt == nil {
		return nil
	}
	switch v := lt.Value.(type) {
	case *format.DateType:
		return types.Date
	case *format.TimestampType:
		if v.IsAdjustedToUTC {
			return types.Timestamp
		}
		return types.TimestampNTZ
	case *format.DecimalType:
		return types.Decimal(int(v.Precision), int(v.Scale))
	}
	return nil
}
