// Package web is the coordinator's page: what runs on the cluster, and tables as pictures that move while they are written.
//
// It is a front door like any other: it asks for rows by SQL text, as a client does, and computes nothing itself. What it tells
// about the cluster comes through the small interfaces of parts.go. Browsers get a shell, one stylesheet and a few ES modules
// that draw; everything else is the JSON of /api/v1, described by /api/v1/openapi.json, and streams of server-sent events:
//
//	page := web.New(web.Options{Cluster: …, Tables: …, Reader: …})
//	http.ListenAndServe("127.0.0.1:4040", page)
//
// Whatever moves is a feed: a goroutine that runs while at least one browser looks, and posts documents on a board from which
// every viewer reads the newest. A viewer that was away or is slow misses states but never the last one.
package web
