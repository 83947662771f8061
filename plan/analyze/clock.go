package analyze

import (
	"time"

	"millrace/errs"
)

// localMicros is the statement's time as the session's clock on the wall shows it.
func (a *analyzer) localMicros() (int64, error) {
	zone := a.conf.TimeZone
	if zone == "" {
		zone = "UTC"
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return 0, errs.New("INVALID_CONF_VALUE.TIME_ZONE", "confValue", zone, "confName", `"spark.sql.session.timeZone"`)
	}
	_, offset := time.UnixMicro(a.conf.NowMicros).In(loc).Zone()
	return a.conf.NowMicros + int64(offset)*1_000_000, nil
}
