package expr

import (
	"sync"
	"time"

	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

var zones sync.Map // name -> *time.Location

// Zone is the session's time zone; UTC if it has none or an unknown one (the session checks names when they are set).
func Zone(s *planpb.Settings) *time.Location {
	z, err := LoadZone(s.GetTimeZone())
	if err != nil {
		return time.UTC
	}
	return z
}

// LoadZone finds a time zone by its name (Europe/Rome) or offset (+02:00, UTC+2, GMT-3), as Java does.
func LoadZone(name string) (*time.Location, error) {
	if z, ok := zones.Load(name); ok {
		return z.(*time.Location), nil
	}
	if offset, ok := parseOffset(name); ok {
		z := time.FixedZone(name, offset)
		zones.Store(name, z)
		return z, nil
	}
	id := name
	if long := shortZones[name]; long != "" {
		id = long
	}
	z, err := time.LoadLocation(id)
	if err == nil {
		zones.Store(name, z)
	}
	return z, err
}

// shortZones are Java's old three-letter names.
var shortZones = map[string]string{"ACT": "Australia/Darwin", "AET": "Australia/Sydney", "AGT": "America/Argentina/Buenos_Aires", "ART": "Africa/Cairo",
	"AST": "America/Anchorage", "BET": "America/Sao_Paulo", "BST": "Asia/Dhaka", "CAT": "Africa/Harare", "CNT": "America/St_Johns", "CST": "America/Chicago",
	"CTT": "Asia/Shanghai", "EAT": "Africa/Addis_Ababa", "ECT": "Europe/Paris", "IET": "America/Indiana/Indianapolis", "IST": "Asia/Kolkata",
	"JST": "Asia/Tokyo", "MIT": "Pacific/Apia", "NET": "Asia/Yerevan", "NST": "Pacific/Auckland", "PLT": "Asia/Karachi", "PNT": "America/Phoenix",
	"PRT": "America/Puerto_Rico", "PST": "America/Los_Angeles", "SST": "Pacific/Guadalcanal", "VST": "Asia/Ho_Chi_Minh"}

// parseOffset reads Z, ±h, ±hh, ±h:mm, ±hh:mm, ±hh:mm:ss and ±hhmm, perhaps after UTC, GMT or UT, as seconds east of Greenwich.
func parseOffset(s string) (int, bool) {
	if s == "Z" || s == "UTC" || s == "GMT" || s == "UT" {
		return 0, true
	}
	for _, prefix := range []string{"UTC", "GMT", "UT"} {
		if len(s) > len(prefix) && s[:len(prefix)] == prefix {
			s = s[len(prefix):]
			break
		}
	}
	if len(s) < 2 || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	var parts [3]int
	field, digits := 0, 0
	for _, r := range s[1:] {
		switch {
		case r >= '0' && r <= '9':
			if digits == 2 && len(s) == 5 { // ±hhmm
				field, digits = field+1, 0
			}
			if field > 2 || digits == 2 {
				return 0, false
			}
			parts[field] = parts[field]*10 + int(r-'0')
			digits++
		case r == ':' && digits > 0 && field < 2:
			field, digits = field+1, 0
		default:
			return 0, false
		}
	}
	seconds := parts[0]*3600 + parts[1]*60 + parts[2]
	if digits == 0 || parts[1] > 59 || parts[2] > 59 || seconds > 18*3600 {
		return 0, false
	}
	if s[0] == '-' {
		seconds = -seconds
	}
	return seconds, true
}

// floorDiv and floorMod round towards minus infinity.
func floorDiv(x, y int64) int64 {
	q := x / y
	if x%y != 0 && (x < 0) != (y < 0) {
		q--
	}
	return q
}

func floorMod(x, y int64) int64 { return x - floorDiv(x, y)*y }

// Offset is how many microseconds a zone is ahead of UTC at an instant.
func Offset(micros int64, zone *time.Location) int64 {
	if zone == time.UTC {
		return 0
	}
	_, offset := time.Unix(floorDiv(micros, microsPerSecond), 0).In(zone).Zone()
	return int64(offset) * microsPerSecond
}

// LocalMicros is the wall clock of an instant, in microseconds as if it were UTC.
func LocalMicros(micros int64, zone *time.Location) int64 { return micros + Offset(micros, zone) }

// InstantOf is the instant at which a zone's wall clock shows local: the earlier offset where a clock is put back, shifted
// forward by the gap where it is put forward, as java.time does.
func InstantOf(local int64, zone *time.Location) int64 {
	if zone == time.UTC {
		return local
	}
	before := Offset(local-microsPerDay, zone)
	if at := local - before; Offset(at, zone) == before {
		return at
	}
	after := Offset(local+microsPerDay, zone)
	if at := local - after; Offset(at, zone) == after {
		return at
	}
	return local - before
}

// DaysToCivil is the year, month and day of a day number, in the proleptic Gregorian calendar.
func DaysToCivil(days int64) (year int64, month, day int) {
	z := days + 719468
	era := floorDiv(z, 146097)
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	year, month, day = yoe+era*400, int(mp+3), int(doy-(153*mp+2)/5+1)
	if month > 12 {
		return year + 1, month - 12, day
	}
	return year, month, day
}

// CivilToDays is the day number of a date.
func CivilToDays(year int64, month, day int) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	era := floorDiv(year, 400)
	yoe := year - era*400
	doy := int64((153*(month-3)+2)/5 + day - 1)
	return era*146097 + yoe*365 + yoe/4 - yoe/100 + doy - 719468
}

// DaysInMonth is a month's length.
func DaysInMonth(year int64, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// AddMonths moves a date by months; the day becomes the month's last where it has no such day.
func AddMonths(days, months int32) int32 {
	if months == 0 {
		return days
	}
	y, m, d := DaysToCivil(int64(days))
	total := y*12 + int64(m-1) + int64(months)
	y, m = floorDiv(total, 12), int(floorMod(total, 12))+1
	return int32(CivilToDays(y, m, min(d, DaysInMonth(y, m))))
}

// ShiftTimestamp moves an instant: months and days by the zone's calendar, microseconds by the clock.
func ShiftTimestamp(micros int64, months, days int32, by int64, zone *time.Location) int64 {
	if months != 0 || days != 0 {
		local := LocalMicros(micros, zone)
		day, clock := floorDiv(local, microsPerDay), floorMod(local, microsPerDay)
		day = int64(AddMonths(int32(day), months)) + int64(days)
		micros = InstantOf(day*microsPerDay+clock, zone)
	}
	return micros + by
}

// intAt is a slot of any integer-like type, and floatAt of any floating one; not for hot loops.
func intAt(v *vector.Vector, i int) int64 {
	switch vector.Width(v.Type) {
	case 1:
		return int64(vector.Values[int8](v)[i])
	case 2:
		return int64(vector.Values[int16](v)[i])
	case 4:
		return int64(vector.Values[int32](v)[i])
	}
	return vector.Values[int64](v)[i]
}

func floatAt(v *vector.Vector, i int) float64 {
	if v.Type.Kind == types.KindFloat {
		return float64(vector.Values[float32](v)[i])
	}
	return vector.Values[float64](v)[i]
}
