package javatime

// The hybrid calendar of old Java and of Spark before 3.0: Julian up to 1582-10-04, Gregorian from the next day, 1582-10-15, on.

const (
	firstGregorianDay = -141427       // 1582-10-15
	lastOldZone       = -2208988800e6 // 1900-01-01 UTC: before it old Java's zones have their later standard time
)

// HybridDay is the day of the proleptic Gregorian calendar that is written as days is in the hybrid one.
func HybridDay(days int64) int64 {
	if days >= firstGregorianDay {
		return days
	}
	y, m, d := julian(days)
	return Days(y, m, d)
}

// julian is the date in the Julian calendar of a day since 1970-01-01 (Gregorian).
func julian(days int64) (year, month, day int) {
	// Days since 0000-03-01 (Julian), which was the day -719470.
	n := days + 719470
	cycle := FloorDiv(n, 1461)
	r := n - cycle*1461
	y := min(r/365, 3)
	r -= y * 365
	m := (5*r + 2) / 153
	day = int(r-(153*m+2)/5) + 1
	month = int(m) + 3
	year = int(cycle*4 + y)
	if month > 12 {
		month, year = month-12, year+1
	}
	return year, month, day
}

// HybridMoment is the moment whose local time in the zone is written as that of micros is in the hybrid calendar with old Java's offsets.
func HybridMoment(micros int64, z *Zone) int64 {
	if micros >= lastOldZone {
		return micros
	}
	local := micros + z.Offset(lastOldZone)
	day := FloorDiv(local, MicrosPerDay)
	return z.ToUTC(HybridDay(day)*MicrosPerDay + local - day*MicrosPerDay)
}

// OldDay reports whether the calendars differ in a day.
func OldDay(days int64) bool { return days < firstGregorianDay }

// OldMoment reports whether the calendars or zones may differ in a moment.
func OldMoment(micros int64) bool { return micros < lastOldZone }
