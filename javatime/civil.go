package javatime

// Units of a timestamp.
const (
	MicrosPerSecond = int64(1_000_000)
	MicrosPerMinute = 60 * MicrosPerSecond
	MicrosPerHour   = 60 * MicrosPerMinute
	MicrosPerDay    = 24 * MicrosPerHour
)

// The years that Spark's dates and timestamps may have.
const (
	MinYear = -290_308
	MaxYear = 294_247
)

// FloorDiv and FloorMod divide toward minus infinity; b is positive.
func FloorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// FloorMod is the remainder that goes with FloorDiv.
func FloorMod(a, b int64) int64 {
	r := a % b
	if r < 0 {
		r += b
	}
	return r
}

// Civil gives year, month (1 to 12) and day of the month of a day. The year is counted from March, so that the leap day is
// its last, and cycles of 400 years all have 146097 days.
func Civil(days int64) (year, month, day int) {
	z := days + 719468 // since 0000-03-01
	era := FloorDiv(z, 146097)
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	day = int(doy - (153*mp+2)/5 + 1)
	month = int(mp + 3)
	year = int(yoe + era*400)
	if month > 12 {
		month -= 12
		year++
	}
	return year, month, day
}

// Days is the day of a date, whose parts must be in range.
func Days(year, month, day int) int64 {
	y := int64(year)
	if month <= 2 {
		y--
	}
	era := FloorDiv(y, 400)
	yoe := y - era*400
	mp := int64(month+9) % 12
	doy := (153*mp+2)/5 + int64(day) - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return era*146097 + doe - 719468
}

// IsLeap reports whether a year has a leap day.
func IsLeap(year int) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

var monthDays = [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// MonthLength is the number of days of a month.
func MonthLength(year, month int) int {
	if month == 2 && IsLeap(year) {
		return 29
	}
	return monthDays[month-1]
}

// ValidDate reports whether a date exists.
func ValidDate(year, month, day int) bool {
	return month >= 1 && month <= 12 && day >= 1 && day <= MonthLength(year, month)
}

// YearDay is the day of the year, from 1.
func YearDay(days int64) int {
	y, _, _ := Civil(days)
	return int(days-Days(y, 1, 1)) + 1
}

// Weekday is 0 for Monday to 6 for Sunday.
func Weekday(days int64) int { return int(FloorMod(days+3, 7)) }

// ISOWeek is the ISO 8601 year and week of a day.
func ISOWeek(days int64) (year, week int) {
	thursday := days - int64(Weekday(days)) + 3
	year, _, _ = Civil(thursday)
	return year, int(thursday-Days(year, 1, 1))/7 + 1
}

// AddMonths moves a day by months and keeps the day of the month where the other month has it, else takes its last.
func AddMonths(days int64, months int) int64 {
	y, m, d := Civil(days)
	total := int64(y)*12 + int64(m-1) + int64(months)
	y, m = int(FloorDiv(total, 12)), int(FloorMod(total, 12))+1
	return Days(y, m, min(d, MonthLength(y, m)))
}
