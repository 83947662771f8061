package javatime

import (
	"testing"
	"time"
)

func TestCivil(t *testing.T) {
	for days := int64(-800_000); days < 3_000_000; days += 37 {
		y, m, d := Civil(days)
		want := time.Unix(days*86400, 0).UTC()
		if y != want.Year() || m != int(want.Month()) || d != want.Day() {
			t.Fatalf("Civil(%d) = %d-%d-%d, want %v", days, y, m, d, want)
		}
		if back := Days(y, m, d); back != days {
			t.Fatalf("Days(%d, %d, %d) = %d, want %d", y, m, d, back, days)
		}
		if wd := (int(want.Weekday()) + 6) % 7; wd != Weekday(days) || YearDay(days) != want.YearDay() {
			t.Fatalf("weekday %d yearday %d of %v", Weekday(days), YearDay(days), want)
		}
		if wy, ww := want.ISOWeek(); true {
			if y, w := ISOWeek(days); y != wy || w != ww {
				t.Fatalf("ISOWeek(%v) = %d %d", want, y, w)
			}
		}
	}
}

func TestZone(t *testing.T) {
	z, err := ZoneOf("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := func(s string) int64 {
		v, ok := ParseLocal(s, true)
		if !ok {
			t.Fatal(s)
		}
		return v
	}
	c := NewCursor(z)
	for _, tt := range [][2]string{{"2024-03-31 02:30:00", "2024-03-31 01:30:00"}, {"2024-10-27 02:30:00", "2024-10-27 00:30:00"},
		{"2024-07-01 12:00:00", "2024-07-01 10:00:00"}, {"2024-01-01 12:00:00", "2024-01-01 11:00:00"}, {"1900-01-01 00:00:00", "1899-12-31 23:00:00"},
		{"2024-10-27 03:00:00", "2024-10-27 02:00:00"}, {"2024-03-31 01:59:59", "2024-03-31 00:59:59"}} {
		if got := z.ToUTC(at(tt[0])); got != at(tt[1]) {
			t.Errorf("ToUTC(%s) is off by %v", tt[0], time.Duration(got-at(tt[1]))*time.Microsecond)
		}
		if got := c.ToUTC(at(tt[0])); got != at(tt[1]) {
			t.Errorf("Cursor.ToUTC(%s) is off by %v", tt[0], time.Duration(got-at(tt[1]))*time.Microsecond)
		}
		if c.ToLocal(at(tt[1])) != z.ToLocal(at(tt[1])) {
			t.Errorf("Cursor.ToLocal(%s)", tt[1])
		}
	}
	for _, bad := range []string{"", "Foo/Bar", "+19", "+1:60", "UTC+", "x"} {
		if _, err := ZoneOf(bad); err == nil {
			t.Errorf("zone %q was accepted", bad)
		}
	}
}

func TestParse(t *testing.T) {
	for s, want := range map[string]bool{"2020": true, "2020-1": true, "2020-01-1 x": true, "2020-01-01T": true, "202": false, "2020-13-01": false,
		"2020-02-30": false, " 2020-02-29\t": true, "-0001-01-01": true, "2020-01-01x": false, "12345678-01-01": false, "": false, "2020-": false} {
		if _, ok := ParseDate(s); ok != want {
			t.Errorf("ParseDate(%q): %v", s, ok)
		}
	}
	for s, want := range map[string]bool{"2020-01-01 1:2:3.1234567": true, "2020-01-01T01:02": true, "2020-01-01 01:02Z": false, "2020-01-01 01:02:03 Europe/Berlin": true,
		"2020-01-01 01:02:03+1:0": true, "2020-01-01 24:00:00": false, "12:03": true, "T12:03:04": true, "2020-01-01 1": true, "2020 01": false, "2020-01-01 01:02:03Foo": false} {
		if _, ok := ParseTimestamp(s, UTC, 0); ok != want {
			t.Errorf("ParseTimestamp(%q): %v", s, ok)
		}
	}
	if v, _ := ParseTimestamp("2020-01-01 00:00:01.5+01:00", UTC, 0); v != 1577833201_500000 {
		t.Error(v)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("2020-01-01 00:00:00.123456 Europe/Berlin")
	f.Add("interval 1 year -2.5 seconds")
	f.Fuzz(func(t *testing.T, s string) {
		ParseDate(s)
		ParseTimestamp(s, UTC, 0)
		ParseTime(s)
		ParseInterval(s)
	})
}

func FuzzFormatter(f *testing.F) {
	f.Add("yyyy-MM-dd'T'HH:mm:ss[.SSS]X", "2020-01-01T00:00:00.5+01", int64(0))
	f.Add("EEE, d MMM yyyy h:mm a z", "x", int64(-1))
	f.Fuzz(func(t *testing.T, pattern, text string, at int64) {
		if p, err := NewFormatter(pattern, true); err == nil {
			if fields, err := p.Parse(text); err == nil {
				fields.Local()
			}
		}
		if p, err := NewFormatter(pattern, false); err == nil {
			p.Format(nil, at%(1<<60), UTC)
		}
	})
}
