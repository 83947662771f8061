package engine_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestClickBench runs the 43 queries of ClickBench over a table of that shape. MILLRACE_SUITES_SCALE counts millions of rows.
func TestClickBench(t *testing.T) {
	runSuite(t, func(p *peer, scale float64) (tables []string, queries []suiteQuery) {
		rows := int(scale * 1e6)
		p.ask(t, hits(rows, envInt(t, "MILLRACE_SUITES_SEED", 1)))
		return []string{"hits"}, clickBench(rows)
	})
}

// hits is the statement that makes the table of page views, with all its 105 columns. Every value is a hash of the row's number, the column's and the seed.
func hits(rows, seed int) string {
	salt := seed * 1000
	hash := func() string {
		salt++
		return fmt.Sprintf("hash(id, %d)", salt)
	}
	below := func(n int) string { return fmt.Sprintf("%s %% %d", hash(), n) }
	// skewed are numbers below n of which small ones come much more often
	skewed := func(n int) string { return fmt.Sprintf("floor(%d * pow((%s) / 1e6, 4))", n, below(1_000_000)) }
	// rarely is an expression in so many rows of a thousand, else another
	rarely := func(perMille int, e, otherwise string) string {
		return fmt.Sprintf("CASE WHEN %s < %d THEN %s ELSE %s END", below(1000), perMille, e, otherwise)
	}
	word := func(n int) string { return fmt.Sprintf("printf('w%%x', CAST(%s AS BIGINT))", skewed(n)) }
	some := func(values ...string) string {
		return fmt.Sprintf("list_extract(['%s'], 1 + CAST(%s AS BIGINT))", strings.Join(values, "', '"), skewed(len(values)))
	}
	address := func(who string) string {
		return rarely(20, "'http://www.google.com/search?q=' || "+word(300), rarely(60, "'https://'", "'http://'")+" || "+rarely(300, "'www.'", "''")+
			" || 'site' || CAST(CAST("+skewed(500)+" AS INT) AS VARCHAR) || '.ru/"+who+"/' || "+word(2000)+" || "+rarely(100, "'/news?id=' || "+word(50), "'.html'"))
	}
	second := fmt.Sprintf("TIMESTAMP '2013-07-01 00:00:00' + to_seconds(CAST(%s AS BIGINT))", below(31*86400))
	var inner, outer []string
	add := func(name, kind, e string) {
		inner = append(inner, fmt.Sprintf("CAST(%s AS %s) AS %s", e, kind, name))
		outer = append(outer, name)
	}
	// later is a column that is made of others
	later := func(name, kind, e string) { outer = append(outer, fmt.Sprintf("CAST(%s AS %s) AS %s", e, kind, name)) }
	each := func(kind string, e func() string, names ...string) {
		for _, n := range names {
			add(n, kind, e())
		}
	}
	flag := func(perMille int) func() string { return func() string { return rarely(perMille, "1", "0") } }
	few := func(perMille, n int) func() string {
		return func() string { return rarely(perMille, skewed(n), "0") }
	}
	text := func(perMille, n int) func() string {
		return func() string { return rarely(perMille, word(n), "''") }
	}

	add("WatchID", "BIGINT", hash()+" >> 1")
	add("JavaEnable", "SMALLINT", rarely(800, "1", "0"))
	add("Title", "VARCHAR", rarely(100, "''", rarely(15, "'Google - ' || "+word(200), "'Страница ' || "+word(3000)+" || ' о ' || "+word(100))))
	add("GoodEvent", "SMALLINT", "1")
	add("EventTime", "TIMESTAMP", second)
	later("EventDate", "DATE", "EventTime")
	add("CounterID", "INTEGER", rarely(300, "62", "1 + "+skewed(6000)))
	add("ClientIP", "INTEGER", "1000 + "+skewed(2_000_000))
	add("RegionID", "INTEGER", "1 + "+skewed(5000))
	add("user", "BIGINT", skewed(max(rows/5, 10)))
	outer[len(outer)-1] = "CAST(CASE WHEN user = 0 THEN 435090932899640449 ELSE hash(user, 77) >> 1 END AS BIGINT) AS UserID"
	each("SMALLINT", few(400, 4), "CounterClass")
	each("SMALLINT", few(950, 90), "OS", "UserAgent")
	add("URL", "VARCHAR", rarely(10, "''", address("page")))
	add("Referer", "VARCHAR", rarely(250, "''", address("from")))
	each("SMALLINT", flag(120), "IsRefresh")
	each("SMALLINT", few(500, 20000), "RefererCategoryID")
	each("INTEGER", few(500, 5000), "RefererRegionID")
	each("SMALLINT", few(500, 20000), "URLCategoryID")
	each("INTEGER", few(500, 5000), "URLRegionID")
	add("ResolutionWidth", "SMALLINT", some("1366", "1920", "1280", "1024", "1600", "1440", "320", "0"))
	add("ResolutionHeight", "SMALLINT", some("768", "1080", "1024", "900", "480", "0"))
	add("ResolutionDepth", "SMALLINT", some("32", "24", "23", "0"))
	each("SMALLINT", few(900, 12), "FlashMajor", "FlashMinor")
	each("VARCHAR", text(700, 200), "FlashMinor2")
	each("SMALLINT", few(100, 5), "NetMajor", "NetMinor")
	each("SMALLINT", few(980, 40), "UserAgentMajor")
	each("VARCHAR", text(500, 30), "UserAgentMinor")
	each("SMALLINT", flag(990), "CookieEnable", "JavascriptEnable")
	each("SMALLINT", flag(60), "IsMobile")
	each("SMALLINT", few(70, 80), "MobilePhone")
	add("MobilePhoneModel", "VARCHAR", rarely(70, some("iPad", "iPhone", "GT-I9300", "Lumia", "Desire", "7"), "''"))
	each("VARCHAR", text(20, 500), "Params")
	add("IPNetworkID", "INTEGER", skewed(4_000_000))
	add("TraficSourceID", "SMALLINT", skewed(9)+" - 1")
	each("SMALLINT", few(150, 60), "SearchEngineID")
	add("SearchPhrase", "VARCHAR", rarely(130, word(800)+" || ' ' || "+word(60), "''"))
	each("SMALLINT", few(8, 40), "AdvEngineID")
	each("SMALLINT", flag(1), "IsArtifical")
	each("SMALLINT", few(950, 1900), "WindowClientWidth", "WindowClientHeight")
	add("ClientTimeZone", "SMALLINT", some("-240", "-180", "-120", "-60", "0", "60", "300"))
	later("ClientEventTime", "TIMESTAMP", "EventTime + to_minutes(CAST(ClientTimeZone AS BIGINT))")
	each("SMALLINT", few(400, 6), "SilverlightVersion1", "SilverlightVersion2")
	each("INTEGER", few(400, 60000), "SilverlightVersion3")
	each("SMALLINT", few(100, 5), "SilverlightVersion4")
	add("PageCharset", "VARCHAR", some("utf-8", "windows-1251", "koi8-r", ""))
	add("CodeVersion", "INTEGER", some("292", "283", "1601"))
	each("SMALLINT", flag(80), "IsLink")
	each("SMALLINT", flag(10), "IsDownload")
	each("SMALLINT", flag(40), "IsNotBounce")
	add("FUniqID", "BIGINT", rarely(700, hash()+" >> 1", "0"))
	each("VARCHAR", text(100, 5000), "OriginalURL")
	add("HID", "INTEGER", below(2_000_000_000))
	each("SMALLINT", flag(5), "IsOldCounter", "IsEvent")
	each("SMALLINT", flag(30), "IsParameter")
	each("SMALLINT", flag(90), "DontCountHits")
	each("SMALLINT", flag(20), "WithHash")
	add("HitColor", "VARCHAR", some("5", "D", "T", "E"))
	later("LocalEventTime", "TIMESTAMP", "EventTime - INTERVAL 3 HOUR")
	each("SMALLINT", few(300, 60), "Age")
	each("SMALLINT", few(300, 3), "Sex", "Income")
	each("SMALLINT", few(200, 30000), "Interests")
	each("SMALLINT", few(40, 9), "Robotness")
	add("RemoteIP", "INTEGER", skewed(2_000_000))
	each("INTEGER", few(900, 10000), "WindowName", "OpenerName")
	add("HistoryLength", "SMALLINT", "1 + "+skewed(50))
	add("BrowserLanguage", "VARCHAR", some("ru", "en", "de", "uk", ""))
	add("BrowserCountry", "VARCHAR", some("RU", "UA", "US", "DE", ""))
	each("VARCHAR", text(3, 4), "SocialNetwork", "SocialAction")
	add("HTTPError", "SMALLINT", rarely(5, "404", "0"))
	each("INTEGER", few(600, 30000), "SendTiming", "DNSTiming", "ConnectTiming", "ResponseStartTiming", "ResponseEndTiming", "FetchTiming")
	each("SMALLINT", few(5, 10), "SocialSourceNetworkID")
	each("VARCHAR", text(5, 90), "SocialSourcePage")
	each("BIGINT", few(5, 1_000_000), "ParamPrice")
	each("VARCHAR", text(4, 1000), "ParamOrderID")
	add("ParamCurrency", "VARCHAR", some("NH\x1c", "RUB", "USD"))
	each("SMALLINT", few(5, 900), "ParamCurrencyID")
	each("VARCHAR", text(6, 40), "OpenstatServiceName", "OpenstatCampaignID", "OpenstatAdID", "OpenstatSourceID")
	each("VARCHAR", text(12, 60), "UTMSource", "UTMMedium", "UTMCampaign", "UTMContent", "UTMTerm", "FromTag")
	each("SMALLINT", flag(10), "HasGCLID")
	add("referred", "BIGINT", below(20))
	outer[len(outer)-1] = "CAST(CASE WHEN referred = 0 THEN 3594120000172545465 ELSE hash(Referer) >> 1 END AS BIGINT) AS RefererHash"
	add("located", "BIGINT", below(20))
	outer[len(outer)-1] = "CAST(CASE WHEN located = 0 THEN 2868770270353813622 ELSE hash(URL) >> 1 END AS BIGINT) AS URLHash"
	each("INTEGER", few(2, 4000), "CLID")
	if len(outer) != 105 {
		panic(fmt.Sprint("the table has ", len(outer), " columns"))
	}
	return fmt.Sprintf("CREATE TABLE hits AS SELECT %s FROM (SELECT %s FROM range(%d) r(id))", strings.Join(outer, ", "), strings.Join(inner, ", "), rows)
}

// clickBench are the queries. Their table has 100 million rows; of fewer, groups have to be smaller to be shown, and fewer of them are passed over.
func clickBench(rows int) []suiteQuery {
	large := max(rows/1000, 1)
	pass := func(n int) int { return min(n, rows/2000) }
	top := func(columns, where, by, order string) string {
		q := "SELECT " + columns + " FROM hits"
		if where != "" {
			q += " WHERE " + where
		}
		return q + " GROUP BY " + by + " ORDER BY " + order + " DESC LIMIT 10"
	}
	july := "CounterID = 62 AND EventDate >= '2013-07-01' AND EventDate <= '2013-07-31' AND IsRefresh = 0"
	searched, phone := "SearchPhrase <> ''", "MobilePhoneModel <> ''"
	var sums []string
	for i := range 90 {
		sums = append(sums, fmt.Sprintf("sum(ResolutionWidth + %d)", i))
	}
	host := dialects(`regexp_replace(Referer, '^https?://(?:www\\.)?([^/]+)/.*$', '$1')%[1]s`, `regexp_replace(Referer, '^https?://(?:www\.)?([^/]+)/.*$', '\1')%[1]s`, "")
	totals := "count(*) AS c, sum(IsRefresh), avg(ResolutionWidth)"
	texts := []sqlText{
		both("SELECT count(*) FROM hits"),
		both("SELECT count(*) FROM hits WHERE AdvEngineID <> 0"),
		both("SELECT sum(AdvEngineID), count(*), avg(ResolutionWidth) FROM hits"),
		both("SELECT avg(UserID) FROM hits"),
		both("SELECT count(DISTINCT UserID) FROM hits"),
		both("SELECT count(DISTINCT SearchPhrase) FROM hits"),
		both("SELECT min(EventDate), max(EventDate) FROM hits"),
		both("SELECT AdvEngineID, count(*) FROM hits WHERE AdvEngineID <> 0 GROUP BY AdvEngineID ORDER BY count(*) DESC"),
		both("%s", top("RegionID, count(DISTINCT UserID) AS u", "", "RegionID", "u")),
		both("%s", top("RegionID, sum(AdvEngineID), count(*) AS c, avg(ResolutionWidth), count(DISTINCT UserID)", "", "RegionID", "c")),
		both("%s", top("MobilePhoneModel, count(DISTINCT UserID) AS u", phone, "MobilePhoneModel", "u")),
		both("%s", top("MobilePhone, MobilePhoneModel, count(DISTINCT UserID) AS u", phone, "MobilePhone, MobilePhoneModel", "u")),
		both("%s", top("SearchPhrase, count(*) AS c", searched, "SearchPhrase", "c")),
		both("%s", top("SearchPhrase, count(DISTINCT UserID) AS u", searched, "SearchPhrase", "u")),
		both("%s", top("SearchEngineID, SearchPhrase, count(*) AS c", searched, "SearchEngineID, SearchPhrase", "c")),
		both("%s", top("UserID, count(*)", "", "UserID", "count(*)")),
		both("%s", top("UserID, SearchPhrase, count(*)", "", "UserID, SearchPhrase", "count(*)")),
		both("SELECT UserID, SearchPhrase, count(*) FROM hits GROUP BY UserID, SearchPhrase LIMIT 10"),
		both("%s", top("UserID, extract(minute FROM EventTime) AS m, SearchPhrase, count(*)", "", "UserID, m, SearchPhrase", "count(*)")),
		both("SELECT UserID FROM hits WHERE UserID = 435090932899640449"),
		both("%s", "SELECT count(*) FROM hits WHERE URL LIKE '%google%'"),
		both("%s", top("SearchPhrase, min(URL), count(*) AS c", "URL LIKE '%google%' AND "+searched, "SearchPhrase", "c")),
		both("%s", top("SearchPhrase, min(URL), min(Title), count(*) AS c, count(DISTINCT UserID)", "Title LIKE '%Google%' AND URL NOT LIKE '%.google.%' AND "+searched, "SearchPhrase", "c")),
		both("%s", "SELECT * FROM hits WHERE URL LIKE '%google%' ORDER BY EventTime LIMIT 10"),
		both("SELECT SearchPhrase FROM hits WHERE SearchPhrase <> '' ORDER BY EventTime LIMIT 10"),
		both("SELECT SearchPhrase FROM hits WHERE SearchPhrase <> '' ORDER BY SearchPhrase LIMIT 10"),
		both("SELECT SearchPhrase FROM hits WHERE SearchPhrase <> '' ORDER BY EventTime, SearchPhrase LIMIT 10"),
		both("SELECT CounterID, avg(length(URL)) AS l, count(*) AS c FROM hits WHERE URL <> '' GROUP BY CounterID HAVING count(*) > %d ORDER BY l DESC LIMIT 25", large),
		both("SELECT %s AS k, avg(length(Referer)) AS l, count(*) AS c, min(Referer) FROM hits WHERE Referer <> '' GROUP BY k HAVING count(*) > %d ORDER BY l DESC LIMIT 25", host, large),
		both("SELECT %s FROM hits", strings.Join(sums, ", ")),
		both("%s", top("SearchEngineID, ClientIP, "+totals, searched, "SearchEngineID, ClientIP", "c")),
		both("%s", top("WatchID, ClientIP, "+totals, searched, "WatchID, ClientIP", "c")),
		both("%s", top("WatchID, ClientIP, "+totals, "", "WatchID, ClientIP", "c")),
		both("%s", top("URL, count(*) AS c", "", "URL", "c")),
		both("%s", top("1, URL, count(*) AS c", "", "1, URL", "c")),
		both("%s", top("ClientIP, ClientIP - 1, ClientIP - 2, ClientIP - 3, count(*) AS c", "", "ClientIP, ClientIP - 1, ClientIP - 2, ClientIP - 3", "c")),
		both("%s", top("URL, count(*) AS PageViews", july+" AND DontCountHits = 0 AND URL <> ''", "URL", "PageViews")),
		both("%s", top("Title, count(*) AS PageViews", july+" AND DontCountHits = 0 AND Title <> ''", "Title", "PageViews")),
		both("%s OFFSET %d", top("URL, count(*) AS PageViews", july+" AND IsLink <> 0 AND IsDownload = 0", "URL", "PageViews"), pass(1000)),
		both("%s OFFSET %d", top("TraficSourceID, SearchEngineID, AdvEngineID, CASE WHEN SearchEngineID = 0 AND AdvEngineID = 0 THEN Referer ELSE '' END AS Src, URL AS Dst, "+
			"count(*) AS PageViews", july, "TraficSourceID, SearchEngineID, AdvEngineID, Src, Dst", "PageViews"), pass(1000)),
		both("%s OFFSET %d", top("URLHash, EventDate, count(*) AS PageViews", july+" AND TraficSourceID IN (-1, 6) AND RefererHash = 3594120000172545465", "URLHash, EventDate", "PageViews"), pass(100)),
		both("%s OFFSET %d", top("WindowClientWidth, WindowClientHeight, count(*) AS PageViews", july+" AND DontCountHits = 0 AND URLHash = 2868770270353813622",
			"WindowClientWidth, WindowClientHeight", "PageViews"), pass(10000)),
		both("SELECT date_trunc('minute', EventTime) AS M, count(*) AS PageViews FROM hits WHERE CounterID = 62 AND EventDate >= '2013-07-14' AND EventDate <= '2013-07-15' AND "+
			"IsRefresh = 0 AND DontCountHits = 0 GROUP BY date_trunc('minute', EventTime) ORDER BY date_trunc('minute', EventTime) LIMIT 10 OFFSET %d", pass(1000)),
	}
	queries := make([]suiteQuery, len(texts))
	for i, x := range texts {
		unlimited := func(s string) string { return finalLimit.ReplaceAllString(s, "") }
		queries[i] = suiteQuery{fmt.Sprintf("q%02d", i), x, sqlText{unlimited(x.spark), unlimited(x.duck)}}
	}
	return queries
}
