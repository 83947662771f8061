// Package javatime does with dates and times what Java's and Spark's libraries do: the calendar from days and
// microseconds and back, time zones by Java's names, the texts that a cast accepts, interval texts, and DateTimeFormatter
// patterns.
//
//	days, ok := javatime.ParseDate("2024-02-29")
//	zone, err := javatime.ZoneOf("Europe/Berlin")
//	micros := zone.ToUTC(local)
//
// Dates are days since 1970-01-01 and timestamps microseconds since then, in the proleptic Gregorian calendar. The package
// knows nothing of vectors, types or plans.
package javatime
