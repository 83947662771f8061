package streaming

import "millrace/plan"

// eventTime is 1 + the place of an aggregation's group that has an event time, or 0.
func eventTime(*plan.Aggregate) int { return 0 }
