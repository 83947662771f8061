package javatime

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // zones do not depend on what the machine has
)

// Zone is a time zone. It may be used by several goroutines.
type Zone struct {
	Name  string
	loc   *time.Location
	fixed bool
	shift int64 // microseconds east of UTC, when fixed
}

// UTC is the zone of the same name.
var UTC = &Zone{Name: "UTC", loc: time.UTC, fixed: true}

var zones sync.Map // name -> *Zone

// shortZones are Java's ZoneId.SHORT_IDS.
var shortZones = map[string]string{"ACT": "Australia/Darwin", "AET": "Australia/Sydney", "AGT": "America/Argentina/Buenos_Aires",
	"ART": "Africa/Cairo", "AST": "America/Anchorage", "BET": "America/Sao_Paulo", "BST": "Asia/Dhaka", "CAT": "Africa/Harare",
	"CNT": "America/St_Johns", "CST": "America/Chicago", "CTT": "Asia/Shanghai", "EAT": "Africa/Addis_Ababa", "ECT": "Europe/Paris",
	"IET": "America/Indiana/Indianapolis", "IST": "Asia/Kolkata", "JST": "Asia/Tokyo", "MIT": "Pacific/Apia", "NET": "Asia/Yerevan",
	"NST": "Pacific/Auckland", "PLT": "Asia/Karachi", "PNT": "America/Phoenix", "PRT": "America/Puerto_Rico",
	"PST": "America/Los_Angeles", "SST": "Pacific/Guadalcanal", "VST": "Asia/Ho_Chi_Minh", "EST": "-05:00", "MST": "-07:00", "HST": "-10:00"}

// ZoneOf finds a zone by the names that Java and Spark accept: a region, an offset (Z, +1, +01:00, -013000), an offset after
// UTC, GMT or UT, or one of Java's short names.
func ZoneOf(name string) (*Zone, error) {
	if z, ok := zones.Load(name); ok {
		return z.(*Zone), nil
	}
	z, err := findZone(name)
	if err != nil {
		return nil, err
	}
	zones.Store(name, z)
	return z, nil
}

func findZone(name string) (*Zone, error) {
	id := name
	if long, ok := shortZones[id]; ok {
		id = long
	}
	if id == "Z" || id == "UTC" || id == "GMT" || id == "UT" {
		return &Zone{Name: name, loc: time.UTC, fixed: true}, nil
	}
	offset := id
	for _, prefix := range []string{"UTC", "GMT", "UT"} {
		if rest, ok := strings.CutPrefix(id, prefix); ok && rest != "" && (rest[0] == '+' || rest[0] == '-') {
			offset = rest
			break
		}
	}
	if offset != "" && (offset[0] == '+' || offset[0] == '-') {
		seconds, ok := parseOffset(offset)
		if !ok {
			return nil, fmt.Errorf("no time zone %q", name)
		}
		return &Zone{Name: name, loc: time.FixedZone(name, seconds), fixed: true, shift: int64(seconds) * MicrosPerSecond}, nil
	}
	if id == "" || id == "Local" {
		return nil, fmt.Errorf("no time zone %q", name)
	}
	loc, err := time.LoadLocation(id)
	if err != nil {
		return nil, fmt.Errorf("no time zone %q", name)
	}
	return &Zone{Name: name, loc: loc}, nil
}

var offsetForm = regexp.MustCompile(`^([+-])(\d{1,2})(?::(\d{1,2})(?::(\d{1,2}))?|(\d{2})(\d{2})?)?$`)

// parseOffset reads +h, +hh, +hh:mm, +hhmm, +hh:mm:ss and +hhmmss, at most 18 hours, as seconds.
func parseOffset(s string) (int, bool) {
	m := offsetForm.FindStringSubmatch(s)
	if m == nil || len(m[2]) == 1 && m[5] != "" {
		return 0, false
	}
	n := func(a string) int { v, _ := strconv.Atoi(a); return v }
	h, min, sec := n(m[2]), n(m[3])+n(m[5]), n(m[4])+n(m[6])
	total := h*3600 + min*60 + sec
	if min > 59 || sec > 59 || total > 18*3600 {
		return 0, false
	}
	if m[1] == "-" {
		total = -total
	}
	return total, true
}

// Location is the zone for use with package time.
func (z *Zone) Location() *time.Location { return z.loc }

// Fixed reports whether the zone is one offset, and gives it in microseconds.
func (z *Zone) Fixed() (int64, bool) { return z.shift, z.fixed }

// Offset is the zone's microseconds east of UTC at a moment.
func (z *Zone) Offset(micros int64) int64 {
	if z.fixed {
		return z.shift
	}
	_, seconds := time.Unix(FloorDiv(micros, MicrosPerSecond), 0).In(z.loc).Zone()
	return int64(seconds) * MicrosPerSecond
}

// ToLocal is the local time of a moment, as microseconds.
func (z *Zone) ToLocal(micros int64) int64 { return micros + z.Offset(micros) }

// ToUTC is the moment of a local time. A local time that comes twice is taken as the first; one that is skipped moves on by
// the length of the gap.
func (z *Zone) ToUTC(local int64) int64 {
	if z.fixed {
		return local - z.shift
	}
	// The offsets on both sides of any change near this time.
	before, after := z.Offset(local-MicrosPerDay), z.Offset(local+MicrosPerDay)
	if u := local - before; before == after || z.Offset(u) == before {
		if before == after && z.Offset(u) != before { // two changes within two days
			return local - z.Offset(u)
		}
		return u
	}
	if u := local - after; z.Offset(u) == after {
		return u
	}
	return local - before
}

// Cursor converts timestamps that come one after another, most of them between the same two changes of the offset. It is used by
// one goroutine.
type Cursor struct {
	zone       *Zone
	start, end int64 // the moments for which shift holds
	shift      int64
}

// NewCursor makes a cursor of a zone.
func NewCursor(z *Zone) *Cursor {
	c := &Cursor{zone: z}
	if z.fixed {
		c.start, c.end, c.shift = -1<<63, 1<<63-1, z.shift
	}
	return c
}

// ToLocal is Zone.ToLocal.
func (c *Cursor) ToLocal(micros int64) int64 {
	if micros < c.start || micros >= c.end {
		c.move(micros)
	}
	return micros + c.shift
}

// ToUTC is Zone.ToUTC.
func (c *Cursor) ToUTC(local int64) int64 {
	// Far enough from both ends, the offset is the only one that this local time can have.
	if u := local - c.shift; u >= c.start+MicrosPerDay && u < c.end-MicrosPerDay || c.zone.fixed {
		return u
	}
	u := c.zone.ToUTC(local)
	c.move(u)
	return u
}

func (c *Cursor) move(micros int64) {
	if c.zone.fixed {
		return
	}
	t := time.Unix(FloorDiv(micros, MicrosPerSecond), 0).In(c.zone.loc)
	_, seconds := t.Zone()
	c.shift = int64(seconds) * MicrosPerSecond
	start, end := t.ZoneBounds()
	c.start, c.end = -1<<62, 1<<62
	if !start.IsZero() {
		c.start = start.Unix() * MicrosPerSecond
	}
	if !end.IsZero() {
		c.end = end.Unix() * MicrosPerSecond
	}
}
